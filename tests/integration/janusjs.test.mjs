// The official janus.js, unmodified, under node: WebSocket and HTTP long poll.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import WebSocket from 'ws';
import {startGateway, until} from '../lib/gateway.mjs';
import {MediaStream, MediaStreamTrack, RTCIceCandidate, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, Sink, leave, makeMedia} from '../lib/wrtc.mjs';

// What a browser would have.
globalThis.window = globalThis;
Object.assign(globalThis, {RTCPeerConnection, RTCRtpSender, RTCSessionDescription, RTCIceCandidate, MediaStream, MediaStreamTrack});
globalThis.addEventListener ??= () => {};
Object.defineProperty(globalThis, 'navigator',
  {value: {userAgent: 'node', platform: 'node', mediaDevices: {getUserMedia: async () => new MediaStream()}}, configurable: true});
const {default: Janus} = await import('janus-gateway');

let gateway, media;
before(async () => {
  gateway = await startGateway();
  media = makeMedia();
  const adapter = {browserDetails: {browser: 'chrome', version: 120}};
  await new Promise(resolve => Janus.init({
    debug: false,
    dependencies: Janus.useDefaultDependencies({fetch, WebSocket, adapter}),
    callback: resolve,
  }));
});
after(async () => {
  media?.stop();
  await gateway?.stop();
  leave();
});

const open = server => new Promise((resolve, reject) => {
  const janus = new Janus({server, success: () => resolve(janus), error: reject, destroyed: () => {}});
});
const close = janus => new Promise(resolve => janus.destroy({success: resolve, error: resolve}));

// Attaches; `seen` collects what the callbacks of a page would get.
function attach(janus, plugin) {
  return new Promise((resolve, reject) => {
    const seen = {messages: [], sinks: new Map(), up: false, media: []};
    janus.attach({
      plugin, opaqueId: 'test',
      success: handle => resolve({handle, seen}),
      error: reject,
      onmessage: (message, jsep) => seen.messages.push({message, jsep}),
      onremotetrack: (track, mid, on) => on && !seen.sinks.has(mid) && seen.sinks.set(mid, new Sink(track)),
      webrtcState: up => (seen.up = up),
      mediaState: (type, on, mid) => seen.media.push({type, on, mid}),
    });
  });
}
const send = (handle, message, jsep) => new Promise((success, error) => handle.send({message, jsep, success, error}));
const createOffer = (handle, tracks) =>
  new Promise((success, error) => handle.createOffer({tracks, success, error}));
const createAnswer = (handle, jsep) =>
  new Promise((success, error) => handle.createAnswer({jsep, tracks: [], success, error}));
const accept = (handle, jsep) => new Promise((success, error) => handle.handleRemoteJsep({jsep, success, error}));
const received = (seen, wanted, what) => until(() => {
  const at = seen.messages.findIndex(entry => wanted(entry.message, entry.jsep));
  return at >= 0 && seen.messages.splice(at, 1)[0];
}, what);
const stopSinks = seen => seen.sinks.forEach(sink => sink.stop());

for (const [name, server] of [['WebSocket', () => gateway.ws], ['HTTP long poll', () => `${gateway.http}janus`]]) {
  test(`janus.js: the echo test over ${name}`, async () => {
    const janus = await open(server());
    const {handle, seen} = await attach(janus, 'janus.plugin.echotest');
    const jsep = await createOffer(handle,
      [{type: 'audio', capture: media.audio, recv: true}, {type: 'video', capture: media.video, recv: true}]);
    handle.send({message: {audio: true, video: true}, jsep});
    const answer = await received(seen, (message, jsep) => message.result === 'ok' && jsep, 'the answer');
    await accept(handle, answer.jsep);
    await until(() => seen.up, 'webrtcup');
    await until(() => [...seen.sinks.values()].some(sink => sink.frames > 5), 'frames');
    await until(() => [...seen.sinks.values()].some(sink => sink.loud > 5), 'sound');
    await until(() => seen.media.some(({type, on}) => type === 'video' && on), 'a media event');
    stopSinks(seen);
    await close(janus);
  });
}

test('janus.js: create, exists and list answer in the success callback', async () => {
  const janus = await open(gateway.ws);
  const {handle} = await attach(janus, 'janus.plugin.videoroom');
  const created = await send(handle, {request: 'create', room: 501, publishers: 6});
  assert.equal(created.videoroom, 'created');
  assert.equal((await send(handle, {request: 'exists', room: 501})).exists, true);
  assert.ok((await send(handle, {request: 'list'})).list.some(({room}) => room === 501));
  await close(janus);
});

test('janus.js: the flow of the video room page, with legacy feed subscription', async () => {
  const janus = await open(gateway.ws);
  const publisher = await attach(janus, 'janus.plugin.videoroom');
  publisher.handle.send({message: {request: 'join', room: 99, ptype: 'publisher', display: 'x'}});
  await received(publisher.seen, message => message.error_code === 426, 'no such room');
  await send(publisher.handle, {request: 'create', room: 502, publishers: 6});
  publisher.handle.send({message: {request: 'join', room: 502, ptype: 'publisher', display: 'ann'}});
  const {message: joined} = await received(publisher.seen, message => message.videoroom === 'joined', 'joined');
  const offer = await createOffer(publisher.handle,
    [{type: 'audio', capture: media.audio, recv: false}, {type: 'video', capture: media.video, recv: false}]);
  publisher.handle.send({message: {request: 'configure', audio: true, video: true}, jsep: offer});
  const configured = await received(publisher.seen, (message, jsep) => message.configured === 'ok' && jsep, 'configured');
  await accept(publisher.handle, configured.jsep);
  await until(() => publisher.seen.up, 'the publisher is up');

  const feed = await attach(janus, 'janus.plugin.videoroom');
  feed.handle.send({message: {request: 'join', room: 502, ptype: 'subscriber', feed: joined.id, private_id: joined.private_id}});
  const attached = await received(feed.seen, (message, jsep) => message.videoroom === 'attached' && jsep, 'attached');
  assert.equal(attached.message.id, joined.id);
  assert.equal(attached.message.display, 'ann');
  const answer = await createAnswer(feed.handle, attached.jsep);
  feed.handle.send({message: {request: 'start', room: 502}, jsep: answer});
  await received(feed.seen, message => message.started === 'ok', 'started');
  await until(() => [...feed.seen.sinks.values()].some(sink => sink.frames > 5), 'frames');

  publisher.handle.send({message: {request: 'unpublish'}});
  await received(publisher.seen, message => message.unpublished === 'ok', 'unpublished');
  stopSinks(feed.seen);
  await close(janus);
});

test('janus.js: reconnect claims the session after the socket was lost', async () => {
  const claiming = await startGateway({set: {'cardea.general.reclaim_session_timeout': 10}});
  try {
    const sockets = [];
    class Recorded extends WebSocket {
      constructor(...args) {
        super(...args);
        sockets.push(this);
      }
    }
    Janus.initDone = false;
    await new Promise(resolve => Janus.init({
      debug: false, callback: resolve,
      dependencies: Janus.useDefaultDependencies({fetch, WebSocket: Recorded, adapter: {browserDetails: {browser: 'chrome', version: 120}}}),
    }));
    let lost = false;
    const janus = await new Promise((resolve, reject) => {
      let opened = false;
      const made = new Janus({
        server: claiming.ws, destroyed: () => {},
        success: () => { opened = true; resolve(made); },
        error: error => (opened ? (lost = true) : reject(error)),
      });
    });
    const {handle} = await attach(janus, 'janus.plugin.videoroom');
    const id = janus.getSessionId();
    sockets[0].terminate();
    await until(() => lost, 'the page noticed');
    await new Promise((success, error) => janus.reconnect({success, error}));
    assert.equal(janus.getSessionId(), id);
    assert.equal((await send(handle, {request: 'exists', room: 1234})).exists, true);
    await close(janus);
  } finally {
    await claiming.stop();
  }
});
