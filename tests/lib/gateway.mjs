// Starts the built gateway on free ports with settings and configuration files, and stops it properly.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {createSocket} from 'node:dgram';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const build = process.env.CARDEA_BUILD ?? fileURLToPath(new URL('../../build', import.meta.url));
export const binary = process.env.CARDEA ?? join(build, 'root/bin/cardea');

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const {port} = server.address();
      server.close(() => resolve(port));
    });
  });
}

// `count` UDP ports in a row.
async function freeUdpPorts(count) {
  for (let tries = 0; tries < 50; ++tries) {
    const first = 20000 + Math.floor(Math.random() * 20000);
    const sockets = [];
    try {
      for (let i = 0; i < count; ++i) {
        const socket = createSocket('udp4');
        sockets.push(socket);
        await new Promise((resolve, reject) => socket.on('error', reject).bind(first + i, '127.0.0.1', resolve));
      }
      return first;
    } catch {
      // taken: try elsewhere
    } finally {
      sockets.forEach(socket => socket.close());
    }
  }
  throw new Error('no free UDP ports');
}

export const until = async (condition, what, ms = 10_000) => {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never came true: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
};

/**
 * @param {{set?: Record<string, string|number|boolean>, files?: Record<string, string>, workers?: number}} options
 *   `set`: --set options by name; `files`: configuration files by name
 */
export async function startGateway({set = {}, files = {}, workers = 1} = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-test-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const [ws, http, https, media] = [await freePort(), await freePort(), await freePort(), await freeUdpPorts(workers)];
  const settings = {
    'cardea.general.state_folder': join(folder, 'state'),
    'cardea.media.address': '127.0.0.1',
    'cardea.media.port': media,
    'cardea.media.workers': workers,
    'websockets.general.ws_ip': '127.0.0.1',
    'websockets.general.ws_port': ws,
    'http.general.ip': '127.0.0.1',
    'http.general.port': http,
    'http.general.secure_ip': '127.0.0.1',
    'http.general.secure_port': https,
    ...set,
  };
  const args = ['--config', folder, ...Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])];
  const child = spawn(binary, args, {stdio: ['ignore', 'pipe', 'pipe']});
  const gateway = {
    ws: `ws://127.0.0.1:${ws}/`,
    http: `http://127.0.0.1:${http}/`,
    https: `https://127.0.0.1:${https}/`,
    media,
    pid: child.pid,
    output: '',
    exited: null,
    /** Ends it with SIGTERM; it must exit with 0 within five seconds. */
    async stop() {
      child.kill('SIGTERM');
      const code = await Promise.race([gateway.exited, new Promise(resolve => setTimeout(resolve, 5000, 'no end').unref())]);
      if (code === 'no end') child.kill('SIGKILL');
      rmSync(folder, {recursive: true, force: true});
      assert.equal(code, 0, `the gateway ended with ${code}:\n${gateway.output.slice(-4000)}`);
    },
  };
  gateway.exited = new Promise(resolve => child.on('exit', (code, signal) => resolve(code ?? signal)));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (gateway.output += data));
  let over = false;
  gateway.exited.then(() => (over = true));
  await until(async () => {
    if (over) throw new Error(`the gateway did not start:\n${gateway.output}`);
    return fetch(`${gateway.http}janus/info`).then(reply => reply.ok, () => false);
  }, 'the gateway answers');
  return gateway;
}
