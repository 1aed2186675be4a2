import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway} from '../lib/gateway.mjs';

let gateway, browser;
before(async () => {
  gateway = await startGateway();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

// In the page: a call to the echo test with data channels as `kinds` says. What comes back is compared there.
async function echo([ws, kinds]) {
  const socket = new WebSocket(ws, 'janus-protocol');
  await new Promise((resolve, reject) => Object.assign(socket, {onopen: resolve, onerror: reject}));
  const waiting = new Map();
  let number = 0;
  socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    if (message.janus !== 'ack') waiting.get(message.transaction)?.(message);
  };
  const ask = request => new Promise(resolve => {
    const transaction = `t${++number}`;
    waiting.set(transaction, resolve);
    socket.send(JSON.stringify({...request, transaction}));
  });
  const session_id = (await ask({janus: 'create'})).data.id;
  const handle_id = (await ask({janus: 'attach', session_id, plugin: 'janus.plugin.echotest'})).data.id;
  const pc = new RTCPeerConnection();
  const channels = kinds.map(({label, ...options}) => pc.createDataChannel(label, options));
  await pc.setLocalDescription(await pc.createOffer());
  await new Promise(resolve => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && resolve();
    if (pc.iceGatheringState === 'complete') resolve();
  });
  const reply = await ask({janus: 'message', session_id, handle_id, body: {audio: true}, jsep: pc.localDescription.toJSON()});
  await pc.setRemoteDescription(reply.jsep);
  await Promise.all(channels.map(channel => new Promise(resolve => {
    channel.binaryType = 'arraybuffer';
    channel.onopen = resolve;
  })));
  // One way and back; the answer.
  const round = (channel, message) => new Promise(resolve => {
    channel.onmessage = ({data}) => resolve(data);
    channel.send(message);
  });
  const results = [];
  for (const channel of channels) {
    results.push(await round(channel, 'hello'));
    for (const size of [0, 1, 1200, 65536, 262144]) {
      const bytes = new Uint8Array(size).map((_, i) => (i * 7 + size) & 255);
      const back = new Uint8Array(await round(channel, bytes));
      results.push(back.length === size && back.every((byte, i) => byte === bytes[i]));
    }
    channel.close();
    await new Promise(resolve => (channel.onclose = resolve));
  }
  pc.close();
  socket.close();
  return {results, maxMessageSize: pc.sctp?.maxMessageSize};
}

test('a browser gets back what it sends on channels of every kind', async () => {
  const page = await openPage(browser, `${gateway.http}echotest.html`);
  const kinds = [
    {label: 'JanusDataChannel'},
    {label: 'unordered', ordered: false, protocol: 'json'},
    {label: 'by count', ordered: false, maxRetransmits: 3},
    {label: 'by time', maxPacketLifeTime: 3000},
  ];
  const {results} = await page.evaluate(echo, [gateway.ws, kinds]);
  const wanted = kinds.flatMap(() => ['Janus EchoTest here! You wrote: hello', true, true, true, true, true]);
  assert.deepEqual(results, wanted);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
