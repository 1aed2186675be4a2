import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {audibleSound, inbound, movingVideo, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway, until} from '../lib/gateway.mjs';

let gateway, browser;
before(async () => {
  gateway = await startGateway();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function echoPage(parameters = '') {
  return openPage(browser, `${gateway.http}echotest.html?auto=1${parameters}`);
}

test('the echo test plays moving video and sound', async () => {
  const page = await echoPage();
  const {width} = await movingVideo(page, '#returned video');
  assert.ok(width >= 160);
  await audibleSound(page);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('muting stops the echo and unmuting brings it back', async () => {
  const page = await echoPage();
  await movingVideo(page, '#returned video');
  await page.click('#video');
  await until(async () => {
    const before = await inbound(page, 'video', 'framesDecoded');
    await page.waitForTimeout(300);
    return before === (await inbound(page, 'video', 'framesDecoded'));
  }, 'no more frames');
  const frozen = await inbound(page, 'video', 'framesDecoded');
  await page.click('#video');
  await until(async () => (await inbound(page, 'video', 'framesDecoded')) > frozen + 5, 'frames again');
  await page.context().close();
});

test('a choice of simulcast quality changes the size received', async () => {
  const page = await echoPage('&simulcast=1');
  await movingVideo(page, '#returned video', {width: 1280, timeout: 30_000});
  await page.selectOption('#substream', '0');
  await movingVideo(page, '#returned video', {width: 320});
  await page.selectOption('#substream', '1');
  await movingVideo(page, '#returned video', {width: 640});
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('media goes on after an ICE restart', async () => {
  const page = await echoPage();
  await movingVideo(page, '#returned video');
  const ufrag = () => page.evaluate(() => /a=ice-ufrag:(\S+)/.exec(window.connections[0].currentRemoteDescription.sdp)[1]);
  const before = await ufrag();
  await page.click('#restart');
  await page.waitForFunction(() => document.querySelector('#state').textContent === 'restarted');
  assert.notEqual(await ufrag(), before);
  const frames = await inbound(page, 'video', 'framesDecoded');
  await until(async () => (await inbound(page, 'video', 'framesDecoded')) > frames + 30, 'frames after the restart');
  assert.equal(await page.evaluate(() => window.connections[0].iceConnectionState), 'connected');
  await page.context().close();
});

test('the pages work over TLS and signal on the same port', async () => {
  const page = await openPage(browser, `${gateway.https}echotest.html?auto=1`);
  await movingVideo(page, '#returned video');
  await page.context().close();
});

test('a lost WebSocket is opened again and the call goes on', async () => {
  const claiming = await startGateway({set: {'cardea.general.reclaim_session_timeout': 10}});
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(() => {
      window.connections = [];
      window.sockets = [];
      const Peer = window.RTCPeerConnection;
      window.RTCPeerConnection = class extends Peer { constructor(...args) { super(...args); window.connections.push(this); } };
      const Socket = window.WebSocket;
      window.WebSocket = class extends Socket { constructor(...args) { super(...args); window.sockets.push(this); } };
    });
    await page.goto(`${claiming.http}echotest.html?auto=1`);
    await movingVideo(page, '#returned video');
    await page.evaluate(() => window.sockets[0].close());
    await page.waitForFunction(() => document.querySelector('#state').textContent === 'Connected again');
    const frames = await inbound(page, 'video', 'framesDecoded');
    await until(async () => (await inbound(page, 'video', 'framesDecoded')) > frames + 10, 'frames after the claim');
    await context.close();
  } finally {
    await claiming.stop();
  }
});
