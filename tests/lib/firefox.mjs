// Headless Firefox with fake devices, driven over WebDriver BiDi.
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import WebSocket from 'ws';
import {until} from './gateway.mjs';

export const firefoxPath = ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync);

const preferences = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-manager.url': '',
  'app.update.enabled': false,
  'app.normandy.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.server': '',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'extensions.update.enabled': false,
  'services.settings.server': '',
};

export async function startFirefox() {
  const profile = mkdtempSync(join(tmpdir(), 'cardea-firefox-'));
  writeFileSync(join(profile, 'user.js'),
    Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(''));
  const child = spawn(firefoxPath, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank'],
    {stdio: ['ignore', 'ignore', 'pipe'], env: {...process.env, HOME: profile}});
  let output = '';
  child.stderr.on('data', data => (output += data));
  const exited = new Promise(resolve => child.on('exit', resolve));
  const [, url] = await until(() => /listening on (ws:\S+)/.exec(output), 'Firefox listens', 30_000);
  const socket = new WebSocket(`${url}/session`);
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const pending = new Map();
  let last = 0;
  const send = (method, params) => new Promise((resolve, reject) => {
    socket.send(JSON.stringify({id: ++last, method, params}));
    pending.set(last, {resolve, reject});
  });
  const problems = [];
  socket.on('message', data => {
    const message = JSON.parse(data);
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    if (message.type === 'success') waiting?.resolve(message.result);
    else if (message.type === 'error') waiting?.reject(new Error(`${message.error}: ${message.message}`));
    else if (message.method === 'log.entryAdded' && message.params.level === 'error') problems.push(message.params.text);
  });
  await send('session.new', {capabilities: {alwaysMatch: {acceptInsecureCerts: true}}});
  await send('session.subscribe', {events: ['log.entryAdded']});
  // Every peer connection of a page, for its statistics.
  await send('script.addPreloadScript', {functionDeclaration: `() => {
    window.connections = [];
    const Native = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Native { constructor(...args) { super(...args); window.connections.push(this); } };
  }`});
  return {
    problems,
    async open(page) {
      const {context} = await send('browsingContext.create', {type: 'window'});
      await send('browsingContext.navigate', {context, url: page, wait: 'complete'});
      return {
        /** Runs the function in the page; what goes in and comes out is JSON. */
        async evaluate(text, ...given) {
          const {type, result, exceptionDetails} = await send('script.callFunction', {
            functionDeclaration: `async json => JSON.stringify(await (${text})(...JSON.parse(json)))`, awaitPromise: true, target: {context},
            arguments: [{type: 'string', value: JSON.stringify(given)}],
          });
          if (type === 'exception') throw new Error(exceptionDetails.text);
          return result.value === undefined ? undefined : JSON.parse(result.value);
        },
        close: () => send('browsingContext.close', {context}),
      };
    },
    async stop() {
      await Promise.race([send('browser.close', {}).catch(() => {}), new Promise(resolve => setTimeout(resolve, 3000).unref())]);
      socket.terminate();
      const quiet = await Promise.race([exited.then(() => true), new Promise(resolve => setTimeout(resolve, 5000, false).unref())]);
      if (!quiet) child.kill('SIGKILL');
      await exited;
      rmSync(profile, {recursive: true, force: true, maxRetries: 3});
    },
  };
}
