// The rooms storey of the client library, with pages of the test's own: what people who know the field's client SDKs write.
import assert from 'node:assert/strict';
import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {after, before, test} from 'node:test';
import ts from 'typescript';
import {audibleSound, movingVideo, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway, until} from '../lib/gateway.mjs';

const beside = name => fileURLToPath(new URL(name, import.meta.url));

// The gateway's own pages, with those of the test beside them.
const pages = mkdtempSync(join(tmpdir(), 'cardea-pages-'));
let gateway, browser, scripts = 0;
const start = set => startGateway({set: {'cardea.general.pages_folder': pages, ...set}});
before(async () => {
  cpSync(beside('../../html'), pages, {recursive: true});
  gateway = await start();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  rmSync(pages, {recursive: true});
});

const small = {camera: {width: 320, height: 180}};

/** A page with this module as its only script. */
async function openModule(script, at = gateway, options = small) {
  const name = `sample-${++scripts}`;
  writeFileSync(join(pages, `${name}.js`), script);
  writeFileSync(join(pages, `${name}.html`),
    `<!doctype html><title>sample</title><link rel="icon" href="icon.svg"><body><script type="module" src="${name}.js"></script>`);
  return openPage(browser, `${at.http}${name}.html`, options);
}

const library = `import * as cardea from './cardea.js';
  Object.assign(window, cardea, {cardea, log: []});
  window.room = new Room({adaptiveStream: true});
  for (const event of Object.values(RoomEvent)) room.on(event, (...details) => log.push({event, details}));
  room.on(RoomEvent.TrackSubscribed, (track, publication, participant) => {
    const element = track.attach();
    element.id = participant.name + '-' + publication.source;
    document.body.append(element);
  });
  room.on(RoomEvent.TrackUnsubscribed, track => track.detach().forEach(element => element.remove()));`;

async function enter(name, room, {publish = true, at = gateway, ...more} = {}) {
  const page = await openModule(library, at);
  await page.waitForFunction(() => window.room);
  await page.evaluate(async ([room, name, more, publish]) => {
    await window.room.connect(undefined, {room, name, ...more});
    if (publish) await window.room.localParticipant.enableCameraAndMicrophone();
  }, [room, name, more, publish]);
  return page;
}
const close = pages => Promise.all(pages.map(page => page.context().close()));
const told = (page, event) => page.evaluate(event => log.filter(one => one.event === event).length, event);

test('the sample program of the field\'s best known SDK runs with import, address and token changed', async () => {
  const {outputText: sample} = ts.transpileModule(readFileSync(beside('samples/room.ts'), 'utf8'), {compilerOptions: {target: 'es2022', module: 'es2022'}});
  const one = await openModule(sample), two = await openModule(sample);
  await movingVideo(one, 'video', {timeout: 30_000});
  await movingVideo(two, 'video', {timeout: 30_000});
  await audibleSound(one);
  assert.deepEqual([...one.problems, ...two.problems], []);
  await one.context().close();
  await two.waitForFunction(() => [...document.querySelectorAll('video')].every(({srcObject}) => !srcObject));
  await two.context().close();
});

test('people come and go, publish, mute, share and rename, and everybody is told', async () => {
  const ann = await enter('Ann', 'tea'), bob = await enter('Bob', 'tea');
  for (const [page, other] of [[ann, 'Bob'], [bob, 'Ann']]) await movingVideo(page, `#${other}-camera`, {timeout: 30_000});
  assert.equal(await told(ann, 'participantConnected'), 1);
  assert.equal(await told(bob, 'participantConnected'), 0, 'who was there before is in remoteParticipants');
  assert.deepEqual(await bob.evaluate(() => [...room.remoteParticipants.values()].map(({name}) => name)), ['Ann']);

  const remote = member => bob.evaluate(member => [...room.remoteParticipants.values()][0][member], member);
  await ann.evaluate(() => room.localParticipant.setCameraEnabled(false));
  await until(async () => !(await remote('isCameraEnabled')), 'the camera is off for Bob');
  assert.equal(await ann.evaluate(() => room.localParticipant.getTrackPublication('camera').track.mediaStreamTrack.readyState), 'ended');
  await ann.evaluate(() => room.localParticipant.setCameraEnabled(true));
  await until(() => remote('isCameraEnabled'), 'the camera is on for Bob');
  await movingVideo(bob, '#Ann-camera');
  await ann.evaluate(() => room.localParticipant.setMicrophoneEnabled(false));
  await until(async () => !(await remote('isMicrophoneEnabled')), 'the microphone is off for Bob');

  await ann.evaluate(() => room.localParticipant.setName('Anna'));
  await until(async () => (await remote('name')) === 'Anna', 'the new name');
  await ann.evaluate(() => room.localParticipant.setAttributes({hand: '1'}));
  await until(async () => (await remote('attributes')).hand === '1', 'the hand');
  await ann.evaluate(() => room.localParticipant.setAttributes({hand: ''}));
  await until(async () => !(await remote('attributes')).hand, 'no hand');
  await ann.evaluate(() => room.localParticipant.setMetadata('{"team":"red"}'));
  await until(async () => (await remote('metadata')) === '{"team":"red"}', 'metadata');

  for (let round = 0; round < 3; ++round) { // the same place in the connection every time
    await ann.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), {width: 800, height: 600});
      let turn = 0;
      window.drawing = setInterval(() => {
        canvas.getContext('2d').fillStyle = `hsl(${(turn += 7) % 360} 80% 50%)`;
        canvas.getContext('2d').fillRect(0, 0, 800, 600);
      }, 50);
      navigator.mediaDevices.getDisplayMedia = async () => canvas.captureStream(20);
      await room.localParticipant.setScreenShareEnabled(true, {audio: true});
    });
    await movingVideo(bob, '#Anna-screen_share', {width: 800});
    await movingVideo(bob, '#Ann-camera');
    await ann.evaluate(() => room.localParticipant.setScreenShareEnabled(false));
    await bob.waitForSelector('#Anna-screen_share', {state: 'detached'});
  }
  assert.equal(await ann.evaluate(() => connections.length), 2, 'one connection up and one down');

  await ann.evaluate(() => room.disconnect());
  await until(async () => (await told(bob, 'participantDisconnected')) === 1, 'Ann has left');
  await bob.waitForFunction(() => document.querySelectorAll('video').length === 0);
  assert.ok(await ann.evaluate(() => connections.every(({connectionState}) => connectionState === 'closed')));
  assert.deepEqual([...ann.problems, ...bob.problems], []);
  await close([ann, bob]);
});

test('texts, whispers and data arrive, and history for those who come later', async () => {
  const ann = await enter('Ann', 'talk', {publish: false, identity: 'ann'});
  const bob = await enter('Bob', 'talk', {publish: false, identity: 'bob'});
  const cem = await enter('Cem', 'talk', {publish: false, identity: 'cem'});
  await until(() => ann.evaluate(() => room.remoteParticipants.size === 2), 'all are there');
  const chat = page => page.evaluate(() => log.filter(({event}) => event === 'chatMessage')
    .map(({details: [{name, message, whisper, old}]}) => `${old ? 'old ' : ''}${whisper ? 'whisper ' : ''}${name}: ${message}`));
  await ann.evaluate(() => room.localParticipant.sendChatMessage('hello'));
  await ann.evaluate(() => room.localParticipant.sendChatMessage('{"cardea": not data}'));
  await ann.evaluate(() => room.localParticipant.sendChatMessage('psst', {destinationIdentities: ['bob']}));
  await bob.evaluate(() => {
    room.registerTextStreamHandler('notes', async (reader, {identity}) => (window.note = `${identity}: ${await reader.readAll()}`));
  });
  await cem.evaluate(async () => {
    await room.localParticipant.publishData(new TextEncoder().encode('bytes ü'), {reliable: true, topic: 'game'});
    await room.localParticipant.sendText('a note', {topic: 'notes'});
  });
  await until(async () => (await chat(bob)).length === 3, 'three messages for Bob');
  assert.deepEqual(await chat(bob), ['Ann: hello', 'Ann: {"cardea": not data}', 'whisper Ann: psst']);
  assert.deepEqual(await chat(cem), ['Ann: hello', 'Ann: {"cardea": not data}']);
  assert.deepEqual(await chat(ann), await chat(bob), 'what one says is shown to oneself');
  await bob.waitForFunction(() => window.note === 'cem: a note');
  const data = await bob.evaluate(() => {
    const {details: [bytes, participant, kind, topic]} = log.find(({event}) => event === 'dataReceived');
    return [new TextDecoder().decode(bytes), participant.name, kind, topic];
  });
  assert.deepEqual(data, ['bytes ü', 'Cem', 0, 'game']);
  const late = await enter('Late', 'talk', {publish: false});
  await until(async () => (await chat(late)).length === 2, 'history');
  assert.deepEqual(await chat(late), ['old Ann: hello', 'old Ann: {"cardea": not data}']);
  await close([ann, bob, cem, late]);
});

test('moderation: muting, a pin, sending away, ending the room', async () => {
  const host = await enter('Host', 'court', {secret: 's3cret'});
  assert.equal(await host.evaluate(() => room.created), true);
  const bob = await enter('Bob', 'court');
  await movingVideo(host, '#Bob-camera', {timeout: 30_000});
  const mute = muted => host.evaluate(muted => {
    const [{identity, trackPublications}] = room.remoteParticipants.values();
    const {trackSid} = [...trackPublications.values()].find(({source}) => source === 'microphone');
    return room.mutePublishedTrack(identity, trackSid, muted);
  }, muted);
  await mute(true);
  await until(() => bob.evaluate(() => !room.localParticipant.isMicrophoneEnabled), 'Bob knows');
  await until(() => host.evaluate(() => ![...room.remoteParticipants.values()][0].isMicrophoneEnabled), 'the host sees it');
  await mute(false);
  await until(() => bob.evaluate(() => room.localParticipant.isMicrophoneEnabled), 'Bob may speak');
  await assert.rejects(bob.evaluate(() => room.setPin('1')), /secret|nauthori/i);
  await host.evaluate(() => room.setPin('4711'));
  await assert.rejects(enter('Cem', 'court', {publish: false}));
  const cem = await enter('Cem', 'court', {publish: false, pin: '4711'});
  await host.evaluate(() => room.removeParticipant([...room.remoteParticipants.values()].find(({name}) => name === 'Bob').identity));
  await until(() => bob.evaluate(() => room.state === 'disconnected'), 'Bob is out');
  assert.equal(await bob.evaluate(() => DisconnectReason[log.find(({event}) => event === 'disconnected').details[0]]), 'PARTICIPANT_REMOVED');
  await until(() => cem.evaluate(() => room.remoteParticipants.size === 1), 'Cem sees one');
  await host.evaluate(() => room.deleteRoom());
  await until(() => cem.evaluate(() => room.state === 'disconnected'), 'the room is over');
  await close([host, bob, cem]);
});

test('a lost connection comes back by itself, with a claimed session or a new one', async () => {
  for (const reclaim of [0, 20]) {
    const own = await start({'cardea.general.reclaim_session_timeout': reclaim});
    const ann = await openModule(`
      const Native = WebSocket;
      window.sockets = [];
      window.WebSocket = class extends Native { constructor(...args) { super(...args); sockets.push(this); } };
      ${library.replace(/^import \* as cardea from '.\/cardea.js';/, "const cardea = await import('./cardea.js');")}`, own);
    await ann.waitForFunction(() => window.room);
    await ann.evaluate(() => room.connect(undefined, {room: 'back', name: 'Ann'}).then(() => room.localParticipant.enableCameraAndMicrophone()));
    const bob = await enter('Bob', 'back', {at: own});
    await movingVideo(ann, '#Bob-camera', {timeout: 30_000});
    await movingVideo(bob, '#Ann-camera', {timeout: 30_000});
    await ann.evaluate(() => sockets.at(-1).close());
    await until(async () => (await told(ann, 'reconnected')) === 1, `back (reclaim ${reclaim})`, 20_000);
    assert.equal(await told(ann, 'reconnecting'), 1);
    await movingVideo(bob, '#Ann-camera', {timeout: 20_000});
    await movingVideo(ann, '#Bob-camera', {timeout: 20_000});
    await bob.evaluate(() => room.localParticipant.sendChatMessage('still there?'));
    await ann.waitForFunction(() => log.some(({event}) => event === 'chatMessage'));
    assert.equal(await ann.evaluate(() => connections.filter(({connectionState}) => connectionState !== 'closed').length), 2);
    if (reclaim) assert.equal(await ann.evaluate(() => connections.length), 2, 'media went on');
    await close([ann, bob]);
    await own.stop();
  }
});

test('without WebSocket everything goes by long poll', async () => {
  const ann = await openModule(`window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 1); } close() {} };
    ${library.replace(/^import \* as cardea from '.\/cardea.js';/, "const cardea = await import('./cardea.js');")}`);
  await ann.waitForFunction(() => window.room);
  await ann.evaluate(() => room.connect(undefined, {room: 'poll', name: 'Ann'}).then(() => room.localParticipant.enableCameraAndMicrophone()));
  const bob = await enter('Bob', 'poll');
  await movingVideo(ann, '#Bob-camera', {timeout: 30_000});
  await movingVideo(bob, '#Ann-camera', {timeout: 30_000});
  await bob.evaluate(() => room.localParticipant.sendChatMessage('hello'));
  await ann.waitForFunction(() => log.some(({event}) => event === 'chatMessage'));
  await ann.evaluate(() => room.disconnect());
  await bob.waitForFunction(() => room.remoteParticipants.size === 0);
  await close([ann, bob]);
});

test('a small picture asks for a small layer, and one that is not seen for nothing', async () => {
  const ann = await openModule(library, gateway, {});
  await ann.waitForFunction(() => window.room);
  await ann.evaluate(() => room.connect(undefined, {room: 'size', name: 'Ann'}).then(() => room.localParticipant.setCameraEnabled(true)));
  const bob = await enter('Bob', 'size', {publish: false});
  const style = css => bob.evaluate(css => Object.assign(document.querySelector('#Ann-camera').style, css), css);
  await bob.waitForSelector('#Ann-camera');
  await style({width: '1280px', height: '720px'});
  await movingVideo(bob, '#Ann-camera', {width: 1280, timeout: 40_000});
  await style({width: '160px', height: '90px'});
  await movingVideo(bob, '#Ann-camera', {width: 320, timeout: 20_000});
  const bytes = () => bob.evaluate(async () => {
    for (const one of (await connections.at(-1).getStats()).values()) if (one.type === 'inbound-rtp') return one.bytesReceived;
  });
  await style({display: 'none'});
  await until(async () => {
    const before = await bytes();
    await bob.waitForTimeout(400);
    return before === (await bytes());
  }, 'nothing comes');
  await style({display: ''});
  await movingVideo(bob, '#Ann-camera', {width: 320, timeout: 20_000});
  await close([ann, bob]);
});

test('an unplugged microphone is replaced by the next one, and the page is told', async () => {
  const ann = await enter('Ann', 'devices');
  const before = await ann.evaluate(() => {
    const {track} = room.localParticipant.getTrackPublication('microphone');
    window.was = track.mediaStreamTrack;
    was.stop();
    was.dispatchEvent(new Event('ended')); // what the browser tells when the device goes
    return was.id;
  });
  await ann.waitForFunction(() => log.some(({event, details}) => event === 'activeDeviceChanged' && details[0] === 'audioinput'));
  const now = await ann.evaluate(() => {
    const {track} = room.localParticipant.getTrackPublication('microphone');
    return {id: track.mediaStreamTrack.id, state: track.mediaStreamTrack.readyState, sent: track.sender.track === track.mediaStreamTrack};
  });
  assert.notEqual(now.id, before);
  assert.deepEqual([now.state, now.sent], ['live', true]);
  // Another camera, by choice
  await ann.evaluate(async () => {
    const cameras = await Room.getLocalDevices('videoinput');
    await room.switchActiveDevice('videoinput', cameras.at(-1).deviceId);
  });
  assert.equal(await ann.evaluate(() => room.localParticipant.getTrackPublication('camera').track.mediaStreamTrack.readyState), 'live');
  // And none left: muted, with the reason
  await ann.evaluate(() => {
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('none', 'NotFoundError'); };
    const {track} = room.localParticipant.getTrackPublication('microphone');
    track.mediaStreamTrack.dispatchEvent(new Event('ended'));
  });
  await ann.waitForFunction(() => log.some(({event}) => event === 'mediaDevicesError'));
  assert.equal(await ann.evaluate(() => room.localParticipant.isMicrophoneEnabled), false);
  await close([ann]);
});
