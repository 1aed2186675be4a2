// Starts the built gateway on ports that the system chooses, with settings and configuration files, and stops it properly.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const build = process.env.CARDEA_BUILD ?? fileURLToPath(new URL('../../build', import.meta.url));
export const binary = process.env.CARDEA ?? join(build, 'root/bin/cardea');

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
 * @param {{set?: Record<string, string|number|boolean>, files?: Record<string, string>, workers?: number,
 *   env?: Record<string, string>}} options
 *   `set`: --set options by name; `files`: configuration files by name; `env`: more of the environment
 */
export async function startGateway({set = {}, files = {}, workers = Number(process.env.CARDEA_WORKERS ?? 1), env = {}} = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-test-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const settings = {
    'cardea.general.state_folder': join(folder, 'state'),
    'cardea.media.address': '127.0.0.1',
    'cardea.media.port': 0,
    'cardea.media.workers': workers,
    'cardea.limits.exempt': '127.0.0.0/8', // all clients of a test come from one address
    'websockets.general.ws_ip': '127.0.0.1',
    'websockets.general.ws_port': 0,
    'http.general.ip': '127.0.0.1',
    'http.general.port': 0,
    'http.general.secure_ip': '127.0.0.1',
    'http.general.secure_port': 0,
    ...set,
  };
  const args = ['--config', folder, ...Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])];
  // It ends with this process, also where a native client module takes the process down.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', binary, ...args],
    {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...env}});
  const gateway = {
    ws: null, // addresses, as the gateway prints them
    http: null,
    https: null,
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
  await until(() => {
    if (over) throw new Error(`the gateway did not start:\n${gateway.output}`);
    for (const scheme of ['ws', 'http', 'https']) {
      const [, port] = new RegExp(`^${scheme}://[^/]*:(\\d+)/`, 'm').exec(gateway.output) ?? [];
      if (port) gateway[scheme] = `${scheme}://127.0.0.1:${port}/`;
    }
    return gateway.ws && gateway.http && gateway.https;
  }, 'the gateway prints its addresses');
  return gateway;
}
