// Pages written for the janus.js of Janus 0.x: its callbacks, its `media` options, its jsep flows, in a real browser. Two of
// its ages: 0.2 as it was published, which offers once per handle, and a later one, whose second createOffer renegotiates.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {addScript, audibleSound, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway} from '../lib/gateway.mjs';

const libraries = {
  'janus.js 0.2': async page => {
    for (const file of ['webrtc-adapter/out/adapter.js', 'janus-0x/html/janus.nojquery.js']) await addScript(page, file);
    await page.evaluate(() => new Promise(callback => Janus.init({debug: false, callback})));
  },
  'janus.js 0.10': async page => {
    const script = readFileSync(fileURLToPath(new URL('../node_modules/janus-0x-later/lib/index.js', import.meta.url)), 'utf8');
    const serve = (name, body) =>
      page.route(url => url.pathname === name, route => route.fulfill({contentType: 'text/javascript', body}));
    await serve('/old/janus.js', script);
    await serve('/old/adapter', ''); // imported, and given below
    await addScript(page, 'webrtc-adapter/out/adapter.js');
    await page.evaluate(async () => {
      window.Janus = (await import('/old/janus.js')).default;
      const dependencies = Janus.useDefaultDependencies({adapter: window.adapter});
      await new Promise(callback => Janus.init({debug: false, dependencies, callback}));
    });
  },
};

let gateway, browser;
before(async () => {
  gateway = await startGateway();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

// A page of that time: what its callbacks were told, and what it did with it.
async function oldPage(library) {
  const page = await openPage(browser);
  await page.goto(`${gateway.http}style.css`);
  await page.setContent('<!doctype html><title>A page of another time</title>');
  await libraries[library](page);
  await page.evaluate(async server => {
    window.later = async (condition, what) => {
      for (const end = Date.now() + 15_000; Date.now() < end; await new Promise(resolve => setTimeout(resolve, 50))) {
        const value = await condition();
        if (value) return value;
      }
      throw new Error(`never came true: ${what}`);
    };
    window.janus = await new Promise((resolve, reject) => {
      const janus = new Janus({server, success: () => resolve(janus), error: reject});
    });
    window.attachOld = plugin => new Promise((resolve, reject) => {
      const seen = {messages: [], data: [], dataOpen: false, local: null, locals: 0, remote: null, up: false};
      janus.attach({
        plugin,
        success: handle => resolve({handle, seen}),
        error: reject,
        onmessage: (message, jsep) => seen.messages.push({message, jsep}),
        onlocalstream: stream => Object.assign(seen, {local: stream, locals: seen.locals + 1}),
        onremotestream: stream => (seen.remote = stream),
        webrtcState: up => (seen.up = up),
        ondataopen: () => (seen.dataOpen = true),
        ondata: data => seen.data.push(data),
      });
    });
    window.offerOld = (handle, options) => new Promise((success, error) => handle.createOffer({...options, success, error}));
    window.acceptOld = (handle, jsep) => new Promise((success, error) => handle.handleRemoteJsep({jsep, success, error}));
    window.heard = (seen, wanted, what) => later(() => {
      const at = seen.messages.findIndex(entry => wanted(entry.message, entry.jsep));
      return at >= 0 && seen.messages.splice(at, 1)[0];
    }, what);
    // Resolves with the size of the picture once it is `width` wide and moves.
    window.playing = async (stream, width) => {
      const video = Object.assign(document.createElement('video'), {autoplay: true, srcObject: stream});
      document.body.append(video);
      let from = NaN;
      await later(() => {
        if (!video.videoWidth || (width && video.videoWidth !== width)) return false;
        if (Number.isNaN(from)) from = video.currentTime;
        return video.currentTime > from + 0.3;
      }, `a video plays${width ? ` ${width} wide` : ''}`);
      return video.videoWidth;
    };
    window.publishOld = async (display, options) => {
      const {handle, seen} = await attachOld('janus.plugin.videoroom');
      handle.send({message: {request: 'join', room: 1234, ptype: 'publisher', display}});
      const {message: joined} = await heard(seen, m => m.videoroom === 'joined', 'joined');
      const media = {audioRecv: false, videoRecv: false, audioSend: true, videoSend: true};
      const jsep = await offerOld(handle, {media, ...options});
      handle.send({message: {request: 'configure', audio: true, video: true}, jsep});
      const configured = await heard(seen, (m, jsep) => m.configured === 'ok' && jsep, 'configured');
      await acceptOld(handle, configured.jsep);
      await later(() => seen.up, 'the publisher is up');
      return {handle, seen, joined, configured: configured.message};
    };
    window.watchOld = async (feed, private_id) => {
      const {handle, seen} = await attachOld('janus.plugin.videoroom');
      handle.send({message: {request: 'join', room: 1234, ptype: 'subscriber', feed, private_id}});
      const attached = await heard(seen, (m, jsep) => m.videoroom === 'attached' && jsep, 'attached');
      const jsep = await new Promise((success, error) => handle.createAnswer({
        jsep: attached.jsep, media: {audioSend: false, videoSend: false}, success, error,
      }));
      handle.send({message: {request: 'start', room: 1234}, jsep});
      await heard(seen, m => m.started === 'ok', 'started');
      await later(() => seen.remote, 'a remote stream');
      return {handle, seen, attached: attached.message};
    };
  }, gateway.ws);
  return page;
}

async function leave(page) {
  await page.evaluate(() => new Promise(resolve => janus.destroy({success: resolve, error: resolve})));
  await page.context().close();
}

for (const library of Object.keys(libraries)) {
  test(`${library}: the echo test with the media options of its time`, async () => {
    const page = await oldPage(library);
    const {width, text} = await page.evaluate(async () => {
      const {handle, seen} = (window.echo = await attachOld('janus.plugin.echotest'));
      const media = {audioSend: true, audioRecv: true, videoSend: true, videoRecv: true, data: true};
      const jsep = await offerOld(handle, {media, simulcast: false});
      handle.send({message: {audio: true, video: true}, jsep});
      const answer = await heard(seen, (m, jsep) => m.result === 'ok' && jsep, 'the answer');
      await acceptOld(handle, answer.jsep);
      await later(() => seen.local && seen.remote && seen.up, 'both streams');
      const width = await playing(seen.remote);
      await later(() => seen.dataOpen, 'the data channel');
      handle.data({text: 'hello', success: () => {}});
      const text = await later(() => seen.data[0], 'the text comes back');
      return {width, text};
    });
    assert.ok(width >= 160);
    assert.equal(text, 'Janus EchoTest here! You wrote: hello');
    await audibleSound(page);
    await page.evaluate(async () => {
      const {handle, seen} = window.echo;
      handle.send({message: {audio: false, video: false}});
      await heard(seen, m => m.result === 'ok', 'the answer to muting');
      handle.hangup(true);
      await heard(seen, m => m.result === 'done', 'the end');
    });
    await leave(page);
  });

  test(`${library}: the video room with simulcast, feeds, and a screen of its own handle`, async () => {
    const page = await oldPage(library);
    const seen = await page.evaluate(async () => {
      const media = {audioRecv: false, videoRecv: false, audioSend: true, videoSend: true, video: 'hires'};
      const publisher = await publishOld('old', {media, simulcast: true});
      const feed = await watchOld(publisher.joined.id, publisher.joined.private_id);
      const [, {simulcast}] = publisher.configured.streams;
      const camera = await playing(feed.seen.remote, simulcast && 1280);
      feed.handle.send({message: {request: 'configure', substream: 0, temporal: 0}});
      await heard(feed.seen, m => m.configured === 'ok', 'configured');
      const lowest = simulcast && await playing(feed.seen.remote, 320);

      const stream = await navigator.mediaDevices.getDisplayMedia({video: true});
      const screen = await publishOld('screen', {stream, media: {audioSend: false, audioRecv: false, videoSend: true, videoRecv: false}});
      const shared = await watchOld(screen.joined.id, publisher.joined.private_id);
      return {camera, simulcast, lowest, attached: feed.attached, wide: await playing(shared.seen.remote),
        captured: stream.getVideoTracks()[0].getSettings().width, local: publisher.seen.locals};
    });
    assert.ok(seen.camera >= 160);
    // 0.2 knew no simulcast yet.
    if (library !== 'janus.js 0.2') assert.deepEqual([seen.simulcast, seen.camera, seen.lowest], [true, 1280, 320]);
    assert.equal(seen.attached.display, 'old');
    assert.equal(seen.attached.streams.length, 2);
    assert.ok(seen.local >= 1);
    assert.ok(seen.wide >= 320 && seen.wide <= seen.captured, `${seen.wide} of ${seen.captured}`);
    await leave(page);
  });
}

test('janus.js 0.10: a screen takes the place of the camera by a new offer through configure', async () => {
  const page = await oldPage('janus.js 0.10');
  const seen = await page.evaluate(async () => {
    const publisher = await publishOld('old', {media: {audioRecv: false, videoRecv: false, audioSend: true, video: 'lowres'}});
    const feed = await watchOld(publisher.joined.id, publisher.joined.private_id);
    const camera = await playing(feed.seen.remote, 320);
    const swap = async (video, width) => {
      const jsep = await offerOld(publisher.handle, {media: {audioRecv: false, videoRecv: false, video, replaceVideo: true}});
      publisher.handle.send({message: {request: 'configure', audio: true, video: true}, jsep});
      const {message, jsep: answer} = await heard(publisher.seen, (m, jsep) => m.configured === 'ok' && jsep, 'configured again');
      await acceptOld(publisher.handle, answer);
      return {lines: message.streams.length, width: await playing(feed.seen.remote, width)};
    };
    const screen = await swap('screen', 1280);
    const back = await swap('lowres', 320);
    return {camera, screen, back, locals: publisher.seen.locals};
  });
  assert.deepEqual(seen, {camera: 320, screen: {lines: 2, width: 1280}, back: {lines: 2, width: 320}, locals: 3});
  await leave(page);
});

test('janus.js 0.10: a camera is added to a call of sound, and taken out again', async () => {
  const page = await oldPage('janus.js 0.10');
  const seen = await page.evaluate(async () => {
    const publisher = await publishOld('old', {media: {audioRecv: false, videoRecv: false, audioSend: true, videoSend: false}});
    const other = await publishOld('other', {media: {audioRecv: false, videoRecv: false, audioSend: true, videoSend: false}});
    const again = async media => {
      const jsep = await offerOld(publisher.handle, {media: {audioRecv: false, videoRecv: false, ...media}});
      publisher.handle.send({message: {request: 'configure', audio: true, video: true}, jsep});
      const {message, jsep: answer} = await heard(publisher.seen, (m, jsep) => m.configured === 'ok' && jsep, 'configured again');
      await acceptOld(publisher.handle, answer);
      const {message: told} = await heard(other.seen, m => m.publishers?.[0].id === publisher.joined.id, 'the others are told');
      return {mine: message.streams, told: told.publishers[0].streams};
    };
    const added = await again({addVideo: true});
    const feed = await watchOld(publisher.joined.id);
    const camera = await playing(feed.seen.remote);
    const removed = await again({removeVideo: true});
    return {added, camera, removed};
  });
  assert.deepEqual(seen.added.told.map(({type}) => type), ['audio', 'video']);
  assert.ok(seen.camera >= 160);
  assert.deepEqual(seen.removed.told.map(({type, disabled}) => [type, disabled]), [['audio', undefined], ['video', true]]);
  await leave(page);
});
