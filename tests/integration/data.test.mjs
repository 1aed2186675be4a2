// Data channels with a real peer connection under node: the echo test, the video room, and what clients may do wrong.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {before, test} from 'node:test';
import WebSocket from 'ws';
import {startGateway, until} from '../lib/gateway.mjs';
import {Peer, lastly, makeMedia} from '../lib/wrtc.mjs';

let gateway, media;
before(async () => {
  gateway = await startGateway({workers: 2, files: {'videoroom.cfg': 'room-77: { description = "data"; publishers = 6; };'}});
  media = makeMedia();
});
lastly(async () => {
  media?.stop();
  await gateway?.stop();
});

// A session over WebSocket; events are kept until someone asks for them.
class Session {
  #socket;
  #waiting = new Map();
  #next = 0;
  events = [];

  static async open() {
    const session = new Session();
    session.#socket = new WebSocket(gateway.ws, 'janus-protocol');
    await new Promise((resolve, reject) => session.#socket.on('open', resolve).on('error', reject));
    session.#socket.on('message', data => {
      const message = JSON.parse(data);
      const reply = message.janus !== 'event' && session.#waiting.get(message.transaction);
      if (reply) {
        session.#waiting.delete(message.transaction);
        reply(message);
      } else {
        session.events.push(message);
      }
    });
    session.id = (await session.ask({janus: 'create'})).data.id;
    return session;
  }
  ask(request) {
    const transaction = `t${++this.#next}`;
    return new Promise(resolve => {
      this.#waiting.set(transaction, resolve);
      this.#socket.send(JSON.stringify({session_id: this.id, ...request, transaction}));
    });
  }
  async attach(plugin) {
    return (await this.ask({janus: 'attach', plugin})).data.id;
  }
  event(handle, wanted, what) {
    return until(() => {
      const at = this.events.findIndex(event => event.sender === handle && wanted(event));
      return at >= 0 && this.events.splice(at, 1)[0];
    }, what);
  }
  async message(handle, body, jsep) {
    const reply = await this.ask({janus: 'message', handle_id: handle, body, ...(jsep && {jsep})});
    if (reply.janus !== 'ack') return reply;
    return this.event(handle, event => event.transaction === reply.transaction, `an answer to ${JSON.stringify(body)}`);
  }
  close() {
    this.#socket.close();
  }
}

const opened = channel => until(() => channel.readyState === 'open', `${channel.label} opens`);

// Collects what comes, as it came.
function listen(channel) {
  const got = [];
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({data}) => got.push(typeof data === 'string' ? data : Buffer.from(data));
  return got;
}

// A peer connection to the echo test with the channels that `make` opens.
async function echo(make, {tracks = [], change = sdp => sdp} = {}) {
  const session = await Session.open();
  const handle = await session.attach('janus.plugin.echotest');
  const peer = new Peer(tracks);
  const channels = make(peer.pc);
  const offer = await peer.offer();
  const event = await session.message(handle, {audio: true, video: true}, {...offer, sdp: change(offer.sdp)});
  assert.equal(event.plugindata.data.result, 'ok');
  await peer.accept(event.jsep);
  return {
    session, handle, peer, channels, answer: event.jsep.sdp,
    close() {
      peer.close();
      session.close();
    },
  };
}

const words = 'Janus EchoTest here! You wrote: ';
const hash = bytes => createHash('sha256').update(bytes).digest('hex');

test('a connection of data channels alone comes up and echoes text, binary and empty messages', async () => {
  const call = await echo(pc => [pc.createDataChannel('JanusDataChannel')]);
  const [channel] = call.channels;
  const got = listen(channel);
  await call.session.event(call.handle, event => event.janus === 'webrtcup', 'webrtcup');
  await opened(channel);
  assert.match(call.answer, /m=application \d+ UDP\/DTLS\/SCTP webrtc-datachannel/);
  assert.match(call.answer, /a=sctp-port:5000/);
  assert.match(call.answer, /a=max-message-size:262144/);
  channel.send('hello');
  channel.send(Buffer.from([0, 1, 2, 255]));
  channel.send('');
  channel.send(Buffer.alloc(0));
  await until(() => got.length === 4, 'four answers');
  assert.equal(got[0], `${words}hello`);
  assert.deepEqual(got[1], Buffer.from([0, 1, 2, 255]));
  assert.equal(got[2], words);
  assert.equal(got[3].length, 0);
  call.close();
});

test('messages of all sizes up to 256 KiB come back whole and in order', async () => {
  const call = await echo(pc => [pc.createDataChannel('sizes')]);
  const [channel] = call.channels;
  const got = listen(channel);
  await opened(channel);
  const sent = [1, 1200, 16384, 65535, 65536, 131072, 262144].map(size => randomBytes(size));
  for (const bytes of sent) channel.send(bytes);
  await until(() => got.length === sent.length, 'all come back', 30_000);
  assert.deepEqual(got.map(hash), sent.map(hash));
  call.close();
});

test('channels of every kind of delivery, beside sound and picture', async () => {
  const call = await echo(pc => [
    pc.createDataChannel('ordered', {protocol: 'json'}),
    pc.createDataChannel('unordered', {ordered: false}),
    pc.createDataChannel('by count', {ordered: false, maxRetransmits: 0}),
    pc.createDataChannel('by time', {maxPacketLifeTime: 500}),
    pc.createDataChannel('ünïcode ☃'),
  ], {tracks: [media.audio, media.video]});
  const logs = call.channels.map(listen);
  await Promise.all(call.channels.map(opened));
  for (let i = 0; i < 50; ++i) for (const channel of call.channels) channel.send(`${channel.label} ${i}`);
  await until(() => logs.every(log => log.length === 50), 'all come back');
  for (const [at, log] of logs.entries()) {
    const wanted = Array.from({length: 50}, (_, i) => `${words}${call.channels[at].label} ${i}`);
    assert.deepEqual([...log].sort(), wanted.sort());
  }
  await until(() => [...call.peer.sinks.values()].some(sink => sink.frames > 5), 'the picture comes back');
  call.close();
});

test('a closed channel is gone and its number is used again', async () => {
  const call = await echo(pc => [pc.createDataChannel('first')]);
  await opened(call.channels[0]);
  for (let i = 0; i < 5; ++i) {
    const channel = call.peer.pc.createDataChannel(`again ${i}`);
    const got = listen(channel);
    await opened(channel);
    channel.send('x');
    await until(() => got.length === 1, 'an answer');
    channel.close();
    await until(() => channel.readyState === 'closed', 'the close');
  }
  const got = listen(call.channels[0]);
  call.channels[0].send('still here');
  await until(() => got.length === 1, 'the first channel still works');
  call.close();
});

test('data channels may come later, to a call of sound and picture', async () => {
  const call = await echo(() => [], {tracks: [media.audio, media.video]});
  await call.session.event(call.handle, event => event.janus === 'webrtcup', 'webrtcup');
  const channel = call.peer.pc.createDataChannel('late');
  const got = listen(channel);
  const event = await call.session.message(call.handle, {audio: true}, await call.peer.offer());
  await call.peer.accept(event.jsep);
  await opened(channel);
  const large = randomBytes(100_000);
  channel.send('hello');
  channel.send(large);
  await until(() => got.length === 2, 'answers');
  assert.equal(got[0], `${words}hello`);
  assert.equal(hash(got[1]), hash(large));
  // A further renegotiation leaves them alone.
  const again = await call.session.message(call.handle, {video: true}, await call.peer.offer({iceRestart: true}));
  await call.peer.accept(again.jsep);
  channel.send('after it');
  await until(() => got.length === 3, 'an answer after the renegotiation');
  call.close();
});

test('the old SDP form gets an answer of the old form', async () => {
  const old = sdp => sdp
    .replace(/m=application (\d+) UDP\/DTLS\/SCTP webrtc-datachannel/, 'm=application $1 DTLS/SCTP 5000')
    .replace(/a=sctp-port:5000\r\n/, 'a=sctpmap:5000 webrtc-datachannel 1024\r\n')
    .replace(/a=max-message-size:.*\r\n/, '');
  const session = await Session.open();
  const handle = await session.attach('janus.plugin.echotest');
  const peer = new Peer();
  const channel = peer.pc.createDataChannel('old');
  const got = listen(channel);
  const offer = await peer.offer();
  const event = await session.message(handle, {audio: true}, {...offer, sdp: old(offer.sdp)});
  assert.match(event.jsep.sdp, /m=application \d+ DTLS\/SCTP 5000/);
  assert.match(event.jsep.sdp, /a=sctpmap:5000 webrtc-datachannel/);
  const modern = event.jsep.sdp
    .replace(/m=application (\d+) DTLS\/SCTP 5000/, 'm=application $1 UDP/DTLS/SCTP webrtc-datachannel')
    .replace(/a=sctpmap:.*\r\n/, 'a=sctp-port:5000\r\n');
  await peer.accept({type: 'answer', sdp: modern});
  await opened(channel);
  channel.send('x');
  await until(() => got.length === 1, 'an answer');
  peer.close();
  session.close();
});

// Publishes with a data channel, and perhaps tracks.
async function publish(id, tracks = []) {
  const session = await Session.open();
  const handle = await session.attach('janus.plugin.videoroom');
  const joined = await session.message(handle, {request: 'join', ptype: 'publisher', room: 77, id});
  assert.equal(joined.plugindata.data.videoroom, 'joined');
  const peer = new Peer(tracks);
  const channel = peer.pc.createDataChannel('JanusDataChannel');
  const published = await session.message(handle, {request: 'publish'}, await peer.offer());
  await peer.accept(published.jsep);
  await opened(channel);
  return {session, handle, peer, channel, close() { peer.close(); session.close(); }};
}

test('a video room relays a publisher\'s data on a channel with its id', async () => {
  const one = await publish(81, [media.audio]), two = await publish(82);
  const session = await Session.open();
  const handle = await session.attach('janus.plugin.videoroom');
  const offer = await session.message(handle,
    {request: 'join', ptype: 'subscriber', room: 77, streams: [{feed: 81}, {feed: 82}]});
  const data = offer.plugindata.data.streams.filter(stream => stream.type === 'data');
  assert.equal(data.length, 1);
  assert.deepEqual([...data[0].source_ids].sort(), [81, 82]);
  const peer = new Peer();
  const logs = new Map();
  peer.pc.ondatachannel = ({channel}) => logs.set(channel.label, listen(channel));
  // As client libraries do when they answer.
  const own = peer.pc.createDataChannel('JanusDataChannel');
  const answer = await peer.answer(offer.jsep);
  await session.message(handle, {request: 'start', room: 77}, answer);
  await session.event(handle, event => event.janus === 'webrtcup', 'webrtcup');
  await opened(own);
  one.channel.send('hello from 81');
  two.channel.send(Buffer.from('binary from 82'));
  const large = randomBytes(200_000);
  one.channel.send(large);
  await until(() => logs.get('81')?.length === 2 && logs.get('82')?.length === 1, 'the data of both', 20_000);
  assert.equal(logs.get('81')[0], 'hello from 81');
  assert.equal(hash(logs.get('81')[1]), hash(large));
  assert.deepEqual(logs.get('82')[0], Buffer.from('binary from 82'));
  own.send('nobody hears this');
  one.channel.send('more');
  await until(() => logs.get('81').length === 3, 'more');
  peer.close();
  session.close();
  one.close();
  two.close();
});

test('a client that only sends, and ends without a word, harms nobody', async () => {
  const rude = await echo(pc => [pc.createDataChannel('flood')]);
  await opened(rude.channels[0]);
  const chunk = randomBytes(65536);
  for (let i = 0; i < 150; ++i) rude.channels[0].send(chunk);
  const polite = await echo(pc => [pc.createDataChannel('chat')]);
  const got = listen(polite.channels[0]);
  await opened(polite.channels[0]);
  polite.channels[0].send('are you there?');
  await until(() => got.length === 1, 'an answer beside the flood');
  rude.close();
  polite.channels[0].send('still?');
  await until(() => got.length === 2, 'an answer after the flood');
  polite.close();
});

test('hundreds of connections come and go', async () => {
  for (let round = 0; round < 10; ++round) {
    const calls = await Promise.all(Array.from({length: 8}, () => echo(pc => [pc.createDataChannel('brief')])));
    await Promise.all(calls.map(async call => {
      const got = listen(call.channels[0]);
      await opened(call.channels[0]);
      call.channels[0].send('x');
      await until(() => got.length === 1, 'an answer');
      call.close();
    }));
  }
  const info = await fetch(`${gateway.http}janus/info`).then(reply => reply.json());
  assert.equal(info.data_channels, true);
});
