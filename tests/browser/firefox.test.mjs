// Firefox, another implementation of everything: the pages, data channels, simulcast, and a room shared with Chromium.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {audibleSound, movingVideo, openPage, startBrowser} from '../lib/browser.mjs';
import {missing, startFirefox} from '../lib/firefox.mjs';
import {framesShown, hears, openStage as openFirefoxStage, sees} from '../lib/firefox-page.mjs';
import {startGateway, until} from '../lib/gateway.mjs';
import {address, enterNamespace} from '../lib/namespace.mjs';
import {openStage} from '../lib/stage.mjs';

const skip = missing ?? enterNamespace();

let gateway, firefox, chromium;
before(async () => {
  if (skip) return;
  const rooms = [1, 2, 3].map(id => `room-${id}: { publishers = 6; };`).join('\n');
  gateway = await startGateway({set: {'cardea.media.address': address}, files: {'videoroom.cfg': rooms, 'textroom.cfg': 'room-1: {};'}});
  [firefox, chromium] = await Promise.all([startFirefox(), startBrowser()]);
});
after(async () => {
  await firefox?.close();
  await chromium?.close();
  await gateway?.stop();
});

test('Firefox: the echo test page plays, mutes and restarts ICE', {skip}, async () => {
  const page = await firefox.openPage(`${gateway.http}echotest.html?auto=1`);
  const returned = '#returned video';
  const {width} = await sees(page, returned, {ms: 60_000});
  assert.ok(width >= 160);
  await hears(page, returned);
  const shown = () => framesShown(page, returned);
  await shown();
  await until(async () => (await shown()) > 5, 'frames');
  await page.evaluate(() => document.querySelector('#video').click());
  await until(async () => {
    const before = await shown();
    await new Promise(resolve => setTimeout(resolve, 400));
    return before === (await shown());
  }, 'no more frames');
  await page.evaluate(() => document.querySelector('#video').click());
  const frozen = await shown();
  await until(async () => (await shown()) > frozen + 5, 'frames again');
  await page.evaluate(() => document.querySelector('#restart').click());
  await page.waitFor(() => document.querySelector('#state').textContent === 'restarted');
  const before = await shown();
  await until(async () => (await shown()) > before + 20, 'frames after the restart');
  assert.deepEqual(page.problems, []);
  await page.close();
});

// In the page: one call to the echo test; each message's SHA-256 there and back.
async function echoData({kinds, sizes}) {
  const {Session} = await import('/cardea.js');
  const session = await Session.open();
  const handle = await session.attach('cardea.plugin.echotest');
  const channels = [];
  await handle.offer({}, {data: true}); // the connection, with its own channel
  for (const {label, ...options} of kinds) channels.push(handle.pc.createDataChannel(label, options));
  await Promise.all(channels.map(channel => new Promise(resolve => {
    channel.binaryType = 'arraybuffer';
    channel.onopen = resolve;
  })));
  const round = (channel, message) => new Promise((resolve, reject) => {
    channel.onmessage = ({data}) => resolve(data);
    channel.send(message);
    setTimeout(() => reject(new Error(`${channel.label}: nothing came back`)), 20_000);
  });
  const hash = async bytes => [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map(byte => byte.toString(16)).join();
  const results = [];
  for (const channel of channels) {
    results.push(await round(channel, 'hello'));
    for (const size of sizes) {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
      const back = await round(channel, bytes);
      results.push(back.byteLength === size && (await hash(back)) === (await hash(bytes)) ? size : `${size} came back otherwise`);
    }
  }
  await session.destroy();
  return results;
}

test('Firefox: data of all sizes comes back as it was', {skip}, async () => {
  const page = await firefox.openPage(`${gateway.http}index.html`);
  const kinds = [{label: 'ordered'}, {label: 'unordered', ordered: false, protocol: 'json'}, {label: 'by count', maxRetransmits: 3},
    {label: 'by time', ordered: false, maxPacketLifeTime: 3000}];
  const sizes = [0, 1, 1200, 65536, 262144];
  const results = await page.evaluate(echoData, {kinds, sizes});
  assert.deepEqual(results, kinds.flatMap(() => ['Janus EchoTest here! You wrote: hello', ...sizes]));
  assert.deepEqual(page.problems, []);
  await page.close();
});

test('Firefox and Chromium see and hear each other in a room', {skip}, async () => {
  const fox = await firefox.openPage(`${gateway.http}meet.html?auto=1&room=1&name=fox`);
  const chrome = await openPage(chromium, `${gateway.http}meet.html?auto=1&room=1&name=chrome`);
  const others = '.tile:not(.own) video';
  await sees(fox, others, {ms: 60_000});
  await hears(fox, '.tile:not(.own) audio');
  await movingVideo(chrome, others, {timeout: 60_000});
  await audibleSound(chrome);
  await chrome.click('#leave');
  await fox.waitFor(() => !document.querySelector('.tile:not(.own)'), null, 'the tile of who left is gone');
  assert.deepEqual(fox.problems, []);
  assert.deepEqual(chrome.problems, []);
  await fox.close();
  await chrome.context().close();
});

for (const [who, watcher] of [['Firefox', 'Chromium'], ['Chromium', 'Firefox']]) {
  test(`${watcher} moves between the qualities of ${who}`, {skip}, async () => {
    const fox = await openFirefoxStage(firefox, gateway), chrome = await openStage(chromium, gateway);
    const [from, to] = who === 'Firefox' ? [fox, chrome] : [chrome, fox];
    const encodings = [{rid: 'h'}, {rid: 'm', scaleResolutionDownBy: 2}, {rid: 'l', scaleResolutionDownBy: 4}];
    const camera = {width: 960, height: 540, frameRate: 15};
    const {id, streams} = await from.stage.publish('ann', {room: 2, media: {canvas: {...camera, fps: 15}}, encodings});
    assert.equal(streams[0].simulcast, true);
    await to.stage.subscribe('bob', {room: 2, feed: id});
    await to.receives('bob', 'video', 'now => now.width === 960', 40_000);
    for (const [substream, width] of [[0, 240], [1, 480], [2, 960]]) {
      await to.stage.request('bob', {request: 'configure', substream});
      await to.receives('bob', 'video', `now => now.width === ${width}`);
    }
    const {lost} = await to.stage.receives('bob', 'video');
    assert.equal(lost ?? 0, 0);
    // And a stream that comes later, by renegotiation.
    const added = await from.stage.offerAgain('ann', {request: 'configure'}, {media: {canvas: {width: 200, height: 120, fps: 10}}});
    await to.stage.request('bob', {request: 'subscribe', streams: [{feed: id, mid: added.streams[1].mid}]});
    await until(async () => (await to.stage.stats('bob')).inbound.some(({frameWidth, framesDecoded}) => frameWidth === 200 && framesDecoded > 5),
      'the second picture', 20_000);
    await fox.stage.end();
    await chrome.stage.end();
    assert.deepEqual([...fox.problems, ...chrome.problems], []);
    await fox.close();
    await chrome.context().close();
  });
}

test('Firefox and Chromium write in the text room', {skip}, async () => {
  const fox = await firefox.openPage(`${gateway.http}textroom.html?auto=1&room=1&name=fox`);
  const chrome = await openPage(chromium, `${gateway.http}textroom.html?auto=1&room=1&name=chrome`);
  const write = async text => fox.evaluate(text => {
    document.querySelector('#text').value = text;
    document.querySelector('#write button.main').click();
  }, text);
  await fox.waitFor(() => document.querySelector('#state').textContent === 'connected by data channel');
  await chrome.waitForFunction(() => document.querySelector('#state').textContent === 'connected by data channel');
  await write('hello from Firefox');
  await chrome.waitForSelector('#messages p:has-text("hello from Firefox")');
  await chrome.fill('#text', 'hello from Chromium');
  await chrome.press('#text', 'Enter');
  await fox.waitFor(() => document.querySelector('#messages').textContent.includes('hello from Chromium'));
  assert.deepEqual([...fox.problems, ...chrome.problems], []);
  await fox.close();
  await chrome.context().close();
});
