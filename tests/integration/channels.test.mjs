// Data channels that are rarer, and links that lose packets: a real peer connection under node against the echo test.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {before, test} from 'node:test';
import {startGateway, until} from '../lib/gateway.mjs';
import {isData, makeRelay} from '../lib/lossy.mjs';
import {Session, listen, opened} from '../lib/session.mjs';
import {Peer, lastly} from '../lib/wrtc.mjs';

let gateway, relay;
before(async () => {
  relay = await makeRelay({loses: isData});
  gateway = await startGateway({
    set: {'cardea.media.port': relay.target, 'cardea.nat.nat_1_1_mapping': `127.0.0.1:${relay.port}`}});
});
lastly(async () => {
  await gateway?.stop();
  relay?.close();
});

const words = 'Janus EchoTest here! You wrote: ';
const hash = bytes => createHash('sha256').update(bytes).digest('hex');

/** A peer connection to the echo test with the channels that `make` opens. */
async function echo(make) {
  const session = await Session.open(gateway.ws);
  const handle = await session.attach('janus.plugin.echotest');
  const peer = new Peer();
  const channels = make(peer.pc);
  const event = await session.message(handle, {audio: true}, await peer.offer());
  await peer.accept(event.jsep);
  await Promise.all(channels.map(channel => opened(channel)));
  return {
    session, handle, peer, channels,
    close() {
      peer.close();
      session.close();
    },
  };
}

test('negotiated channels are answered each on its own stream', async () => {
  const call = await echo(pc => [
    pc.createDataChannel('JanusDataChannel'),
    pc.createDataChannel('one', {negotiated: true, id: 100}),
    pc.createDataChannel('two', {negotiated: true, id: 7, ordered: false}),
    pc.createDataChannel('three', {negotiated: true, id: 255}),
  ]);
  const logs = call.channels.map(listen);
  for (let i = 0; i < 20; ++i) for (const channel of call.channels) channel.send(`${channel.label} ${i}`);
  await until(() => logs.every(log => log.length === 20), 'all come back');
  for (const [at, log] of logs.entries())
    assert.deepEqual([...log].sort(), Array.from({length: 20}, (_, i) => `${words}${call.channels[at].label} ${i}`).sort());
  call.close();
});

test('a negotiated channel closes, and its stream serves another one', async () => {
  const call = await echo(pc => [pc.createDataChannel('first', {negotiated: true, id: 4})]);
  for (let round = 0; round < 3; ++round) {
    const [channel] = call.channels;
    const got = listen(channel);
    channel.send('x');
    await until(() => got.length === 1, 'an answer');
    channel.close();
    await until(() => channel.readyState === 'closed', 'the close');
    call.channels[0] = call.peer.pc.createDataChannel(`round ${round}`, {negotiated: true, id: 4});
    await opened(call.channels[0]);
  }
  call.close();
});

test('channels of the same label are told apart', async () => {
  const call = await echo(pc => [pc.createDataChannel('same'), pc.createDataChannel('same')]);
  const logs = call.channels.map(listen);
  call.channels[0].send('one');
  call.channels[1].send('two');
  await until(() => logs.every(log => log.length === 1), 'both are answered');
  assert.deepEqual(logs, [[`${words}one`], [`${words}two`]]);
  call.close();
});

for (const percent of [1, 5, 20]) {
  test(`a link that loses ${percent} % delivers everything in order, both ways`, async () => {
    relay.loss = percent / 100;
    const lost = relay.lost;
    const call = await echo(pc => [pc.createDataChannel('chat'), pc.createDataChannel('lossy', {ordered: false, maxRetransmits: 0})]);
    const [got, gotLossy] = call.channels.map(listen);
    const sent = Array.from({length: 60}, (_, i) => randomBytes([1, 20, 1200, 5000][i % 4]));
    sent.push(randomBytes(65536));
    for (const bytes of sent) {
      call.channels[0].send(bytes);
      call.channels[1].send(bytes.subarray(0, 1000));
    }
    await until(() => got.length === sent.length, 'all come back', 60_000);
    assert.deepEqual(got.map(hash), sent.map(hash));
    assert.ok(gotLossy.length <= sent.length);
    assert.ok(relay.lost > lost, 'something was lost');
    relay.loss = 0;
    call.close();
  });
}
