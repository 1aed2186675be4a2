// A plugin outside the tree, made from the installed template as its README says, is loaded and answers.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {cpSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {binary, startGateway} from '../lib/gateway.mjs';

const prefix = dirname(dirname(binary));

const post = async (url, body) => (await fetch(url, {method: 'POST', body: JSON.stringify(body)})).json();

test('a plugin built from the installed template is loaded beside ours', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-template-'));
  t.after(() => rmSync(folder, {recursive: true, force: true}));
  cpSync(join(prefix, 'share/cardea/template'), join(folder, 'source'), {recursive: true});
  const run = (command, ...args) =>
    execFileSync(command, args, {
      cwd: join(folder, 'source'),
      env: {...process.env, PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig')},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  run('autoreconf', '--install');
  run('./configure', '--quiet', `--with-plugindir=${join(folder, 'plugins')}`, 'CXXFLAGS=-O0');
  run('make', 'install');

  const gateway = await startGateway({
    files: {'cardea.cfg': `general: { plugins_folder = [ "${join(prefix, 'lib/cardea/plugins')}", "${join(folder, 'plugins')}" ]; };`},
  });
  t.after(() => gateway.stop());
  const api = `${gateway.http}janus`;
  const info = await (await fetch(`${api}/info`)).json();
  assert.ok(info.plugins['cardea.plugin.echotest'], 'ours');
  assert.equal(info.plugins['example.plugin.echo'].version_string, '1.0');
  const session = (await post(api, {janus: 'create', transaction: '1'})).data.id;
  const attached = await post(`${api}/${session}`, {janus: 'attach', plugin: 'example.plugin.echo', transaction: '2'});
  assert.equal(attached.janus, 'success', JSON.stringify(attached));
  const sent = {janus: 'message', transaction: '3', body: {request: 'configure', audio: true}};
  assert.equal((await post(`${api}/${session}/${attached.data.id}`, sent)).janus, 'ack');
  const event = await (await fetch(`${api}/${session}`)).json();
  assert.equal(event.transaction, '3', JSON.stringify(event));
  assert.equal(event.plugindata.plugin, 'example.plugin.echo');
});
