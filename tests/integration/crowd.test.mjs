// More clients than there are descriptors.
import assert from 'node:assert/strict';
import {chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {RawWebSocket} from '../lib/client.mjs';

const folder = mkdtempSync(join(tmpdir(), 'cardea-crowd-'));
after(() => rmSync(folder, {recursive: true, force: true}));

/** The gateway with limits of its own. */
async function limited(name, limits) {
  const {binary} = await import('../lib/gateway.mjs');
  const wrapper = join(folder, name);
  writeFileSync(wrapper, `#!/bin/sh\nexec prlimit --nofile=${limits} ${process.env.CARDEA_REAL ?? binary} "$@"\n`);
  chmodSync(wrapper, 0o755);
  process.env.CARDEA_REAL ??= binary;
  process.env.CARDEA = wrapper;
  const fresh = await import(`../lib/gateway.mjs?${name}`);
  return fresh.startGateway();
}

test('the descriptor limit is raised as far as it may be', async () => {
  const gateway = await limited('raised', '512:4096');
  try {
    assert.match(readFileSync(`/proc/${gateway.pid}/limits`, 'utf8'), /Max open files +4096 +4096/);
  } finally {
    await gateway.stop();
  }
});

test('1,100 idle sockets at 1,024 descriptors shut nobody out', async () => {
  const gateway = await limited('full', '1024:1024');
  const sockets = [];
  try {
    const caller = await RawWebSocket.open(gateway.ws);
    caller.send(1, '{"janus":"create","transaction":"c"}');
    const {data: {id}} = await caller.reply();
    for (let i = 0; i < 1100; ++i) sockets.push(await RawWebSocket.open(gateway.ws));
    assert.ok(sockets.every(socket => socket.upgraded));
    const newcomer = await RawWebSocket.open(gateway.ws);
    newcomer.send(1, '{"janus":"ping","transaction":"p"}');
    assert.equal((await newcomer.reply()).janus, 'pong');
    // Whoever has a session stays, however long it was silent.
    caller.send(1, `{"janus":"keepalive","session_id":${id},"transaction":"k"}`);
    assert.equal((await caller.reply()).janus, 'ack');
    assert.match(gateway.output, /idle connections without a session closed to let others in/);
    newcomer.close();
    caller.close();
  } finally {
    for (const socket of sockets) socket.close();
    await gateway.stop();
  }
});
