// The official janus.js, unmodified, in Chromium: what its pages do that needs a browser.
import assert from 'node:assert/strict';
import {after, afterEach, before, beforeEach, test} from 'node:test';
import {addScript, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway} from '../lib/gateway.mjs';

let gateway, browser, page;
before(async () => {
  gateway = await startGateway({files: {'textroom.cfg': 'room-1: { description = "Talk"; };'}});
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

// Handles whose callbacks note what they were told.
beforeEach(async () => {
  page = await openPage(browser);
  await page.goto(`${gateway.http}style.css`);
  await page.setContent('<!doctype html><title>A page with janus.js</title>');
  for (const file of ['webrtc-adapter/out/adapter.js', 'janus-gateway/npm/src/janus.js']) await addScript(page, file);
  await page.evaluate(async server => {
    window.later = async (condition, what, ms = 15_000) => {
      for (const end = Date.now() + ms; Date.now() < end; await new Promise(resolve => setTimeout(resolve, 30))) {
        const value = await condition();
        if (value) return value;
      }
      throw new Error(`never came true: ${what}`);
    };
    await new Promise(callback => Janus.init({debug: false, callback}));
    window.janus = await new Promise((resolve, reject) => {
      const janus = new Janus({server, success: () => resolve(janus), error: reject});
    });
    window.attach = plugin => new Promise((resolve, reject) => {
      const it = {messages: [], videos: new Map(), data: [], up: false, open: null};
      janus.attach({
        plugin, error: reject,
        success: handle => resolve(Object.assign(it, {handle})),
        onmessage: (message, jsep) => it.messages.push({message, jsep}),
        webrtcState: up => (it.up = up),
        ondataopen: label => (it.open = label),
        ondata: data => it.data.push(JSON.parse(data)),
        onremotetrack: (track, mid, on) => {
          if (!on || it.videos.has(mid)) return;
          const element = Object.assign(document.createElement(track.kind), {autoplay: true, srcObject: new MediaStream([track])});
          document.body.append(element);
          it.videos.set(mid, element);
        },
      });
      it.heard = (wanted, what) => later(() => {
        const at = it.messages.findIndex(({message, jsep}) => wanted(message, jsep));
        return at >= 0 && it.messages.splice(at, 1)[0];
      }, what);
      it.offer = options => new Promise((success, error) => it.handle.createOffer({...options, success, error}));
      it.answer = options => new Promise((success, error) => it.handle.createAnswer({...options, success, error}));
      it.accept = jsep => new Promise((success, error) => it.handle.handleRemoteJsep({jsep, success, error}));
      // The picture of a mid is this wide and moves.
      it.wide = (mid, width, ms) => later(() => {
        const video = it.videos.get(mid);
        if (!video || !video.videoWidth || (width && video.videoWidth !== width)) return (it.from = undefined, false);
        it.from ??= video.currentTime;
        return video.currentTime > it.from + 0.3 && video.videoWidth;
      }, `mid ${mid} is ${width} wide`, ms);
    });
    window.publish = async (display, tracks) => {
      const it = await attach('janus.plugin.videoroom');
      it.handle.send({message: {request: 'join', room: 1234, ptype: 'publisher', display}});
      it.joined = (await it.heard(m => m.videoroom === 'joined', 'joined')).message;
      it.configure = async options => {
        const jsep = await it.offer(options);
        it.handle.send({message: {request: 'configure', audio: true, video: true}, jsep});
        const {message, jsep: answer} = await it.heard((m, jsep) => m.configured === 'ok' && jsep, 'configured');
        await it.accept(answer);
        return message.streams;
      };
      it.streams = await it.configure({tracks});
      await later(() => it.up, 'the publisher is up');
      return it;
    };
    window.watch = async streams => {
      const it = await attach('janus.plugin.videoroom');
      it.handle.send({message: {request: 'join', room: 1234, ptype: 'subscriber', streams}});
      const start = async jsep => {
        it.handle.send({message: {request: 'start', room: 1234}, jsep: await it.answer({jsep, tracks: [{type: 'data'}]})});
        await it.heard(m => m.started === 'ok', 'started');
      };
      const {jsep} = await it.heard((m, jsep) => m.videoroom === 'attached' && jsep, 'attached');
      await start(jsep);
      it.update = async message => {
        it.handle.send({message: {request: 'update', ...message}});
        const updated = await it.heard((m, jsep) => m.videoroom === 'updated' && jsep, 'updated');
        await start(updated.jsep);
        return updated.message.streams;
      };
      return it;
    };
  }, gateway.ws);
});
afterEach(async () => {
  await page.evaluate(() => new Promise(resolve => janus.destroy({success: resolve, error: resolve})));
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('janus.js in Chromium: simulcast, a screen by a new offer, and a camera that is replaced', async () => {
  const seen = await page.evaluate(async () => {
    const video = {width: 1280, height: 720};
    const ann = await publish('ann', [{type: 'audio', capture: true}, {type: 'video', capture: video, simulcast: true}]);
    const bob = await watch([{feed: ann.joined.id}]);
    const widths = [await bob.wide('1', 1280, 30_000)];
    for (const [substream, width] of [[0, 320], [1, 640], [2, 1280]]) {
      bob.handle.send({message: {request: 'configure', substream}});
      widths.push(await bob.wide('1', width));
    }
    const changes = bob.messages.map(({message}) => message.substream).filter(layer => layer !== undefined);

    const streams = await ann.configure({tracks: [{type: 'screen', add: true, capture: true}]});
    await bob.update({subscribe: [{feed: ann.joined.id, mid: '2'}]});
    const screen = await bob.wide('2');
    const sources = ann.handle.webrtcStuff.pc.getSenders().map(({track}) => track?.id);
    const tracks = [{type: 'video', mid: '1', capture: {width: 640, height: 360}}];
    await new Promise((success, error) => ann.handle.replaceTracks({tracks, success, error}));
    await bob.wide('1', 640);
    const replaced = ann.handle.webrtcStuff.pc.getSenders().map(({track}, i) => track?.id !== sources[i]);
    return {widths, simulcast: ann.streams[1].simulcast, changes, streams: streams.map(({type}) => type), screen, replaced};
  });
  assert.equal(seen.simulcast, true);
  assert.deepEqual(seen.widths, [1280, 320, 640, 1280]);
  for (const layer of [0, 1, 2]) assert.ok(seen.changes.includes(layer), `${seen.changes}`);
  assert.deepEqual(seen.streams, ['audio', 'video', 'video']);
  assert.ok(seen.screen >= 160);
  assert.deepEqual(seen.replaced, [false, true, false]);
});

test('janus.js in Chromium: what is encrypted end to end passes as it is', async () => {
  const {answer, width, plain} = await page.evaluate(async () => {
    // As the demo of the official pages does: the first bytes stay readable, so that the codec is known on the way.
    const scramble = () => new TransformStream({
      transform(frame, controller) {
        const bytes = new Uint8Array(frame.data);
        for (let i = frame.type === 'key' ? 10 : frame.type === undefined ? 1 : 3; i < bytes.length; ++i) bytes[i] ^= 0x5a;
        frame.data = bytes.buffer;
        controller.enqueue(frame);
      },
    });
    const call = async own => {
      const it = await attach('janus.plugin.echotest');
      const transforms = both => both && {sender: scramble(), receiver: own ? scramble() : new TransformStream()};
      const jsep = await it.offer({tracks: [
        {type: 'audio', capture: true, recv: true, transforms: transforms(true)},
        {type: 'video', capture: {width: 320, height: 240}, recv: true, transforms: transforms(true)},
      ]});
      it.handle.send({message: {audio: true, video: true}, jsep});
      const {jsep: answer} = await it.heard((m, jsep) => m.result === 'ok' && jsep, 'the answer');
      await it.accept(answer);
      return {it, answer};
    };
    const {it, answer} = await call(true);
    const width = await it.wide('1');
    // Who cannot decrypt gets packets, but no picture.
    const other = await call(false);
    await later(async () => [...(await other.it.handle.webrtcStuff.pc.getStats()).values()]
      .some(({type, kind, packetsReceived}) => type === 'inbound-rtp' && kind === 'video' && packetsReceived > 50), 'packets');
    const plain = other.it.videos.get('1')?.currentTime ?? 0;
    return {answer: {...answer, sdp: undefined}, width, plain};
  });
  assert.deepEqual(answer, {type: 'answer', e2ee: true, sdp: undefined});
  assert.equal(width, 320);
  assert.ok(plain < 0.3, `${plain} s of picture without the key`);
});

test('janus.js in Chromium: people write in the text room', async () => {
  const told = await page.evaluate(async () => {
    const enter = async username => {
      const it = await attach('janus.plugin.textroom');
      it.handle.send({message: {request: 'setup'}});
      const {jsep} = await it.heard((m, jsep) => m.result === 'ok' && jsep, 'the offer');
      it.handle.send({message: {request: 'ack'}, jsep: await it.answer({jsep, tracks: [{type: 'data'}]})});
      await it.heard(m => m.result === 'ok', 'ack');
      await later(() => it.open, 'the data channel');
      let transaction = 0;
      it.got = (wanted, what) => later(() => {
        const at = it.data.findIndex(wanted);
        return at >= 0 && it.data.splice(at, 1)[0];
      }, what);
      it.say = message => {
        const sent = {transaction: `${username} ${++transaction}`, room: 1, ...message};
        it.handle.data({text: JSON.stringify(sent)});
        return it.got(answer => answer.transaction === sent.transaction, JSON.stringify(sent));
      };
      it.participants = (await it.say({textroom: 'join', username, display: username.toUpperCase()})).participants;
      return it;
    };
    const ann = await enter('ann'), bob = await enter('bob');
    const joined = await ann.got(({textroom, username}) => textroom === 'join' && username === 'bob', 'bob joins');
    await ann.say({textroom: 'message', text: 'hello ☃'});
    const heard = await bob.got(({textroom}) => textroom === 'message', 'the message');
    const sent = (await bob.say({textroom: 'message', to: 'ann', text: 'psst'})).sent;
    const whisper = await ann.got(({textroom, whisper}) => textroom === 'message' && whisper, 'the whisper');
    await bob.say({textroom: 'leave'});
    const left = await ann.got(({textroom}) => textroom === 'leave', 'bob leaves');
    ann.handle.hangup();
    return {participants: bob.participants, joined: joined.display, heard: [heard.from, heard.text], sent, whisper: whisper.text, left: left.username};
  });
  assert.deepEqual(told, {participants: [{username: 'ann', display: 'ANN'}], joined: 'BOB', heard: ['ann', 'hello ☃'], sent: {ann: true},
    whisper: 'psst', left: 'bob'});
});
