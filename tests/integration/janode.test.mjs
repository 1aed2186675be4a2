// Janode, unmodified, with peer connections of its users' kind.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import Janode from 'janode';
import EchoTest from 'janode/plugins/echotest';
import VideoRoom from 'janode/plugins/videoroom';
import {startGateway, until} from '../lib/gateway.mjs';
import {Peer, leave, makeMedia} from '../lib/wrtc.mjs';

Janode.Logger.setLevel('none');

let gateway, connection, session, media;
before(async () => {
  gateway = await startGateway();
  connection = await Janode.connect({is_admin: false, address: {url: gateway.ws}});
  session = await connection.create();
  media = makeMedia();
});
after(async () => {
  media?.stop();
  await connection?.close().catch(() => {});
  await gateway?.stop();
  leave();
});

const happened = (emitter, event) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error(`no ${event}`)), 15_000);
  emitter.once(event, detail => {
    clearTimeout(timer);
    resolve(detail);
  });
});

async function publish(room, display) {
  const handle = await session.attach(VideoRoom);
  const joined = await handle.joinPublisher({room, display});
  const peer = new Peer([media.audio, media.video]);
  const up = happened(handle, Janode.EVENT.HANDLE_WEBRTCUP);
  const {jsep} = await handle.publish({jsep: await peer.offer()});
  await peer.accept(jsep);
  await up;
  return {handle, peer, feed: joined.feed, joined};
}

async function subscribe(room, streams) {
  const handle = await session.attach(VideoRoom);
  const attached = await handle.joinSubscriber({room, streams});
  const peer = new Peer();
  const up = happened(handle, Janode.EVENT.HANDLE_WEBRTCUP);
  await handle.start({jsep: await peer.answer(attached.jsep)});
  await up;
  return {handle, peer, attached};
}

const frames = (peer, mid) => peer.sinks.get(mid)?.frames ?? 0;
const moreFrames = (peer, mid, count = 5) => {
  const start = frames(peer, mid);
  return until(() => frames(peer, mid) >= start + count, `${count} more frames on mid ${mid}`);
};

test('info names this gateway and its plugins', async () => {
  const info = await connection.getInfo();
  assert.match(info.name, /^Cardea/);
  assert.ok(Object.keys(info.plugins).some(name => name.endsWith('videoroom')));
});

test('the echo test returns picture and sound', async () => {
  const handle = await session.attach(EchoTest);
  const peer = new Peer([media.audio, media.video]);
  const {result, jsep} = await handle.start({audio: true, video: true, jsep: await peer.offer()});
  assert.equal(result, 'ok');
  await peer.accept(jsep);
  await moreFrames(peer, '1');
  await until(() => peer.sinks.get('0').loud > 10, 'sound');
  const hangup = happened(handle, Janode.EVENT.HANDLE_HANGUP);
  await handle.hangup();
  assert.equal((await hangup).reason, 'Janus API');
  peer.close();
  await handle.detach();
});

test('a room is created, listed, edited by its secret and destroyed', async () => {
  const handle = await session.attach(VideoRoom);
  const {room} = await handle.create({room: 77, description: 'seven', secret: 's', max_publishers: 2});
  assert.equal(room, 77);
  assert.equal((await handle.exists({room: 77})).exists, true);
  const listed = (await handle.list()).list.find(entry => entry.room === 77);
  assert.equal(listed.description, 'seven');
  assert.equal(listed.max_publishers, 2);
  await assert.rejects(handle.create({room: 77}), /^Error: 427 /);
  await assert.rejects(handle.destroy({room: 77, secret: 'wrong'}), /^Error: 433 /);
  assert.deepEqual((await handle.allow({room: 77, action: 'add', list: ['t1'], secret: 's'})).list, ['t1']);
  await assert.rejects(handle.enable_recording({room: 77, secret: 's', record: true}));
  await handle.destroy({room: 77, secret: 's'});
  assert.equal((await handle.exists({room: 77})).exists, false);
  await handle.detach();
});

test('people publish, are announced, subscribed to, paused, updated, switched and kicked', async () => {
  const manager = await session.attach(VideoRoom);
  await manager.create({room: 78, secret: 's', max_publishers: 6});
  const ann = await publish(78, 'ann');
  const announced = happened(ann.handle, VideoRoom.EVENT.VIDEOROOM_PUB_LIST);
  const bob = await publish(78); // without a name: Janode takes a kick that tells one for a change of name
  assert.equal((await announced).publishers[0].feed, bob.feed);
  assert.equal(bob.joined.publishers[0].feed, ann.feed);

  const sub = await subscribe(78, [{feed: ann.feed}]);
  assert.deepEqual(sub.attached.streams.map(({type, feed_id}) => [type, feed_id]), [['audio', ann.feed], ['video', ann.feed]]);
  await moreFrames(sub.peer, '1');
  await until(() => sub.peer.sinks.get('0').loud > 10, 'sound');

  await sub.handle.pause();
  await until(async () => {
    const before = frames(sub.peer, '1');
    await new Promise(resolve => setTimeout(resolve, 300));
    return before === frames(sub.peer, '1');
  }, 'no frames while paused');
  await sub.handle.start({});
  await moreFrames(sub.peer, '1');

  const updated = await sub.handle.update({subscribe: [{feed: bob.feed, mid: '1'}]});
  assert.equal(updated.streams.length, 3);
  await sub.handle.start({jsep: await sub.peer.answer(updated.jsep)});
  await moreFrames(sub.peer, '2');

  const without = await sub.handle.update({unsubscribe: [{feed: ann.feed, mid: '1'}]});
  assert.equal(without.streams.find(({mid}) => mid === '1').active, false);
  await sub.handle.start({jsep: await sub.peer.answer(without.jsep)});

  const switched = await sub.handle.switch({streams: [{feed: ann.feed, mid: '1', sub_mid: '2'}]});
  assert.equal(switched.streams.find(({mid}) => mid === '2').feed_id, ann.feed);
  await moreFrames(sub.peer, '2');

  await ann.handle.configure({bitrate: 128000});
  await sub.handle.configure({streams: [{mid: '2', send: false}]});
  await sub.handle.configure({streams: [{mid: '2', send: true}]});
  await moreFrames(sub.peer, '2');
  const restarted = await sub.handle.configure({restart: true});
  await sub.handle.start({jsep: await sub.peer.answer(restarted.jsep)});
  await moreFrames(sub.peer, '2');

  const {participants} = await manager.listParticipants({room: 78, secret: 's'});
  assert.deepEqual(participants.map(({display, publisher}) => [display, publisher]).sort(), [[undefined, true], ['ann', true]]);

  const kicked = happened(bob.handle, VideoRoom.EVENT.VIDEOROOM_LEAVING);
  const seen = happened(ann.handle, VideoRoom.EVENT.VIDEOROOM_KICKED);
  await manager.kick({room: 78, feed: bob.feed, secret: 's'});
  assert.equal((await seen).feed, bob.feed);
  await kicked;

  const unpublished = await ann.handle.unpublish();
  assert.equal(unpublished.feed, ann.feed);
  const left = await sub.handle.leave();
  assert.ok(left);
  await assert.rejects(ann.handle.joinPublisher({room: 78}), /^Error: 425 /);
  for (const {peer} of [ann, bob, sub]) peer.close();
  await manager.destroy({room: 78, secret: 's'});
});

test('fifty subscribers join at once and all get media', async t => {
  const manager = await session.attach(VideoRoom);
  await manager.create({room: 79, max_publishers: 1});
  const ann = await publish(79, 'ann');
  const began = performance.now();
  const times = await Promise.all(Array.from({length: 50}, async () => {
    const sub = await subscribe(79, [{feed: ann.feed, mid: '0'}]);
    await until(() => (sub.peer.sinks.get('0')?.loud ?? 0) > 0, 'sound', 60_000);
    const took = performance.now() - began;
    sub.peer.close();
    await sub.handle.detach();
    return took;
  }));
  times.sort((a, b) => a - b);
  t.diagnostic(`join to sound of 50 clients in one process: median ${times[25].toFixed(0)} ms, last ${times[49].toFixed(0)} ms`);
  ann.peer.close();
  await manager.destroy({room: 79});
});
