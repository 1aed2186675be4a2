// Janode, unmodified: every request of the video room and the echo test, by the method it has for it or by its message(), and
// what it makes of the answers.
import assert from 'node:assert/strict';
import {afterEach, before, test} from 'node:test';
import Janode from 'janode';
import EchoTest from 'janode/plugins/echotest';
import VideoRoom from 'janode/plugins/videoroom';
import {startGateway, until} from '../lib/gateway.mjs';
import {Client, frames, happened, listen, loud, moreFrames, moreSound, silent, still, told} from '../lib/janode.mjs';
import {Peer, lastly, makeMedia} from '../lib/wrtc.mjs';

const {VIDEOROOM_PUB_LIST, VIDEOROOM_PUB_PEER_JOINED, VIDEOROOM_UNPUBLISHED, VIDEOROOM_LEAVING, VIDEOROOM_KICKED, VIDEOROOM_DISPLAY,
  VIDEOROOM_TALKING, VIDEOROOM_UPDATED, VIDEOROOM_DESTROYED, VIDEOROOM_SC_SUBSTREAM_LAYER, VIDEOROOM_SC_TEMPORAL_LAYERS} = VideoRoom.EVENT;
const small = {width: 320, height: 240, fps: 15};
const error = code => new RegExp(`^Error: ${code} `);

let gateway, client, manager, media, sound, picture;
let people = []; // those who publish or watch in the test that runs
let number = 1000;
before(async () => {
  gateway = await startGateway({set: {'videoroom.general.permanent_without_key': true}});
  client = await Client.open(gateway);
  manager = await client.attach();
  media = makeMedia(small);
  ({audio: sound, video: picture} = media);
});
afterEach(async () => {
  for (const {handle, peer} of people.splice(0)) {
    peer?.close();
    await handle.detach().catch(() => {});
  }
});
lastly(async () => {
  media?.stop();
  await client?.close();
  await gateway?.stop();
});

/** A room of its own for a test. */
async function makeRoom(settings = {}) {
  const {room} = await client.ask(manager, {request: 'create', room: ++number, publishers: 6, ...settings});
  return room;
}
async function publish(room, tracks = [sound, picture], how) {
  const one = await client.publish(room, tracks, how);
  people.push(one);
  return one;
}
async function subscribe(room, how) {
  const one = await client.subscribe(room, how);
  people.push(one);
  return one;
}
async function join(room, how = {}) {
  const handle = await client.attach();
  const joined = await handle.joinPublisher({room, ...how});
  people.push({handle});
  return {handle, joined, feed: joined.feed};
}
const listed = async (room, key) => (await manager.list(key)).list.find(entry => entry.room === room);

test('info names this gateway and its plugins', async () => {
  const info = await client.connection.getInfo();
  assert.match(info.name, /^Cardea/);
  assert.ok(Object.keys(info.plugins).some(name => name.endsWith('videoroom')));
});

// --- the echo test ---

test('the echo test returns picture and sound, and stops when told', async () => {
  const handle = await client.attach(EchoTest);
  const peer = new Peer([sound, picture]);
  people.push({handle, peer});
  const {result, jsep} = await handle.start({audio: true, video: true, bitrate: 256000, jsep: await peer.offer()});
  assert.equal(result, 'ok');
  assert.equal(jsep.type, 'answer');
  await peer.accept(jsep);
  await moreFrames(peer, '1');
  await moreSound(peer, '0');
  assert.equal((await client.ask(handle, {audio: false, video: false})).result, 'ok');
  await still(peer, '1');
  await still(peer, '0');
  await client.ask(handle, {audio: true, video: true});
  await moreFrames(peer, '1');
  await moreSound(peer, '0');
  const done = happened(handle, EchoTest.EVENT.ECHOTEST_RESULT);
  const hangup = happened(handle, Janode.EVENT.HANDLE_HANGUP);
  await handle.hangup();
  assert.equal((await done).result, 'done');
  assert.equal((await hangup).reason, 'Janus API');
});

test('the echo test tells the layers of simulcast, and what is wrong with a request', async () => {
  const large = makeMedia({width: 960, height: 540, fps: 10});
  const handle = await client.attach(EchoTest);
  const heard = listen(handle);
  const peer = new Peer([large.video],
    {sendEncodings: [{rid: 'h'}, {rid: 'm', scaleResolutionDownBy: 2}, {rid: 'l', scaleResolutionDownBy: 4}]});
  people.push({handle, peer});
  const {jsep} = await handle.start({audio: true, video: true, jsep: await peer.offer()});
  await peer.accept(jsep);
  const wide = width => until(() => peer.sinks.get('0')?.width === width, `a picture ${width} wide`, 30_000);
  await wide(960);
  await client.ask(handle, {substream: 0});
  await wide(240);
  const change = await told(heard, event => event?.substream === 0 && event.temporal !== undefined, 'the change');
  assert.equal(change.videocodec, 'vp8');
  assert.ok(change.tot_temporal_layers >= 1);
  heard.length = 0;
  await client.ask(handle, {substream: 0}); // it is so already: told at once, perhaps after a change of the temporal layer
  const same = heard.find(event => event?.substream === 0 && event.temporal === undefined);
  assert.deepEqual(same, {echotest: 'event', videocodec: 'vp8', substream: 0});
  await assert.rejects(client.ask(handle, {substream: 7}), error(413));
  await assert.rejects(client.ask(handle, {}), error(413));
  await assert.rejects(client.ask(handle, {audio: 'yes'}), error(413));
  await assert.rejects(handle.start({audio: true, video: true, record: true, jsep: await peer.offer()}), error(413));
  large.stop();
});

test('the echo test forces codecs and restarts ICE', async () => {
  const handle = await client.attach(EchoTest);
  const peer = new Peer([picture]);
  people.push({handle, peer});
  const {plugindata, jsep} = await handle.message({audio: true, video: true, videocodec: 'vp9', bitrate: 0}, await peer.offer());
  assert.equal(plugindata.data.result, 'ok');
  assert.match(jsep.sdp, /a=rtpmap:\d+ VP9\/90000/);
  await peer.accept(jsep);
  await moreFrames(peer, '0');
  const ufrag = /a=ice-ufrag:(\S+)/;
  const again = await handle.start({audio: true, video: true, jsep: await peer.offer({iceRestart: true})});
  assert.notEqual(again.jsep.sdp.match(ufrag)[1], jsep.sdp.match(ufrag)[1]);
  await peer.accept(again.jsep);
  await moreFrames(peer, '0', 20);
});

// --- rooms ---

test('a room has what create said, and what edit changed', async () => {
  const made = await manager.create({
    room: 77, description: 'seven', secret: 's', pin: 'p', max_publishers: 2, bitrate: 300000, bitrate_cap: true, fir_freq: 10,
    audiocodec: 'opus,pcmu', videocodec: 'vp9,vp8', vp9_profile: '2', talking_events: true, talking_level_threshold: 40,
    talking_packets_threshold: 50, require_pvtid: true, notify_joining: true, require_e2ee: true, videoorient: false, threads: 2,
  });
  assert.deepEqual(made, {room: 77, permanent: false});
  const {opus_fec, ...entry} = await listed(77);
  assert.equal(opus_fec, true);
  assert.deepEqual(entry, {
    room: 77, description: 'seven', pin_required: true, is_private: false, max_publishers: 2, bitrate: 300000, bitrate_cap: true,
    fir_freq: 10, require_pvtid: true, require_e2ee: true, dummy_publisher: false, notify_joining: true, audiocodec: 'opus,pcmu',
    videocodec: 'vp9,vp8', record: false, lock_record: false, num_participants: 0, audiolevel_ext: true, audiolevel_event: true,
    audio_active_packets: 50, audio_level_average: 40, videoorient_ext: false, playoutdelay_ext: true, transport_wide_cc_ext: true,
  });
  await assert.rejects(manager.create({room: 77}), error(427));
  await assert.rejects(manager.create({room: 76, videocodec: 'vp7'}), error(430));

  const edit = {request: 'edit', room: 77, new_description: 'eight', new_publishers: 9, new_bitrate: 500000, new_require_pvtid: false};
  await assert.rejects(client.ask(manager, edit), error(429));
  await assert.rejects(client.ask(manager, {...edit, secret: 'x'}), error(433));
  assert.deepEqual(await client.ask(manager, {...edit, secret: 's'}), {videoroom: 'edited', room: 77, permanent: false});
  const changed = await listed(77);
  assert.deepEqual([changed.description, changed.max_publishers, changed.bitrate, changed.require_pvtid], ['eight', 9, 500000, false]);

  await assert.rejects(manager.destroy({room: 77, secret: 'wrong'}), error(433));
  assert.deepEqual(await manager.destroy({room: 77, secret: 's'}), {room: 77});
  assert.deepEqual(await manager.exists({room: 77}), {room: 77, exists: false});
  await assert.rejects(manager.destroy({room: 77}), error(426));
});

test('a room gets an id where none was given, and can be kept', async () => {
  const {room, permanent} = await manager.create({permanent: true});
  assert.ok(Number.isSafeInteger(room) && room > 0);
  assert.equal(permanent, true);
  assert.deepEqual(await manager.exists({room}), {room, exists: true});
  await manager.destroy({room, permanent: true});
});

test('a destroyed room ends the calls in it', async () => {
  const room = await makeRoom();
  const ann = await publish(room);
  const destroyed = happened(ann.handle, VIDEOROOM_DESTROYED);
  const hangup = happened(ann.handle, Janode.EVENT.HANDLE_HANGUP);
  await manager.destroy({room});
  assert.deepEqual(await destroyed, {room});
  assert.equal((await hangup).reason, 'Close PC');
  await assert.rejects(ann.handle.configure({bitrate: 1}), error(426));
});

test('tokens guard the door for publishers', async () => {
  const room = await makeRoom({secret: 's'});
  assert.deepEqual((await manager.allow({room, action: 'add', list: ['one', 'two'], secret: 's'})), {room, list: ['one', 'two']});
  assert.deepEqual((await manager.allow({room, action: 'remove', list: ['two'], secret: 's'})).list, ['one']);
  await assert.rejects(manager.allow({room, action: 'add', list: ['three']}), error(429));
  await assert.rejects(manager.allow({room, action: 'dance', secret: 's'}), error(430));
  await join(room); // the list does not count yet
  assert.deepEqual((await manager.allow({room, action: 'enable', secret: 's'})).list, ['one']);
  await assert.rejects(join(room), error(433));
  await assert.rejects(join(room, {token: 'two'}), error(433));
  await join(room, {token: 'one'});
  assert.equal((await client.ask(manager, {request: 'allowed', room, action: 'disable', secret: 's'})).allowed, undefined);
  await join(room);
  assert.deepEqual((await manager.allow({room, action: 'enable', secret: 's'})).list, ['one']);
});

test('ids can be strings, and an admin key guards making and listing rooms', async () => {
  const texts = await startGateway({files: {'videoroom.cfg': 'general: { string_ids = true; admin_key = "key"; };'}});
  const other = await Client.open(texts);
  try {
    const handle = await other.attach();
    await assert.rejects(handle.create({room: 'lounge'}), error(429));
    await assert.rejects(handle.create({room: 'lounge', admin_key: 'no'}), error(433));
    await assert.rejects(handle.create({room: 7, admin_key: 'key'}), error(430));
    assert.deepEqual(await handle.create({room: 'lounge', admin_key: 'key', is_private: true}), {room: 'lounge', permanent: false});
    const rooms = async options => (await handle.list(options)).list.map(({room}) => room);
    assert.deepEqual(await rooms(), ['1234']);
    assert.deepEqual(await rooms({admin_key: 'key'}), ['1234', 'lounge']);
    await assert.rejects(handle.list({admin_key: 'no'}), error(433));
    const made = await handle.create({admin_key: 'key'});
    assert.match(made.room, /./);

    const ann = await other.publish('lounge', [sound], {join: {feed: 'ann', display: 'Ann'}});
    assert.equal(ann.feed, 'ann');
    assert.deepEqual((await handle.listParticipants({room: 'lounge'})).participants, [{feed: 'ann', display: 'Ann', publisher: true, talking: false}]);
    const bob = await other.subscribe('lounge', {streams: [{feed: 'ann', mid: '0'}]});
    assert.equal(bob.attached.streams[0].feed_id, 'ann');
    await moreSound(bob.peer, '0');
    await assert.rejects(handle.exists({room: 1234}), error(430));
    for (const {peer} of [ann, bob]) peer.close();
  } finally {
    await other.close();
    await texts.stop();
  }
});

test('private rooms are not listed, and pins guard both doors', async () => {
  const room = await makeRoom({is_private: true, pin: '42'});
  assert.equal(await listed(room), undefined);
  await assert.rejects(join(room), error(429));
  await assert.rejects(join(room, {pin: '43'}), error(433));
  const ann = await publish(room, [sound], {join: {pin: '42'}});
  await assert.rejects(subscribe(room, {streams: [{feed: ann.feed}]}), error(429));
  await assert.rejects(subscribe(room, {streams: [{feed: ann.feed}], pin: 'x'}), error(433));
  const bob = await subscribe(room, {streams: [{feed: ann.feed}], pin: '42'});
  await moreSound(bob.peer, '0');
});

test('what is not there is refused by name', async () => {
  const room = await makeRoom({secret: 's'});
  await assert.rejects(manager.enable_recording({room, secret: 's', record: true}), /^Error: 499 Recording is not available/);
  await assert.rejects(manager.enable_recording({room, secret: 'x', record: true}), error(433));
  assert.deepEqual(await manager.enable_recording({room, secret: 's', record: false}), {record: false, room});
  await assert.rejects(manager.startForward({room, feed: 1, host: '127.0.0.1', audio_port: 9, secret: 's'}), error(499));
  await assert.rejects(manager.stopForward({room, feed: 1, stream: 1, secret: 's'}), error(499));
  await assert.rejects(manager.listForward({room, secret: 's'}), error(499));
  await assert.rejects(client.ask(manager, {request: 'nonsense'}), error(423));
  const ann = await join(room);
  const peer = new Peer([sound]);
  await assert.rejects(ann.handle.publish({record: true, jsep: await peer.offer()}), error(499));
  peer.close();
});

// --- those who publish ---

test('who joins is told of, and hears who publishes', async () => {
  const room = await makeRoom({notify_joining: true, audiolevel_event: true, description: 'hall'});
  const ann = await publish(room, [sound, picture], {join: {feed: 7, display: 'Ann'}});
  assert.equal(ann.feed, 7);
  const told = happened(ann.handle, VIDEOROOM_PUB_PEER_JOINED);
  const {handle, joined} = await join(room, {display: 'Bob'});
  assert.deepEqual(await told, {room, feed: joined.feed, display: 'Bob'});
  const {private_id, publishers: [{talking, streams: [voice, camera], ...seen}], ...rest} = joined;
  assert.ok(private_id > 0 && private_id < 2 ** 32);
  assert.deepEqual(rest, {room, feed: joined.feed, description: 'hall', display: 'Bob'});
  assert.deepEqual(seen, {feed: 7, display: 'Ann', audiocodec: 'opus', videocodec: 'vp8'});
  assert.equal(typeof talking, 'boolean');
  assert.equal(typeof voice.talking, 'boolean');
  delete voice.talking;
  assert.deepEqual(voice, {type: 'audio', mindex: 0, mid: '0', codec: 'opus', fec: true});
  assert.deepEqual(camera, {type: 'video', mindex: 1, mid: '1', codec: 'vp8'});
  await assert.rejects(join(room, {feed: 7}), error(436));
  await assert.rejects(handle.joinPublisher({room}), error(425));
  await assert.rejects(join(++number), error(426));
  const raw = await client.ask(await client.attach(), {request: 'join', ptype: 'publisher', room, metadata: {seat: 3}});
  assert.deepEqual(raw.attendees, [{id: joined.feed, display: 'Bob'}]);
});

test('publishing tells what was agreed on, and the others when media is up', async () => {
  const room = await makeRoom();
  const watcher = await join(room);
  const announced = happened(watcher.handle, VIDEOROOM_PUB_LIST);
  const ann = await publish(room, [sound, picture],
    {join: {display: 'Ann'}, publish: {bitrate: 300000, descriptions: [{mid: '1', description: 'camera'}]}});
  const {jsep, streams, ...rest} = ann.published;
  assert.equal(jsep.type, 'answer');
  assert.deepEqual(rest, {room, feed: ann.feed, configured: 'ok'});
  const ids = text => Object.fromEntries([...text.matchAll(/^a=extmap:(\d+) (\S+)/gm)].map(([, id, uri]) => [uri, Number(id)]));
  const offered = ann.peer.pc.localDescription.sdp.split(/^(?=m=)/m).slice(1).map(ids);
  assert.deepEqual(streams, [
    {type: 'audio', mindex: 0, mid: '0', codec: 'opus', fec: true, audiolevel_ext_id: offered[0]['urn:ietf:params:rtp-hdrext:ssrc-audio-level']},
    {type: 'video', mindex: 1, mid: '1', description: 'camera', codec: 'vp8', videoorient_ext_id: offered[1]['urn:3gpp:video-orientation'],
      playoutdelay_ext_id: offered[1]['http://www.webrtc.org/experiments/rtp-hdrext/playout-delay']},
  ]);
  const {room: where, publishers: [seen]} = await announced;
  assert.equal(where, room);
  assert.deepEqual(seen, {feed: ann.feed, display: 'Ann', audiocodec: 'opus', videocodec: 'vp8', streams: [
    {type: 'audio', mindex: 0, mid: '0', codec: 'opus', fec: true},
    {type: 'video', mindex: 1, mid: '1', description: 'camera', codec: 'vp8'},
  ]});
  await assert.rejects(ann.handle.publish({jsep: await ann.peer.offer()}), error(434));
});

test('joining and publishing is one request', async () => {
  const room = await makeRoom();
  const handle = await client.attach();
  const peer = new Peer([sound, picture]);
  people.push({handle, peer});
  const up = happened(handle, Janode.EVENT.HANDLE_WEBRTCUP);
  const joined = await handle.joinConfigurePublisher({room, display: 'Ann', bitrate: 200000, audio: true, video: true, jsep: await peer.offer()});
  assert.equal(joined.jsep.type, 'answer');
  assert.deepEqual(joined.publishers, []);
  assert.equal(joined.display, 'Ann');
  await peer.accept(joined.jsep);
  await up;
  const watcher = await subscribe(room, {streams: [{feed: joined.feed}]});
  await moreFrames(watcher.peer, '1');
});

test('codecs follow the room, and a publisher may choose among them', async () => {
  const room = await makeRoom({audiocodec: 'pcmu,opus', videocodec: 'av1,vp9,vp8'});
  const codecs = one => one.published.streams.map(({codec}) => codec);
  assert.deepEqual(codecs(await publish(room)), ['pcmu', 'av1']);
  const bob = await join(room);
  const peer = new Peer([sound, picture]);
  people.push({handle: bob.handle, peer});
  await assert.rejects(client.ask(bob.handle, {request: 'publish', videocodec: 'h264'}, await peer.offer()), error(430));
  const {streams, audio_codec, video_codec} = await client.ask(bob.handle, {request: 'publish', audiocodec: 'opus', videocodec: 'vp8'}, await peer.offer());
  assert.deepEqual(streams.map(({codec}) => codec), ['opus', 'vp8']);
  assert.deepEqual([audio_codec, video_codec], ['opus', 'vp8']);
});

test('only so many publish at a time, and who unpublishes makes room', async () => {
  const room = await makeRoom({publishers: 1});
  const ann = await publish(room, [sound], {join: {display: 'Ann'}});
  const bob = await join(room);
  const peer = new Peer([sound]);
  people.push({handle: bob.handle, peer});
  await assert.rejects(bob.handle.publish({jsep: await peer.offer()}), error(432));
  const told = happened(bob.handle, VIDEOROOM_UNPUBLISHED);
  const hangup = happened(ann.handle, Janode.EVENT.HANDLE_HANGUP);
  assert.deepEqual(await ann.handle.unpublish(), {room, feed: ann.feed});
  assert.deepEqual(await told, {room, feed: ann.feed, display: 'Ann'});
  assert.equal((await hangup).reason, 'Close PC');
  await assert.rejects(ann.handle.unpublish(), error(435));
  const up = happened(bob.handle, Janode.EVENT.HANDLE_WEBRTCUP);
  await peer.accept((await bob.handle.publish({jsep: await peer.offer()})).jsep);
  await up;
  const again = new Peer([sound]);
  await assert.rejects(ann.handle.publish({jsep: await again.offer()}), error(432));
  again.close();
});

test('configure changes what a publisher is and sends', async () => {
  const room = await makeRoom();
  const ann = await publish(room, [sound, picture], {join: {display: 'Ann'}});
  const bob = await subscribe(room, {streams: [{feed: ann.feed}]});
  const other = await join(room);
  await moreFrames(bob.peer, '1');
  await moreSound(bob.peer, '0');

  const renamed = happened(other.handle, VIDEOROOM_DISPLAY);
  assert.deepEqual(await ann.handle.configure({display: 'Anna', bitrate: 128000}), {room, feed: ann.feed, configured: 'ok', display: 'Anna'});
  assert.deepEqual(await renamed, {feed: ann.feed, display: 'Anna'});

  await ann.handle.configure({streams: [{mid: '1', send: false}]});
  await still(bob.peer, '1');
  await moreSound(bob.peer, '0');
  await ann.handle.configure({audio: false, video: true});
  await still(bob.peer, '0');
  await moreFrames(bob.peer, '1');
  await ann.handle.configure({audio: true, keyframe: true});
  await moreSound(bob.peer, '0');
  await until(async () => (await ann.peer.stats('outbound-rtp', 'video'))[0].pliCount > 1, 'a keyframe is asked for');

  const shown = happened(other.handle, VIDEOROOM_PUB_LIST);
  await ann.handle.configure({descriptions: [{mid: '0', description: 'microphone'}]});
  assert.equal((await shown).publishers[0].streams[0].description, 'microphone');
  await assert.rejects(ann.handle.configure({streams: [{mid: '9', send: false}]}), error(428));
  await assert.rejects(ann.handle.configure({streams: [{send: false}, {mid: '0', send: false}]}), error(430));
  await assert.rejects(client.ask(ann.handle, {request: 'start'}), error(423));
});

test('a bitrate cap is told to the publisher, and holds', async () => {
  const room = await makeRoom({bitrate: 150000, bitrate_cap: true});
  const ann = await publish(room);
  assert.match(ann.published.jsep.sdp, /b=TIAS:150000/);
  const most = async () => Math.max(...(await ann.peer.stats('candidate-pair')).map(({availableOutgoingBitrate}) => availableOutgoingBitrate ?? 0));
  await until(async () => (await most()) > 0 && (await most()) <= 150000, 'the estimate is capped');
  await ann.handle.configure({bitrate: 100000});
  await until(async () => (await most()) <= 100000, 'the estimate follows');
  await ann.handle.configure({bitrate: 2000000}); // more than the room allows
  await until(async () => (await most()) > 100000, 'the estimate rises', 30_000);
  assert.ok((await most()) <= 150000);
});

test('keyframes are asked for as often as the room says', async () => {
  const room = await makeRoom({fir_freq: 1});
  const ann = await publish(room, [picture]);
  const asked = async () => {
    const [{pliCount, firCount}] = await ann.peer.stats('outbound-rtp', 'video');
    return pliCount + firCount;
  };
  const before = await asked();
  await until(async () => (await asked()) >= before + 3, 'three more keyframe requests without a subscriber');
});

test('tracks come and go by renegotiation, and ICE restarts', async () => {
  const room = await makeRoom();
  const ann = await publish(room, [sound, picture]);
  const bob = await subscribe(room, {streams: [{feed: ann.feed}]});
  const other = await join(room);
  const extra = makeMedia({width: 160, height: 120, fps: 10});
  const transceiver = ann.peer.add(extra.video);
  let shown = happened(other.handle, VIDEOROOM_PUB_LIST);
  const more = await ann.handle.configure({jsep: await ann.peer.offer(), descriptions: [{mid: '2', description: 'second'}]});
  await ann.peer.accept(more.jsep);
  assert.deepEqual(more.streams.map(({mid, type}) => [mid, type]), [['0', 'audio'], ['1', 'video'], ['2', 'video']]);
  assert.equal((await shown).publishers[0].streams[2].description, 'second');
  const updated = await bob.handle.update({subscribe: [{feed: ann.feed, mid: '2'}]});
  await bob.handle.start({jsep: await bob.peer.answer(updated.jsep)});
  await until(() => bob.peer.sinks.get('2')?.width === 160, 'the second picture');

  shown = happened(other.handle, VIDEOROOM_PUB_LIST);
  const lost = happened(bob.handle, VIDEOROOM_UPDATED);
  transceiver.stop();
  const less = await ann.handle.configure({jsep: await ann.peer.offer()});
  await ann.peer.accept(less.jsep);
  assert.deepEqual((await shown).publishers[0].streams[2], {type: 'video', mindex: 2, mid: '2', disabled: true});
  const {streams, jsep} = await lost;
  assert.equal(streams[2].active, false);
  await bob.handle.start({jsep: await bob.peer.answer(jsep)});

  const restarted = await ann.handle.configure({jsep: await ann.peer.offer({iceRestart: true})});
  assert.notEqual(restarted.jsep.sdp.match(/ice-ufrag:(\S+)/)[1], ann.published.jsep.sdp.match(/ice-ufrag:(\S+)/)[1]);
  await ann.peer.accept(restarted.jsep);
  await moreFrames(bob.peer, '1', 20);
  extra.stop();
});

test('who talks is told to everyone', async () => {
  const room = await makeRoom({audiolevel_event: true, audio_active_packets: 20, audio_level_average: 60});
  const other = await join(room);
  const talking = happened(other.handle, VIDEOROOM_TALKING, ({talking}) => talking);
  const ann = await publish(room, [sound]);
  const {audio_level, ...rest} = await talking;
  assert.deepEqual(rest, {room, feed: ann.feed, talking: true, mid: '0'});
  assert.ok(audio_level > 0 && audio_level < 60, `${audio_level} dBov`);
  assert.equal((await manager.listParticipants({room})).participants.find(({feed}) => feed === ann.feed).talking, true);
  const stopped = happened(other.handle, VIDEOROOM_TALKING, ({talking}) => !talking);
  const own = happened(ann.handle, VIDEOROOM_TALKING, ({talking}) => !talking);
  ann.peer.pc.getSenders()[0].track.enabled = false; // silence is sent
  try {
    assert.equal((await stopped).feed, ann.feed);
    await own;
  } finally {
    sound.enabled = true;
  }
});

test('a moderator mutes, and everyone is told', async () => {
  const room = await makeRoom({secret: 's'});
  const ann = await publish(room, [sound]);
  const heard = listen(ann.handle);
  const bob = await subscribe(room, {streams: [{feed: ann.feed}]});
  await moreSound(bob.peer, '0');
  const moderate = {request: 'moderate', room, id: ann.feed, mid: '0', mute: true};
  await assert.rejects(client.ask(manager, moderate), error(429));
  assert.deepEqual(await client.ask(manager, {...moderate, secret: 's'}), {videoroom: 'success'});
  assert.deepEqual(await told(heard, event => event.moderation, 'the word'),
    {videoroom: 'event', room, id: ann.feed, mid: '0', moderation: 'muted'});
  await still(bob.peer, '0');
  await ann.handle.configure({audio: true}); // does not help
  await still(bob.peer, '0');
  await client.ask(manager, {...moderate, mute: false, secret: 's'});
  assert.equal((await told(heard, event => event.moderation, 'the word')).moderation, 'unmuted');
  await moreSound(bob.peer, '0');
  await assert.rejects(client.ask(manager, {...moderate, mid: '5', secret: 's'}), error(428));
});

test('who leaves or is kicked is gone, and everyone is told', async () => {
  const room = await makeRoom({secret: 's'});
  const ann = await publish(room, [sound], {join: {display: 'Ann'}});
  // Without a name: Janode takes a kick that tells one for a change of name.
  const bob = await publish(room, [sound]);
  const cem = await join(room, {display: 'Cem'});
  assert.deepEqual((await manager.listParticipants({room})).participants.toSorted((a, b) => a.feed - b.feed), [
    {feed: ann.feed, display: 'Ann', publisher: true, talking: false},
    {feed: bob.feed, display: undefined, publisher: true, talking: false},
    {feed: cem.feed, display: 'Cem', publisher: false},
  ].toSorted((a, b) => a.feed - b.feed));

  await assert.rejects(manager.kick({room, feed: bob.feed}), error(429));
  await assert.rejects(manager.kick({room, feed: 12345, secret: 's'}), error(428));
  const out = happened(bob.handle, VIDEOROOM_LEAVING);
  const hangup = happened(bob.handle, Janode.EVENT.HANDLE_HANGUP);
  const seen = happened(cem.handle, VIDEOROOM_KICKED);
  assert.deepEqual(await manager.kick({room, feed: bob.feed, secret: 's'}), {room, feed: bob.feed});
  assert.deepEqual(await out, {room, feed: bob.feed, reason: 'kicked'});
  assert.deepEqual(await seen, {room, feed: bob.feed});
  assert.equal((await hangup).reason, 'Close PC');
  const again = new Peer([sound]);
  await assert.rejects(bob.handle.publish({jsep: await again.offer()}), error(426));
  again.close();

  const left = happened(cem.handle, VIDEOROOM_LEAVING);
  assert.deepEqual(await ann.handle.leave(), {room, feed: ann.feed});
  assert.deepEqual(await left, {room, feed: ann.feed, display: 'Ann'});
  await assert.rejects(ann.handle.joinPublisher({room}), error(425));
  assert.deepEqual((await manager.listParticipants({room})).participants, [{feed: cem.feed, display: 'Cem', publisher: false}]);
});

test('end-to-end encryption is told on, can be required, and does not mix', async () => {
  const room = await makeRoom({require_e2ee: true});
  await assert.rejects(publish(room, [sound]), error(433));
  const ann = await publish(room, [sound], {publish: {e2ee: true}});
  assert.equal(ann.published.e2ee, true);
  const bob = await subscribe(room, {streams: [{feed: ann.feed}]});
  assert.equal(bob.attached.e2ee, true);

  const mixed = await makeRoom();
  const plain = await publish(mixed, [sound]);
  const secret = await publish(mixed, [sound], {publish: {e2ee: true}});
  assert.equal(plain.published.e2ee, undefined);
  await assert.rejects(subscribe(mixed, {streams: [{feed: plain.feed}, {feed: secret.feed}]}), error(438));
});

test('a dummy publisher holds m-lines ready for those who come', async () => {
  const room = await makeRoom({dummy_publisher: true, dummy_streams: [{codec: 'opus'}, {codec: 'vp8'}], notify_joining: true});
  const ann = await publish(room);
  const {feed, streams} = ann.joined.publishers[0];
  assert.deepEqual(streams.map(({type, codec}) => [type, codec]), [['audio', 'opus'], ['video', 'vp8']]);
  const bob = await subscribe(room, {streams: [{feed}]});
  await silent(bob.handle, VIDEOROOM_UPDATED);
  const {streams: switched} = await bob.handle.switch({streams: [
    {feed: ann.feed, mid: '0', sub_mid: '0'}, {feed: ann.feed, mid: '1', sub_mid: '1'}]});
  assert.deepEqual(switched.map(({feed_id}) => feed_id), [ann.feed, ann.feed]);
  await moreFrames(bob.peer, '1');
  await moreSound(bob.peer, '0');
});

// --- those who watch ---

test('a subscriber is told what it gets, pauses and starts again', async () => {
  const room = await makeRoom();
  const ann = await publish(room, [sound, picture], {publish: {display: 'Ann', descriptions: [{mid: '1', description: 'camera'}]}});
  await client.ask(ann.handle, {request: 'configure', metadata: {seat: 3}});
  const bob = await subscribe(room, {streams: [{feed: ann.feed, mid: '0', crossrefid: 'x'}, {feed: ann.feed, mid: '1'}]});
  const {jsep, streams, ...rest} = bob.attached;
  assert.equal(jsep.type, 'offer');
  assert.deepEqual(rest, {room});
  const common = {active: true, ready: false, send: true, feed_id: ann.feed, feed_display: 'Ann', feed_metadata: {seat: 3}};
  assert.deepEqual(streams, [
    {type: 'audio', mindex: 0, mid: '0', crossrefid: 'x', feed_mid: '0', codec: 'opus', ...common},
    {type: 'video', mindex: 1, mid: '1', feed_mid: '1', feed_description: 'camera', codec: 'vp8', ...common},
  ]);
  assert.deepEqual(bob.started, {room, started: 'ok'});
  await moreFrames(bob.peer, '1');
  await moreSound(bob.peer, '0');
  assert.deepEqual(await bob.handle.pause(), {room, paused: 'ok'});
  await still(bob.peer, '1');
  await still(bob.peer, '0');
  assert.deepEqual(await bob.handle.start({}), {room, started: 'ok'});
  await moreFrames(bob.peer, '1');
  await moreSound(bob.peer, '0');

  const hangup = happened(bob.handle, Janode.EVENT.HANDLE_HANGUP);
  assert.deepEqual(await bob.handle.leave(), {room});
  assert.equal((await hangup).reason, 'Close PC');
  await assert.rejects(bob.handle.joinSubscriber({room, streams: [{feed: ann.feed}]}), error(425));
  await assert.rejects(bob.handle.pause(), error(426));
});

test('what cannot be watched is refused', async () => {
  const room = await makeRoom({require_pvtid: true});
  const ann = await publish(room, [sound]);
  const {joined: {private_id, feed: idle}} = await join(room);
  const how = streams => ({streams, private_id});
  await assert.rejects(subscribe(room, {streams: [{feed: ann.feed}]}), error(433));
  await assert.rejects(subscribe(room, {streams: [{feed: ann.feed}], private_id: 5}), error(433));
  await assert.rejects(subscribe(room, how([{feed: idle}])), error(428));
  await assert.rejects(subscribe(room, how([{feed: ann.feed, mid: '9'}])), error(428));
  await assert.rejects(subscribe(room, how([{mid: '0'}])), error(429));
  const bob = await subscribe(room, how([{feed: ann.feed}]));
  await moreSound(bob.peer, '0');
  await assert.rejects(bob.handle.update({subscribe: [{feed: 424242}]}), error(428));
  await assert.rejects(bob.handle.update({}), error(429));
  await assert.rejects(client.ask(bob.handle, {request: 'publish'}), error(423));
});

test('the older form watches one feed, switches to another, and says how to relay', async () => {
  const room = await makeRoom();
  const [ann, bob] = [await publish(room, [sound, picture], {join: {display: 'Ann'}}), await publish(room)];
  const cem = await subscribe(room, {feed: ann.feed, offer_video: false});
  const {feed, display, streams} = cem.attached;
  assert.deepEqual([feed, display, streams.map(({type}) => type)], [ann.feed, 'Ann', ['audio']]);
  await moreSound(cem.peer, '0');

  const dan = await subscribe(room, {feed: ann.feed, audio: false});
  assert.deepEqual(dan.attached.streams.map(({send}) => send), [false, true]);
  await moreFrames(dan.peer, '1');
  assert.equal(loud(dan.peer, '0'), 0);
  await dan.handle.configure({audio: true, video: false});
  await moreSound(dan.peer, '0');
  await still(dan.peer, '1');
  await dan.handle.configure({video: true});
  const switched = await dan.handle.switch({to_feed: bob.feed});
  assert.equal(switched.switched, 'ok');
  assert.deepEqual(switched.streams.map(({feed_id}) => feed_id), [bob.feed, bob.feed]);
  await moreFrames(dan.peer, '1');
  await assert.rejects(dan.handle.switch({to_feed: 4242}), error(428));
});

test('streams are added, taken out and fed from elsewhere', async () => {
  const room = await makeRoom();
  const [ann, bob] = [await publish(room), await publish(room)];
  const cem = await subscribe(room, {streams: [{feed: ann.feed}]});
  const start = async jsep => cem.handle.start({jsep: await cem.peer.answer(jsep)});
  const sources = streams => streams.map(({active, feed_id, feed_mid}) => active && `${feed_id === ann.feed ? 'ann' : 'bob'} ${feed_mid}`);

  const more = await cem.handle.update({subscribe: [{feed: bob.feed, mid: '1'}]});
  assert.deepEqual(sources(more.streams), ['ann 0', 'ann 1', 'bob 1']);
  await start(more.jsep);
  await moreFrames(cem.peer, '2');

  const added = await client.ask(cem.handle, {request: 'subscribe', streams: [{feed: bob.feed, mid: '0'}]});
  assert.deepEqual(sources(added.streams), ['ann 0', 'ann 1', 'bob 1', 'bob 0']);
  await start(added.jsep);
  await moreSound(cem.peer, '3');

  const dropped = await client.ask(cem.handle, {request: 'unsubscribe', streams: [{feed: ann.feed, mid: '1'}, {sub_mid: '3'}, {sub_mid: '77'}]});
  assert.deepEqual(sources(dropped.streams), ['ann 0', false, 'bob 1', false]);
  await start(dropped.jsep);
  await still(cem.peer, '1');

  // Both at once; the line that is free is used again.
  const both = await cem.handle.update({subscribe: [{feed: bob.feed, mid: '1'}], unsubscribe: [{sub_mid: '2'}]});
  assert.deepEqual(sources(both.streams), ['ann 0', 'bob 1', false, false]);
  await start(both.jsep);
  await moreFrames(cem.peer, '1');
  const nothing = await cem.handle.update({unsubscribe: [{feed: 4242}]});
  assert.deepEqual(nothing, {room, streams: undefined});

  // While an offer is out, the next one waits for its answer.
  const first = await cem.handle.update({subscribe: [{feed: ann.feed, mid: '1'}]});
  assert.deepEqual(await cem.handle.update({subscribe: [{feed: bob.feed, mid: '0'}]}), {room, streams: undefined});
  const next = happened(cem.handle, VIDEOROOM_UPDATED);
  await start(first.jsep);
  const {streams, jsep} = await next;
  assert.deepEqual(sources(streams), ['ann 0', 'bob 1', 'ann 1', 'bob 0']);
  await start(jsep);
  await moreFrames(cem.peer, '2');
  await moreSound(cem.peer, '3');

  const switched = await cem.handle.switch({streams: [{feed: ann.feed, mid: '1', sub_mid: '1'}, {feed: ann.feed, mid: '0', sub_mid: '1'}]});
  assert.equal(switched.switched, 'ok');
  assert.deepEqual(sources(switched.streams), ['ann 0', 'ann 1', 'ann 1', 'bob 0']);
  await moreFrames(cem.peer, '1');
  await assert.rejects(cem.handle.switch({streams: [{feed: ann.feed, mid: '0'}]}), error(429));
});

test('a subscriber configures its lines, and asks for offers and ICE restarts', async () => {
  const room = await makeRoom();
  const ann = await publish(room);
  const bob = await subscribe(room, {streams: [{feed: ann.feed}]});
  await moreFrames(bob.peer, '1');
  assert.deepEqual(await bob.handle.configure({streams: [{mid: '1', send: false}]}), {room, configured: 'ok'});
  await still(bob.peer, '1');
  await bob.handle.configure({streams: [{mid: '1', send: true}]});
  await moreFrames(bob.peer, '1');
  const {jsep} = await bob.handle.configure({update: true});
  assert.equal(jsep.type, 'offer');
  await bob.handle.start({jsep: await bob.peer.answer(jsep)});
  const restarted = await bob.handle.configure({restart: true});
  assert.notEqual(restarted.jsep.sdp.match(/ice-ufrag:(\S+)/)[1], jsep.sdp.match(/ice-ufrag:(\S+)/)[1]);
  await bob.handle.start({jsep: await bob.peer.answer(restarted.jsep)});
  await moreFrames(bob.peer, '1', 20);
  await moreSound(bob.peer, '0');
  await assert.rejects(bob.handle.configure({streams: [{mid: '7', send: false}]}), error(428));
});

test('a subscriber chooses the layers of simulcast', async () => {
  const large = makeMedia({width: 960, height: 540, fps: 10});
  const room = await makeRoom();
  const ann = await publish(room, [large.video],
    {simulcast: [{rid: 'h'}, {rid: 'm', scaleResolutionDownBy: 2}, {rid: 'l', scaleResolutionDownBy: 4}]});
  assert.equal(ann.published.streams[0].simulcast, true);
  const bob = await subscribe(room, {streams: [{feed: ann.feed}]});
  assert.deepEqual(bob.attached.streams[0].simulcast,
    {substream: -1, 'substream-target': 2, 'temporal-layer': -1, 'temporal-layer-target': 2, fallback: 250000});
  const wide = width => until(() => bob.peer.sinks.get('0')?.width === width, `a picture ${width} wide`, 30_000);
  await wide(960);
  for (const [layer, width] of [[0, 240], [1, 480]]) {
    const change = happened(bob.handle, VIDEOROOM_SC_SUBSTREAM_LAYER, ({sc_substream_layer}) => sc_substream_layer === layer, 30_000);
    await bob.handle.configure({sc_substream_layer: layer});
    await wide(width);
    assert.deepEqual(await change, {room, mid: '0', sc_substream_layer: layer});
  }
  const slower = happened(bob.handle, VIDEOROOM_SC_TEMPORAL_LAYERS, ({sc_temporal_layers}) => sc_temporal_layers === 0);
  await bob.handle.configure({streams: [{mid: '0', temporal: 0, fallback: 400000}]});
  assert.equal((await slower).mid, '0');
  const cem = await subscribe(room, {feed: ann.feed, sc_substream_layer: 0});
  await until(() => cem.peer.sinks.get('0')?.width === 240, 'the lowest from the start', 30_000);
  assert.equal(bob.peer.sinks.get('0').width, 480);
  large.stop();
});

test('what a subscriber watched and is gone is offered away, unless it wants no such offers', async () => {
  const room = await makeRoom();
  const ann = await publish(room, [sound]);
  const bob = await subscribe(room, {streams: [{feed: ann.feed}]});
  const cem = await subscribe(room, {streams: [{feed: ann.feed}], autoupdate: false});
  const lost = happened(bob.handle, VIDEOROOM_UPDATED);
  const quiet = silent(cem.handle, VIDEOROOM_UPDATED);
  await ann.handle.unpublish();
  const {streams, jsep} = await lost;
  assert.deepEqual(streams, [{type: 'audio', active: false, mindex: 0, mid: '0', ready: false, send: true}]);
  assert.match(jsep.sdp, /a=inactive/);
  await bob.handle.start({jsep: await bob.peer.answer(jsep)});
  await quiet;
});

test('fifty subscribers join at once and all get media', async t => {
  const room = await makeRoom({publishers: 1});
  const ann = await publish(room);
  const began = performance.now();
  const times = await Promise.all(Array.from({length: 50}, async () => {
    const sub = await client.subscribe(room, {streams: [{feed: ann.feed, mid: '0'}]});
    await until(() => loud(sub.peer, '0') > 0, 'sound', 60_000);
    const took = performance.now() - began;
    sub.peer.close();
    await sub.handle.detach();
    return took;
  }));
  times.sort((a, b) => a - b);
  t.diagnostic(`join to sound of 50 clients in one process: median ${times[25].toFixed(0)} ms, last ${times[49].toFixed(0)} ms`);
  assert.equal(frames(ann.peer, '1'), 0); // a publisher gets nothing back
});
