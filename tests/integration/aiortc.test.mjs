// aiortc, a peer in Python: sound, picture and data channels through the echo test.
import assert from 'node:assert/strict';
import {execFile, spawnSync} from 'node:child_process';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {startGateway} from '../lib/gateway.mjs';
import {address, enterNamespace} from '../lib/namespace.mjs';

// The system's Python has the packaged modules, whatever else is in the path.
const python = ['/usr/bin/python3', 'python3'].find(python => spawnSync(python, ['-c', 'import aiortc, websockets']).status === 0);
const skip = python ? enterNamespace() : 'no aiortc: apt-get install python3-aiortc python3-websockets';

let gateway;
before(async () => {
  if (!skip) gateway = await startGateway({set: {'cardea.media.address': address}});
});
after(() => gateway?.stop());

async function peer(what) {
  const script = fileURLToPath(new URL('aiortc_peer.py', import.meta.url));
  const {stdout} = await promisify(execFile)(python, [script, gateway.ws, what], {timeout: 90_000});
  return JSON.parse(stdout);
}

function watched({frames, width, shades, loudest}) {
  assert.equal(width, 320);
  assert.ok(shades >= 5, `${shades} shades in ${frames} frames`);
  assert.ok(loudest > 2000 && loudest < 20000, `${loudest}`);
}

test('aiortc gets back its sound, its picture and its data', {skip}, async () => {
  const seen = await peer('echo');
  assert.equal(seen.text, 'Janus EchoTest here! You wrote: hello');
  assert.equal(seen.empty, 'Janus EchoTest here! You wrote: ');
  const sizes = [0, 1, 1200, 65536, 262144];
  assert.deepEqual(seen.data, ['ordered', 'unordered'].flatMap(label => sizes.map(size => [label, size, size, true])));
  assert.equal(seen.state, 'connected');
  watched(seen.media);
  assert.equal(seen.frames_while_muted, 0);
  assert.ok(seen.events.includes('webrtcup') && seen.events.includes('media'), `${seen.events}`);
});

test('aiortc publishes in the video room and watches', {skip}, async () => {
  const seen = await peer('room');
  assert.deepEqual(seen.started, {videoroom: 'event', room: 1234, started: 'ok'});
  assert.deepEqual(seen.data, [true, 'to those who watch']);
  watched(seen.media);
});
