// A page written for the janus.js of Janus 0.x: its callbacks, its `media` options, its jsep flows, in a real browser.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {addScript, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway} from '../lib/gateway.mjs';

let gateway, browser, page;
before(async () => {
  gateway = await startGateway();
  browser = await startBrowser();
  page = await openPage(browser);
  await page.goto(gateway.http);
  await page.setContent('<!doctype html><title>A page of another time</title>');
  for (const file of ['webrtc-adapter/out/adapter.js', 'janus-0x/html/janus.nojquery.js']) await addScript(page, file);
  await page.evaluate(async server => {
    window.later = (condition, what) => new Promise((resolve, reject) => {
      const end = Date.now() + 15_000;
      const look = async () => {
        const value = await condition();
        if (value) resolve(value);
        else if (Date.now() > end) reject(new Error(`never came true: ${what}`));
        else setTimeout(look, 50);
      };
      look();
    });
    await new Promise(resolve => Janus.init({debug: false, callback: resolve}));
    window.janus = await new Promise((resolve, reject) => {
      const janus = new Janus({server, success: () => resolve(janus), error: reject});
    });
    window.attachOld = plugin => new Promise((resolve, reject) => {
      const seen = {messages: [], local: null, remote: null, up: false};
      janus.attach({
        plugin,
        success: handle => resolve({handle, seen}),
        error: reject,
        onmessage: (message, jsep) => seen.messages.push({message, jsep}),
        onlocalstream: stream => (seen.local = stream),
        onremotestream: stream => (seen.remote = stream),
        webrtcState: up => (seen.up = up),
      });
    });
    window.playing = async (stream, width) => {
      const video = Object.assign(document.createElement('video'), {autoplay: true, muted: true, srcObject: stream});
      document.body.append(video);
      await later(() => video.videoWidth && (!width || video.videoWidth === width) && video.currentTime > 0.3, 'the video plays');
      return video.videoWidth;
    };
    window.message = (seen, wanted, what) => later(() => {
      const at = seen.messages.findIndex(entry => wanted(entry.message, entry.jsep));
      return at >= 0 && seen.messages.splice(at, 1)[0];
    }, what);
  }, gateway.ws);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

test('old janus.js: echo test with the media options of its time', async () => {
  const width = await page.evaluate(async () => {
    const {handle, seen} = await attachOld('janus.plugin.echotest');
    const jsep = await new Promise((success, error) => handle.createOffer({
      media: {audioSend: true, audioRecv: true, videoSend: true, videoRecv: true, data: false}, simulcast: false, success, error,
    }));
    handle.send({message: {audio: true, video: true}, jsep});
    const answer = await message(seen, (m, jsep) => m.result === 'ok' && jsep, 'the answer');
    await new Promise((success, error) => handle.handleRemoteJsep({jsep: answer.jsep, success, error}));
    await later(() => seen.remote && seen.up, 'a remote stream');
    const width = await playing(seen.remote);
    handle.hangup();
    return width;
  });
  assert.ok(width >= 160);
});

test('old janus.js: the video room with feeds and simulcast', async () => {
  const {camera} = await page.evaluate(async () => {
    const publisher = await attachOld('janus.plugin.videoroom');
    publisher.handle.send({message: {request: 'join', room: 1234, ptype: 'publisher', display: 'old'}});
    const {message: joined} = await message(publisher.seen, m => m.videoroom === 'joined', 'joined');
    const offer = await new Promise((success, error) => publisher.handle.createOffer({
      media: {audioRecv: false, videoRecv: false, audioSend: true, videoSend: true}, simulcast: true, success, error,
    }));
    publisher.handle.send({message: {request: 'configure', audio: true, video: true}, jsep: offer});
    const configured = await message(publisher.seen, (m, jsep) => m.configured === 'ok' && jsep, 'configured');
    publisher.handle.handleRemoteJsep({jsep: configured.jsep});
    await later(() => publisher.seen.up, 'the publisher is up');

    const feed = await attachOld('janus.plugin.videoroom');
    feed.handle.send({message: {request: 'join', room: 1234, ptype: 'subscriber', feed: joined.id, private_id: joined.private_id}});
    const attached = await message(feed.seen, (m, jsep) => m.videoroom === 'attached' && jsep, 'attached');
    const answer = await new Promise((success, error) => feed.handle.createAnswer({
      jsep: attached.jsep, media: {audioSend: false, videoSend: false}, success, error,
    }));
    feed.handle.send({message: {request: 'start', room: 1234}, jsep: answer});
    await message(feed.seen, m => m.started === 'ok', 'started');
    await later(() => feed.seen.remote, 'a remote stream');
    const camera = await playing(feed.seen.remote);

    return {camera};
  });
  assert.ok(camera >= 160);
});
