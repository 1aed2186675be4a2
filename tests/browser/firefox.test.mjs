// The pages in headless Firefox, where there is one.
import assert from 'node:assert/strict';
import {networkInterfaces} from 'node:os';
import {after, before, test} from 'node:test';
import {firefoxPath, startFirefox} from '../lib/firefox.mjs';
import {startGateway, until} from '../lib/gateway.mjs';

// Firefox has no candidates on loopback, so the gateway's media takes an address of this host's own; nothing leaves it.
const address = Object.values(networkInterfaces()).flat().find(({family, internal}) => family === 'IPv4' && !internal)?.address;
const skip = !firefoxPath ? 'no Firefox here' : !address ? 'no address but loopback' : false;
let gateway, browser;
before(async () => {
  if (skip) return;
  gateway = await startGateway({set: {'cardea.media.address': address}});
  browser = await startFirefox();
});
after(async () => {
  await browser?.stop();
  await gateway?.stop();
});

// What a page receives on all its connections, and whether the pictures of its tiles move.
const received = `async selector => {
  const result = {frames: 0, energy: 0, codecs: [], shown: 0};
  for (const connection of window.connections) {
    if (connection.connectionState === 'closed') continue;
    const reports = await connection.getStats();
    for (const report of reports.values()) {
      if (report.type !== 'inbound-rtp') continue;
      result.frames += report.framesDecoded ?? 0;
      result.energy += report.totalAudioEnergy ?? 0;
      result.codecs.push(reports.get(report.codecId)?.mimeType);
    }
  }
  for (const video of document.querySelectorAll(selector)) if (video.videoWidth > 0 && video.currentTime > 0) ++result.shown;
  return result;
}`;

async function plays(page, selector, {shown = 1} = {}) {
  return until(async () => {
    const now = await page.evaluate(received, selector);
    return now.frames > 30 && now.energy > 1e-6 && now.shown >= shown && now;
  }, `picture and sound in ${selector}`, 20_000);
}

test('the echo test plays in Firefox', {skip}, async () => {
  const page = await browser.open(`${gateway.http}echotest.html?auto=1`);
  await plays(page, '#returned video');
  await page.evaluate(`() => document.querySelector('#restart').click()`);
  await until(() => page.evaluate(`() => document.querySelector('#state').textContent === 'restarted'`), 'an ICE restart');
  const {frames} = await page.evaluate(received, '#returned video');
  await until(async () => (await page.evaluate(received, '#returned video')).frames > frames + 20, 'frames after it');
  await page.close();
  assert.deepEqual(browser.problems, []);
});

test('the echo test plays with simulcast in Firefox', {skip}, async () => {
  const page = await browser.open(`${gateway.http}echotest.html?auto=1&simulcast=1`);
  await plays(page, '#returned video');
  const width = () => page.evaluate(`() => document.querySelector('#returned video').videoWidth`);
  const choose = quality => page.evaluate(`quality => {
    const select = document.querySelector('#substream');
    select.value = quality;
    select.dispatchEvent(new Event('change'));
  }`, quality);
  await choose('2');
  const whole = await until(async () => (await width()) >= 640 && width(), 'the highest quality');
  await choose('0');
  await until(async () => (await width()) === whole / 4, 'the lowest quality');
  await choose('2');
  await until(async () => (await width()) === whole, 'the highest quality again');
  await page.close();
  assert.deepEqual(browser.problems, []);
});

test('two people in the room see and hear each other in Firefox', {skip}, async () => {
  const [ann, bob] = [await browser.open(`${gateway.http}videoroom.html?auto=1&room=1234&name=ann`),
    await browser.open(`${gateway.http}videoroom.html?auto=1&room=1234&name=bob`)];
  for (const page of [ann, bob]) await plays(page, '.tile:not(.own) video');
  await bob.evaluate(`() => document.querySelector('#leave').click()`);
  await until(() => ann.evaluate(`() => document.querySelectorAll('.tile:not(.own)').length === 0`), 'bob is gone');
  await ann.close();
  await bob.close();
  assert.deepEqual(browser.problems, []);
});
