// Many short lives at once: sessions, handles, rooms and peers that come and go in any order, politely, rudely or by time. When
// all are gone nothing is left of them. The same chance in every run: CARDEA_SEED chooses another.
import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {before, test} from 'node:test';
import WebSocket from 'ws';
import {Admin, Link, adminAt, ask, held, request, sanitized} from '../lib/client.mjs';
import {startGateway, until} from '../lib/gateway.mjs';
import {Random} from '../lib/random.mjs';
import {Peer, lastly} from '../lib/wrtc.mjs';

const offers = ['chromium-audio-video-data', 'chromium-simulcast', 'firefox-simulcast-data', 'chromium-recvonly']
  .map(name => readFileSync(new URL(`../unit/sdp/offers/${name}.sdp`, import.meta.url), 'utf8'));
const answer = readFileSync(new URL('../unit/sdp/offers/chromium-answer-to-ours.sdp', import.meta.url), 'utf8');
const plugins = ['janus.plugin.echotest', 'janus.plugin.videoroom', 'janus.plugin.textroom'];
const rooms = [1, 2, 3, 4];

const folder = mkdtempSync(join(tmpdir(), 'cardea-lifetimes-'));
let gateway, admin;
before(async () => {
  gateway = await startGateway({
    workers: 2,
    set: {
      ...adminAt(join(folder, 'admin')),
      'cardea.general.session_timeout': 3, 'cardea.general.reclaim_session_timeout': 1, 'cardea.media.connect_timeout': 2,
    },
  });
  admin = await Admin.open(join(folder, 'admin'));
});
lastly(async () => {
  admin?.close();
  await gateway?.stop();
  rmSync(folder, {recursive: true, force: true});
});

/** A connection on which anything may be asked; what is not answered because it ends is answered with undefined. */
class Connection {
  #waiting = new Map();
  #next = 0;
  events = [];

  static async open() {
    const connection = new Connection();
    connection.socket = new WebSocket(gateway.ws, 'janus-protocol');
    await new Promise((resolve, reject) => connection.socket.once('open', resolve).once('error', reject));
    connection.socket.on('error', () => {}).on('close', () => connection.#over()).on('message', data => connection.#take(JSON.parse(data)));
    return connection;
  }
  #over() {
    this.over = true;
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }
  #take(message) {
    const resolve = message.janus !== 'event' && this.#waiting.get(message.transaction);
    if (!resolve) return void (this.events.push(message) > 500 && this.events.shift());
    this.#waiting.delete(message.transaction);
    resolve(message);
  }
  ask(request) {
    if (this.over) return Promise.resolve(undefined);
    const transaction = `t${++this.#next}`;
    return new Promise(resolve => {
      this.#waiting.set(transaction, resolve);
      this.socket.send(JSON.stringify({...request, transaction}));
    });
  }
  event(transaction) { return this.events.find(event => event.janus === 'event' && event.transaction === transaction); }
}

const counts = {};
const count = (what, reply) => {
  const name = `${what}: ${reply === undefined ? 'nobody' : reply.error ? reply.error.code : reply.janus}`;
  counts[name] = (counts[name] ?? 0) + 1;
  return reply;
};

/** Somebody who does one thing after another. Everything known to anybody may be used by anybody. */
async function live(random, steps, known) {
  let connection = await Connection.open();
  const session = () => random.pick(known.sessions)?.id;
  const handle = () => random.pick(known.handles) ?? {};
  const body = plugin => {
    const room = random.pick(rooms);
    const feed = random.pick(known.feeds) ?? 1;
    if (plugin === plugins[0]) return {audio: random.chance(0.5), video: random.chance(0.5), bitrate: random.below(1e6)};
    if (plugin === plugins[2])
      return random.pick([{request: 'setup'}, {request: 'list'}, {request: 'create', room}, {request: 'destroy', room}, {request: 'ack'}]);
    return random.pick([
      {request: 'create', room, publishers: 50, audiolevel_event: random.chance(0.5)}, {request: 'destroy', room}, {request: 'list'},
      {request: 'join', ptype: 'publisher', room}, {request: 'join', ptype: 'publisher', room},
      {request: 'joinandconfigure', ptype: 'publisher', room, audio: true, video: true}, {request: 'publish', audio: true}, {request: 'unpublish'},
      {request: 'configure', audio: random.chance(0.5), bitrate: 128000}, {request: 'leave'}, {request: 'kick', room, id: feed},
      {request: 'join', ptype: 'subscriber', room, feed}, {request: 'join', ptype: 'subscriber', room, streams: [{feed}, {feed: 1}]},
      {request: 'start'}, {request: 'pause'}, {request: 'switch', streams: [{feed, mid: '0', sub_mid: '0'}]},
      {request: 'subscribe', streams: [{feed}]}, {request: 'unsubscribe', streams: [{feed}]}, {request: 'listparticipants', room},
      {request: 'moderate', room, id: feed, mid: '0', mute: random.chance(0.5)},
    ]);
  };
  const deeds = {
    async create() {
      const reply = count('create', await connection.ask({janus: 'create'}));
      if (reply?.data) known.sessions.push({id: reply.data.id});
    },
    async attach() {
      const session_id = session(), plugin = random.pick(plugins);
      const reply = count('attach', await connection.ask({janus: 'attach', session_id, plugin}));
      if (reply?.data) known.handles.push({session_id, handle_id: reply.data.id, plugin});
    },
    async message() {
      const {plugin, ...names} = handle();
      const jsep = random.chance(0.6) && (random.chance(0.8) ? {type: 'offer', sdp: random.pick(offers)} : {type: 'answer', sdp: answer});
      const reply = count('message', await connection.ask({janus: 'message', ...names, body: body(plugin), ...(jsep && {jsep})}));
      const {id} = connection.event(reply?.transaction)?.plugindata.data ?? {};
      if (id) known.feeds.push(id);
    },
    // Not waited for, so that the next thing overtakes or meets it.
    async messages() {
      for (let i = 0; i < 5; ++i) deeds.message();
      if (random.chance(0.3)) await deeds.detach();
    },
    async trickle() {
      const {session_id, handle_id} = handle();
      count('trickle', await connection.ask({janus: 'trickle', session_id, handle_id, candidate: random.chance(0.5) ? {completed: true}
        : {candidate: 'candidate:1 1 udp 2122260223 127.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0}}));
    },
    async detach() {
      const {session_id, handle_id} = handle();
      count('detach', await connection.ask({janus: random.chance(0.7) ? 'detach' : 'hangup', session_id, handle_id}));
    },
    async destroy() { count('destroy', await connection.ask({janus: 'destroy', session_id: session()})); },
    async claim() { count('claim', await connection.ask({janus: 'claim', session_id: session()})); },
    async vanish() {
      random.chance(0.5) ? connection.socket.terminate() : connection.socket.close();
      connection = await Connection.open();
    },
    // By a session of one's own, to get the events; but the others know of it.
    async call() {
      const session_id = (await connection.ask({janus: 'create'}))?.data?.id;
      const plugin = random.chance(0.7) ? plugins[0] : plugins[2];
      const handle_id = (await connection.ask({janus: 'attach', session_id, plugin}))?.data?.id;
      if (!handle_id) return;
      known.sessions.push({id: session_id});
      known.handles.push({session_id, handle_id, plugin});
      const peer = new Peer();
      peer.pc.createDataChannel('any');
      const body = plugin === plugins[0] ? {audio: true} : {request: 'setup'};
      const jsep = plugin === plugins[0] ? await peer.offer() : undefined;
      const reply = count('call', await connection.ask({janus: 'message', session_id, handle_id, body, ...(jsep && {jsep})}));
      const event = await until(() => connection.event(reply?.transaction) ?? connection.over, 'an answer', 1000).catch(() => undefined);
      if (event?.jsep?.type === 'answer') await peer.accept(event.jsep).catch(() => {});
      if (event?.jsep?.type === 'offer')
        await connection.ask({janus: 'message', session_id, handle_id, body: {request: 'ack'}, jsep: await peer.answer(event.jsep)});
      // Some are up before what comes next, some are not.
      if (random.chance(0.7)) await until(() => peer.pc.connectionState === 'connected', 'the call is up', 1000).catch(() => {});
      if (peer.pc.connectionState === 'connected') counts.connected = (counts.connected ?? 0) + 1;
      peer.close();
    },
    async http() {
      const reply = await ask(gateway.http, 'POST', '/janus', '{"janus":"create","transaction":"h"}');
      known.sessions.push({id: JSON.parse(reply.body).data.id});
      if (random.chance(0.5)) return;
      const poll = await Link.open(gateway.http);
      poll.write(request('GET', `/janus/${session()}`));
      setTimeout(() => poll.close(), random.below(3000));
    },
  };
  const weights = {create: 4, attach: 8, message: 30, messages: 4, trickle: 4, detach: 5, destroy: 2, claim: 2, vanish: 2, call: 2, http: 1};
  const lots = Object.entries(weights).flatMap(([name, weight]) => Array(weight).fill(name));
  await deeds.create();
  await deeds.attach();
  for (let i = 0; i < steps; ++i) {
    await deeds[random.pick(lots)]();
    // What is old is forgotten, and so mostly left to the timeouts.
    for (const list of Object.values(known)) if (list.length > 60) list.splice(0, 10);
  }
  random.chance(0.5) ? connection.socket.terminate() : connection.socket.close();
}

/** All those lives, and then the time until nothing is left. */
async function storm(name, lives, steps) {
  const known = {sessions: [], handles: [], feeds: []};
  await Promise.all(Array.from({length: lives}, (_, i) => live(new Random(`${name} ${i}`), steps, known)));
  let left;
  await until(async () => {
    const {peers, associations} = await admin.counters();
    left = {peers, associations, sessions: (await admin.sessions()).length};
    return left.peers === 0 && left.associations === 0 && left.sessions === 0;
  }, 'all sessions, peers and associations are gone', 15_000).catch(error => assert.fail(`${error.message}: ${JSON.stringify(left)}`));

  // Rooms outlive those who made them: they are the last.
  const janitor = await Connection.open();
  const {data: {id: session_id}} = await janitor.ask({janus: 'create'});
  for (const plugin of plugins.slice(1)) {
    const {data: {id: handle_id}} = await janitor.ask({janus: 'attach', session_id, plugin});
    const message = request => janitor.ask({janus: 'message', session_id, handle_id, body: request});
    for (const room of rooms) {
      const members = await message({request: 'listparticipants', room});
      assert.deepEqual(members.plugindata.data.participants ?? [], [], `people left in room ${room} of ${plugin}`);
      await message({request: 'destroy', room});
    }
    const {list} = (await message({request: 'list'})).plugindata.data;
    assert.deepEqual(list.map(({room}) => room), [1234], plugin);
    assert.equal(list[0].num_participants, 0);
  }
  await janitor.ask({janus: 'destroy', session_id});
  janitor.socket.close();
}

test('nothing is left of lives that end in any way', async () => {
  const descriptors = held(gateway.pid).descriptors;
  await storm('first', 12, 60);
  const first = held(gateway.pid);
  await storm('second', 12, 120);
  await until(() => held(gateway.pid).descriptors <= descriptors, 'all descriptors are closed');
  const grown = held(gateway.pid).memory - first.memory;
  assert.ok(sanitized || grown < 16e6, `memory has grown by ${grown} bytes`);
  // It was no storm in a teacup.
  for (const [what, least] of Object.entries({'create: success': 50, 'attach: success': 50, 'message: ack': 100, 'message: success': 20,
    'message: 459': 10, 'detach: success': 20, 'destroy: success': 5, 'claim: success': 5, connected: 3}))
    assert.ok((counts[what] ?? 0) >= least, `${what}: ${counts[what]} of ${least}; ${JSON.stringify(counts)}`);
});
