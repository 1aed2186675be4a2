// The official janus.js, unmodified, under node: every request, over WebSocket and over HTTP long polls.
import assert from 'node:assert/strict';
import {afterEach, before, test} from 'node:test';
import WebSocket from 'ws';
import {startGateway, until} from '../lib/gateway.mjs';
import {Page, close, init, open} from '../lib/janusjs.mjs';
import {lastly, makeMedia} from '../lib/wrtc.mjs';

let gateway, media, janus, manager;
let pages = [];
let number = 500;
before(async () => {
  gateway = await startGateway();
  media = makeMedia();
  await init();
});
afterEach(async () => {
  await Promise.all(pages.splice(0).map(page => page.end()));
  if (janus) await close(janus);
  janus = undefined;
});
lastly(async () => {
  media?.stop();
  await gateway?.stop();
});

async function attach(plugin) {
  const page = await Page.attach(janus, plugin);
  pages.push(page);
  return page;
}
async function makeRoom(settings = {}) {
  manager = await attach();
  return (await manager.ask({request: 'create', room: ++number, publishers: 6, ...settings})).room;
}
const own = recv => [{type: 'audio', capture: media.audio, recv}, {type: 'video', capture: media.video, recv}];

async function publish(room, {join = {}, publish = {}, tracks = own(false), verb = 'configure'} = {}) {
  const page = await attach();
  const joined = await page.ask({request: 'join', room, ptype: 'publisher', ...join});
  assert.equal(joined.videoroom, 'joined', JSON.stringify(joined));
  const published = await page.ask({request: verb, ...publish}, await page.offer(tracks));
  assert.equal(published.configured, 'ok', JSON.stringify(published));
  await page.accept(published.jsep);
  await page.isUp();
  return Object.assign(page, {joined, published, id: joined.id});
}
async function watch(room, how) {
  const page = await attach();
  const attached = await page.ask({request: 'join', room, ptype: 'subscriber', ...how});
  assert.equal(attached.videoroom, 'attached', JSON.stringify(attached));
  const started = await page.ask({request: 'start', room}, await page.answer(attached.jsep));
  await page.isUp();
  return Object.assign(page, {attached, started});
}

const codes = async (page, requests) => {
  for (const [code, request, jsep] of requests) assert.equal((await page.ask(request, jsep)).error_code, code, JSON.stringify(request));
};

for (const [transport, server] of [['WebSocket', () => gateway.ws], ['HTTP long poll', () => `${gateway.http}janus`]]) {
  test(`janus.js over ${transport}: the echo test`, async () => {
    janus = await open(server());
    const page = await attach('janus.plugin.echotest');
    const answer = await page.ask({audio: true, video: true, bitrate: 256000}, await page.offer(own(true)));
    assert.equal(answer.result, 'ok');
    await page.accept(answer.jsep);
    await page.isUp();
    await page.more('0');
    await page.more('1');
    await until(() => page.media.some(({type, on, mid}) => type === 'video' && on && mid === '1'), 'a media event');
    assert.equal((await page.ask({video: false})).result, 'ok');
    await page.still('1');
    await page.ask({video: true});
    await page.more('1');
    // A renegotiation with data and an ICE restart.
    const again = await page.ask({audio: true}, await page.offer([{type: 'data'}], {iceRestart: true}));
    await page.accept(again.jsep);
    await until(() => page.dataOpen === 'JanusDataChannel', 'the data channel');
    page.handle.data({text: 'hello'});
    await until(() => page.data.length === 1, 'the text comes back');
    assert.deepEqual(page.data[0], {data: 'Janus EchoTest here! You wrote: hello', label: 'JanusDataChannel'});
    await page.more('1');
    await codes(page, [[413, {}], [413, {audio: 1}], [413, {substream: 3}], [413, {record: true}], [413, {videocodec: 'x'}]]);
    page.handle.hangup(true);
    await page.heard(message => message.result === 'done', 'the end');
  });

  test(`janus.js over ${transport}: rooms are made, changed and ended`, async () => {
    janus = await open(server());
    const room = await makeRoom({secret: 's', description: 'first', pin: '1'});
    const {list} = await manager.ask({request: 'list'});
    assert.equal(list.find(one => one.room === room).pin_required, true);
    assert.deepEqual(await manager.ask({request: 'exists', room}), {videoroom: 'success', room, exists: true});
    assert.deepEqual(await manager.ask({request: 'edit', room, secret: 's', new_description: 'second'}), {videoroom: 'edited', room, permanent: false});
    assert.deepEqual(await manager.ask({request: 'allowed', room, secret: 's', action: 'add', allowed: ['a']}), {videoroom: 'success', room, allowed: ['a']});
    assert.deepEqual(await manager.ask({request: 'listparticipants', room}), {videoroom: 'participants', room, participants: []});
    assert.deepEqual(await manager.ask({request: 'enable_recording', room, secret: 's', record: false}), {videoroom: 'success', record: false});
    await codes(manager, [
      [427, {request: 'create', room}], [430, {request: 'create', room: 'x'}], [433, {request: 'edit', room, secret: 'x'}],
      [429, {request: 'destroy', room}], [430, {request: 'allowed', room, secret: 's', action: 'x'}], [428, {request: 'kick', room, secret: 's', id: 9}],
      [428, {request: 'moderate', room, secret: 's', id: 9, mid: '0', mute: true}], [499, {request: 'enable_recording', room, secret: 's', record: true}],
      [499, {request: 'rtp_forward', room}], [426, {request: 'listparticipants', room: 1}], [423, {request: 'nonsense'}],
    ]);
    assert.deepEqual(await manager.ask({request: 'destroy', room, secret: 's'}), {videoroom: 'destroyed', room, permanent: false});
    assert.equal((await manager.ask({request: 'exists', room})).exists, false);
  });

  test(`janus.js over ${transport}: people publish`, async () => {
    janus = await open(server());
    const stranger = await attach();
    await codes(stranger, [[424, {request: 'configure'}], [426, {request: 'join', room: 99, ptype: 'publisher'}]]);
    const room = await makeRoom({secret: 's', notify_joining: true, require_pvtid: true, publishers: 2});
    const bob = await attach();
    const joined = await bob.ask({request: 'join', room, ptype: 'publisher', id: 42, display: 'Bob', metadata: {seat: 2}});
    assert.deepEqual([joined.id, joined.publishers, joined.attendees], [42, [], []]);
    const ann = await publish(room, {join: {display: 'Ann'}, publish: {bitrate: 200000, descriptions: [{mid: '1', description: 'camera'}]}});
    assert.deepEqual(ann.joined.attendees, [{id: 42, display: 'Bob', metadata: {seat: 2}}]);
    assert.deepEqual((await bob.heard(message => message.joining, 'joining')).message.joining, {id: ann.id, display: 'Ann'});
    const {message: {publishers: [shown]}} = await bob.heard(message => message.publishers, 'publishers');
    assert.deepEqual(shown.streams.map(({type, codec, description}) => [type, codec, description]), [['audio', 'opus', undefined], ['video', 'vp8', 'camera']]);
    await codes(ann, [[434, {request: 'publish'}, await ann.offer([])], [425, {request: 'join', room, ptype: 'publisher'}], [423, {request: 'start'}],
      [428, {request: 'configure', streams: [{mid: '7', send: false}]}]]);

    await ann.ask({request: 'configure', display: 'Anna', bitrate: 0, keyframe: true, streams: [{mid: '0', send: false}]});
    assert.deepEqual((await bob.heard(message => message.display, 'the name')).message, {videoroom: 'event', id: ann.id, display: 'Anna'});
    const cem = await watch(room, {streams: [{feed: ann.id}], private_id: joined.private_id});
    await cem.more('1');
    assert.equal(cem.loud('0'), 0);
    await ann.ask({request: 'configure', audio: true});
    await cem.more('0');
    assert.deepEqual(await manager.ask({request: 'moderate', room, secret: 's', id: ann.id, mid: '0', mute: true}), {videoroom: 'success'});
    for (const page of [ann, bob]) assert.equal((await page.heard(message => message.moderation, 'moderation')).message.moderation, 'muted');
    await cem.still('0');

    const unpublished = await ann.ask({request: 'unpublish'});
    assert.deepEqual(unpublished, {videoroom: 'event', room, unpublished: 'ok'});
    await until(() => !ann.up, 'the connection is gone');
    assert.equal((await bob.heard(message => message.unpublished, 'unpublished')).message.unpublished, ann.id);
    const {jsep} = await cem.heard(message => message.videoroom === 'updated', 'what is left to watch');
    assert.equal(jsep.type, 'offer');

    await manager.ask({request: 'kick', room, secret: 's', id: ann.id});
    assert.deepEqual((await ann.heard(message => message.leaving, 'kicked')).message, {videoroom: 'event', room, leaving: 'ok', reason: 'kicked'});
    assert.equal((await bob.heard(message => message.kicked, 'the others')).message.kicked, ann.id);
    await codes(ann, [[426, {request: 'configure'}]]);
    assert.deepEqual(await bob.ask({request: 'leave'}), {videoroom: 'event', room, leaving: 'ok'});
    await codes(bob, [[425, {request: 'join', room, ptype: 'publisher'}]]);

    const both = await attach();
    const all = await both.ask({request: 'joinandconfigure', room, ptype: 'publisher', id: 43}, await both.offer(own(false)));
    assert.deepEqual([all.videoroom, all.id, all.video_codec, all.streams.length], ['joined', 43, 'vp8', 2]);
    await both.accept(all.jsep);
    await both.isUp();
    await manager.ask({request: 'destroy', room, secret: 's'});
    await both.heard(message => message.videoroom === 'destroyed', 'the end of the room');
    await until(() => !both.up, 'the end of the call');
  });

  test(`janus.js over ${transport}: people watch`, async () => {
    janus = await open(server());
    const room = await makeRoom();
    const [ann, bob] = [await publish(room, {join: {display: 'Ann'}, verb: 'publish'}), await publish(room)];
    const cem = await watch(room, {streams: [{feed: ann.id, mid: '1', crossrefid: 'x'}]});
    assert.deepEqual(cem.attached.streams.map(({feed_id, feed_display, crossrefid}) => [feed_id, feed_display, crossrefid]), [[ann.id, 'Ann', 'x']]);
    assert.deepEqual(cem.started, {videoroom: 'event', room, started: 'ok'});
    await cem.more('0');
    assert.equal((await cem.ask({request: 'pause'})).paused, 'ok');
    await cem.still('0');
    assert.equal((await cem.ask({request: 'start'})).started, 'ok');
    await cem.more('0');

    const change = async (request, count) => {
      const {videoroom, streams, jsep} = await cem.ask(request);
      assert.deepEqual([videoroom, streams.filter(({active}) => active).length], ['updated', count]);
      assert.equal((await cem.ask({request: 'start', room}, await cem.answer(jsep))).started, 'ok');
    };
    await change({request: 'subscribe', streams: [{feed: bob.id}]}, 3);
    await cem.more('1');
    await cem.more('2');
    await change({request: 'unsubscribe', streams: [{feed: bob.id, mid: '0'}]}, 2);
    await cem.still('1');
    await change({request: 'update', subscribe: [{feed: ann.id, mid: '0'}], unsubscribe: [{sub_mid: '0'}]}, 2);
    await cem.more('1');
    const switched = await cem.ask({request: 'switch', streams: [{feed: bob.id, mid: '0', sub_mid: '1'}]});
    assert.deepEqual([switched.switched, switched.changes, switched.streams[1].feed_id], ['ok', 1, bob.id]);
    assert.deepEqual(await cem.ask({request: 'configure', mid: '2', send: false}), {videoroom: 'event', room, configured: 'ok'});
    await cem.still('2');
    await cem.ask({request: 'configure', streams: [{mid: '2', send: true}]});
    const restarted = await cem.ask({request: 'configure', restart: true});
    await cem.ask({request: 'start'}, await cem.answer(restarted.jsep));
    await cem.more('2');
    await codes(cem, [[428, {request: 'subscribe', streams: [{feed: 77}]}], [430, {request: 'subscribe', streams: []}], [429, {request: 'update'}],
      [428, {request: 'configure', mid: '9', send: true}], [430, {request: 'configure', mid: '2', substream: 5}], [425, {request: 'join', room, ptype: 'subscriber'}],
      [423, {request: 'publish'}]]);

    // The form of old pages.
    const dan = await watch(room, {feed: ann.id, private_id: ann.joined.private_id});
    assert.deepEqual([dan.attached.id, dan.attached.display, dan.attached.streams.length], [ann.id, 'Ann', 2]);
    await dan.more('1');
    assert.deepEqual(await cem.ask({request: 'leave'}), {videoroom: 'event', room, left: 'ok'});
    await until(() => !cem.up, 'the connection is gone');
    assert.equal((await bob.ask({request: 'leave'})).leaving, 'ok');
    assert.ok((await ann.heard(message => message.leaving === bob.id, 'bob has left')));
  });

  test(`janus.js over ${transport}: people write in the text room`, async () => {
    janus = await open(server());
    const enter = async username => {
      const page = await attach('janus.plugin.textroom');
      const {jsep} = await page.ask({request: 'setup'});
      assert.equal(jsep.type, 'offer');
      assert.equal((await page.ask({request: 'ack'}, await page.answer(jsep, [{type: 'data'}]))).result, 'ok');
      await until(() => page.dataOpen, 'the data channel');
      const wait = (wanted, what) => until(() => {
        const at = page.data.findIndex(({data}) => wanted(JSON.parse(data)));
        return at >= 0 && JSON.parse(page.data.splice(at, 1)[0].data);
      }, what);
      let transaction = 0;
      page.say = message => {
        const sent = {transaction: `${username}${++transaction}`, room: 1234, ...message};
        page.handle.data({text: JSON.stringify(sent), error: reason => assert.fail(reason)});
        return wait(got => got.transaction === sent.transaction, `an answer to ${JSON.stringify(sent)}`);
      };
      page.hears = wait;
      return page;
    };
    const ann = await enter('ann');
    assert.equal((await ann.say({textroom: 'join', room: 99, username: 'ann'})).error_code, 417);
    assert.deepEqual((await ann.say({textroom: 'join', username: 'ann', display: 'Ann'})).participants, []);
    const bob = await enter('bob');
    assert.deepEqual((await bob.say({textroom: 'join', username: 'bob'})).participants, [{username: 'ann', display: 'Ann'}]);
    assert.equal((await ann.hears(got => got.textroom === 'join' && got.username === 'bob', 'bob joins')).room, 1234);
    await ann.say({textroom: 'message', text: 'hello all'});
    for (const page of [ann, bob]) {
      const {from, text, date} = await page.hears(got => got.textroom === 'message', 'the message');
      assert.deepEqual([from, text], ['ann', 'hello all']);
      assert.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$/);
    }
    assert.deepEqual((await bob.say({textroom: 'message', to: 'ann', text: 'psst'})).sent, {ann: true});
    assert.equal((await ann.hears(got => got.textroom === 'message', 'the whisper')).whisper, true);
    await ann.say({textroom: 'announcement', text: 'soup is ready'});
    assert.equal((await bob.hears(got => got.textroom === 'announcement', 'the announcement')).text, 'soup is ready');
    assert.equal((await bob.ask({request: 'listparticipants', room: 1234})).participants.length, 2);
    await bob.say({textroom: 'leave'});
    assert.equal((await ann.hears(got => got.textroom === 'leave', 'bob leaves')).username, 'bob');
    const again = await ann.ask({request: 'restart'});
    assert.equal((await ann.ask({request: 'ack'}, await ann.answer(again.jsep))).result, 'ok');
    await ann.say({textroom: 'message', text: 'still here'});
  });
}

test('janus.js: reconnect claims the session after the socket was lost', async () => {
  const claiming = await startGateway({set: {'cardea.general.reclaim_session_timeout': 10}});
  try {
    const sockets = [];
    await init(class extends WebSocket {
      constructor(...args) {
        super(...args);
        sockets.push(this);
      }
    });
    let lost = false;
    const mine = await open(claiming.ws, () => (lost = true));
    const page = await Page.attach(mine);
    const id = mine.getSessionId();
    sockets[0].terminate();
    await until(() => lost, 'the page noticed');
    await new Promise((success, error) => mine.reconnect({success, error}));
    assert.equal(mine.getSessionId(), id);
    assert.equal((await page.ask({request: 'exists', room: 1234})).exists, true);
    await close(mine);
  } finally {
    await claiming.stop();
  }
});
