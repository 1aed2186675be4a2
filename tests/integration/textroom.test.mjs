// The text room with real connections: peers under node, members of the API alone, an HTTP backend, a restart, and
// members that read nothing.
import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {before, test} from 'node:test';
import {sanitized} from '../lib/client.mjs';
import {startGateway, until} from '../lib/gateway.mjs';
import {load} from '../lib/load.mjs';
import {Session, opened} from '../lib/session.mjs';
import {Peer, lastly} from '../lib/wrtc.mjs';

const plugin = 'janus.plugin.textroom';
const state = mkdtempSync(join(tmpdir(), 'cardea-text-'));

let gateway, backend, posts = [];
const settings = {
  'cardea.general.state_folder': state,
  'textroom.general.max_backlog': 65536,
  'textroom.general.told_rate': 0, // who reads nothing is cut off however much is said
  'websockets.general.max_queue': 262144,
};
const configuration = () => ({'textroom.cfg': `general: { admin_key = "boss"; };
  room-1: { history = 3; };
  room-2: { pin = "p"; secret = "s"; };
  room-3: { post = "http://127.0.0.1:${backend.address().port}/heard"; };
  room-9001: {}; room-9002: {};
  room-4: { zones = ( { name = "stage"; x = 0; y = 0; width = 10; height = 5; } ); };`});

before(async () => {
  backend = createServer((request, response) => {
    let body = '';
    request.on('data', part => (body += part)).on('end', () => {
      posts.push({type: request.headers['content-type'], path: request.url, body: JSON.parse(body)});
      response.end();
    });
  });
  await new Promise(resolve => backend.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway({set: settings, files: configuration()});
});
lastly(async () => {
  await gateway?.stop();
  backend?.close();
  rmSync(state, {recursive: true, force: true});
});

/** A member with a data channel: set up, answered, open. `labels`: channels beside the default one, with their options. */
async function connect(labels = {}) {
  const session = await Session.open(gateway.ws);
  const handle = await session.attach(plugin);
  const offered = await session.message(handle, {request: 'setup'});
  const peer = new Peer();
  const open = (label, options) => {
    const channel = peer.pc.createDataChannel(label, options);
    channel.onmessage = ({data}) => member.got.push({label, ...JSON.parse(data)});
    return channel;
  };
  const member = {session, handle, peer, got: [], next: 0};
  member.channel = open('JanusDataChannel');
  member.others = Object.fromEntries(Object.entries(labels).map(([label, options]) => [label, open(label, options)]));
  await session.message(handle, {request: 'ack'}, await peer.answer(offered.jsep));
  for (const channel of [member.channel, ...Object.values(member.others)]) await opened(channel);
  member.ask = async body => {
    const transaction = `t${++member.next}`;
    member.channel.send(JSON.stringify({...body, transaction}));
    return until(() => member.got.find(one => one.transaction === transaction), `an answer to ${JSON.stringify(body)}`);
  };
  member.told = (what, wanted) => until(() => member.got.find(wanted), what);
  member.close = () => {
    peer.close();
    session.close();
  };
  return member;
}

/** A member of the API alone. */
async function speak() {
  const session = await Session.open(gateway.ws);
  const handle = await session.attach(plugin);
  const data = event => event.plugindata?.data;
  return {
    session, handle,
    ask: async body => data(await session.message(handle, body)),
    told: async (what, wanted) => data(await session.event(handle, event => event.janus === 'event' && wanted(data(event)), what)),
    close: () => session.close(),
  };
}

test('members with a data channel and with the API alone chat, whisper, come and go', async () => {
  const al = await connect(), bob = await speak();
  assert.deepEqual(await bob.ask({request: 'join', room: 1, username: 'bob', display: 'Bob'}), {textroom: 'success', participants: []});
  const joined = await al.ask({textroom: 'join', room: 1, username: 'al'});
  assert.deepEqual(joined.participants, [{username: 'bob', display: 'Bob'}]);
  await bob.told('that al comes', one => one.textroom === 'join' && one.username === 'al');
  assert.equal((await al.ask({textroom: 'message', room: 1, text: 'hello ☃'})).textroom, 'success');
  const heard = await bob.told('what al says', one => one.text === 'hello ☃');
  assert.match(heard.date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$/);
  assert.equal(heard.from, 'al');
  assert.deepEqual((await bob.ask({request: 'message', room: 1, text: 'psst', tos: ['al', 'eve']})).sent, {al: true, eve: false});
  assert.equal((await al.told('the whisper', one => one.text === 'psst')).whisper, true);
  al.channel.send(JSON.stringify({textroom: 'message', room: 1, text: 'no answer', transaction: 'quiet', ack: false}));
  await bob.told('what wants no answer', one => one.text === 'no answer');
  assert.ok(!al.got.some(one => one.transaction === 'quiet'));
  // A late one gets the history, and everybody the farewell of who loses the connection.
  const eve = await connect();
  await eve.ask({textroom: 'join', room: 1, username: 'eve'});
  assert.deepEqual(eve.got.filter(one => one.textroom === 'message').map(one => one.text), ['hello ☃', 'no answer']);
  al.close();
  for (const one of [bob, eve]) await one.told('that al is gone', event => event.textroom === 'leave' && event.username === 'al');
  eve.close();
  bob.close();
});

test('rooms are guarded, made, changed, saved over a restart, and destroyed', async () => {
  const al = await connect();
  const code = async body => (await al.ask(body)).error_code;
  assert.equal(await code({textroom: 'join', room: 2, username: 'al'}), 413);
  assert.equal(await code({textroom: 'join', room: 2, username: 'al', pin: 'x'}), 419);
  assert.equal(await code({textroom: 'join', room: 2, username: 'al', pin: 'p'}), undefined);
  assert.equal(await code({textroom: 'join', room: 2, username: 'al2', pin: 'p'}), 421);
  assert.equal(await code({textroom: 'kick', room: 2, secret: 'x', username: 'al'}), 419);
  assert.equal(await code({textroom: 'announcement', room: 2, secret: 's', text: 'Fire'}), undefined);
  await al.told('the announcement', one => one.textroom === 'announcement' && one.text === 'Fire');
  assert.equal(await code({textroom: 'kick', room: 2, secret: 's', username: 'al'}), undefined);
  await al.told('the kick', one => one.textroom === 'kicked' && one.username === 'al');
  assert.equal(await code({textroom: 'message', room: 2, text: 'still here?'}), 422);
  const made = await al.ask({textroom: 'create', room: 77, admin_key: 'boss', description: 'kept', permanent: true, secret: 'k'});
  assert.equal(made.permanent, true);
  assert.equal(await code({textroom: 'edit', room: 77, secret: 'k', new_description: 'kept, and changed', permanent: true}), undefined);
  al.close();
  await gateway.stop();
  gateway = await startGateway({set: settings, files: configuration()});
  const bob = await connect();
  const list = (await bob.ask({textroom: 'list'})).list;
  assert.equal(list.find(room => room.room === 77)?.description, 'kept, and changed');
  assert.equal((await bob.ask({textroom: 'destroy', room: 77, secret: 'k', permanent: true})).permanent, true);
  assert.equal((await bob.ask({textroom: 'exists', room: 77})).exists, false);
  bob.close();
});

test('an HTTP backend hears what is public, in order', async () => {
  const al = await connect(), bob = await speak();
  await al.ask({textroom: 'join', room: 3, username: 'al'});
  await bob.ask({request: 'join', room: 3, username: 'bob'});
  for (let i = 0; i < 20; ++i) await al.ask({textroom: 'message', room: 3, text: `${i}`});
  await al.ask({textroom: 'message', room: 3, text: 'secret', to: 'bob'});
  await bob.ask({request: 'announcement', room: 3, text: 'loud'});
  await until(() => posts.length >= 21, 'the backend hears all');
  assert.deepEqual(posts.map(post => post.body.text), [...Array.from({length: 20}, (_, i) => `${i}`), 'loud']);
  assert.ok(posts.every(post => post.type === 'application/json' && post.path === '/heard'));
  al.close();
  bob.close();
});

test('presence and zones, over an unreliable channel and with the API', async () => {
  const al = await connect({presence: {ordered: false, maxRetransmits: 0}}), bob = await speak();
  const joined = await al.ask({textroom: 'join', room: 4, username: 'al', presence: true, state: {nickname: 'Al', x: 20, y: 1}});
  assert.deepEqual(joined.zones.map(zone => [zone.name, zone.count]), [['stage', 0]]);
  await bob.ask({request: 'join', room: 4, username: 'bob', presence: true});
  await bob.told('the states that are there', one => one.states?.al?.x === 20);
  for (let x = 19; x >= 5; --x)
    al.others.presence.send(JSON.stringify({textroom: 'presence', room: 4, seq: 20 - x, state: {x}}));
  const entered = await bob.told('who enters', one => one.textroom === 'zone-entered');
  assert.deepEqual([entered.zone, entered.username, entered.present, entered.count], ['stage', 'al', ['al'], 1]);
  await al.told('its own state on the unreliable channel', one => one.label === 'presence' && one.states?.al?.x === 5);
  al.close();
  await bob.told('that the zone is left', one => one.textroom === 'zone-left' && one.count === 0);
  bob.close();
});

test('who asks too much is told so, and is taken again later', async () => {
  const al = await connect(), bob = await connect();
  await al.ask({textroom: 'join', room: 1, username: 'al', history: false});
  await bob.ask({textroom: 'join', room: 1, username: 'bob', history: false});
  const answers = await Promise.all(Array.from({length: 300}, (_, i) => al.ask({textroom: 'message', room: 1, text: `${i}`})));
  const refused = answers.filter(one => one.error_code === 429).length;
  assert.ok(refused > 30 && refused < 110, `${refused} of 300 were refused`);
  assert.match(answers.find(one => one.error_code)?.error, /Too many requests/);
  await until(() => bob.got.filter(one => one.textroom === 'message' && one.from === 'al').length === 300 - refused, 'bob hears the others');
  assert.equal((await bob.ask({textroom: 'message', room: 1, text: 'may I?'})).textroom, 'success');
  await until(async () => (await al.ask({textroom: 'message', room: 1, text: 'again'})).textroom === 'success', 'al is taken again');
  for (const junk of ['{', '[]]', 'hello', '\u0000', '{"textroom":"join"}'.repeat(100)]) al.channel.send(junk);
  al.channel.send(Buffer.from([1, 2, 3]));
  assert.equal((await al.ask({textroom: 'exists', room: 1})).exists, true);
  al.close();
  bob.close();
});

test('a member of the API that reads nothing is cut off, and harms nobody', async () => {
  const lazy = await speak(), al = await connect(), bob = await connect();
  for (const [one, username] of [[al, 'al'], [bob, 'bob']]) await one.ask({textroom: 'join', room: 1, username, history: false});
  await lazy.ask({request: 'join', room: 1, username: 'lazy'});
  lazy.session.socket._socket.pause();
  const long = 'x'.repeat(60_000);
  let sent = 0;
  await until(async () => {
    if ((await al.ask({textroom: 'message', room: 1, text: long})).textroom === 'success') ++sent;
    return bob.got.some(one => one.textroom === 'leave' && one.username === 'lazy');
  }, 'the lazy one is gone', 30_000);
  await until(() => bob.got.filter(one => one.text === long).length === sent, 'bob has heard all');
  lazy.close();
  al.close();
  bob.close();
});

/** The load tool's text room. */
const talk = (...options) => load(['--url', gateway.ws, ...options]);

test('fifty members hear each other whole and in order, while some read nothing and are dropped', async () => {
  const [rate, seconds] = sanitized ? [5, 30] : [20, 8]; // as many messages, as fast as they can be carried beside other work
  const result = await talk('--seconds', seconds, '--warm-up', '0.5', 'text', '--room', '9001', '--members', '50', '--speakers', '10',
    '--rate', rate, '--size', '1000', '--stalled', '4');
  assert.ok(result.received > 10 * 40 * 46, `${result.received} messages`);
  assert.deepEqual([result.missing, result.out_of_order, result.corrupt, result.errors], [0, 0, 0, 0]);
  assert.equal(result.stalled_closed, 4);
});

test('fifty members of the API alone hear each other whole and in order', async () => {
  const result = await talk('--seconds', '2', '--warm-up', '0.5', 'text', '--api', '--room', '9002', '--members', '50', '--speakers', '5');
  assert.ok(result.received > 1000, `${result.received} messages`);
  assert.deepEqual([result.missing, result.out_of_order, result.corrupt, result.errors], [0, 0, 0, 0]);
});
