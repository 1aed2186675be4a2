// Headless Firefox with a fake camera and microphone, driven by WebDriver BiDi.
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import WebSocket from 'ws';
import {until} from './gateway.mjs';

const binary = ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync);
/** Why there is no Firefox to test with; undefined if there is. */
export const missing = binary ? undefined : 'no Firefox: apt-get install firefox-esr';

const preferences = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.peerconnection.ice.loopback': true, // the tests' only network
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.cubeb.force_mock_context': true, // an AudioContext runs where there is no sound card
  'media.getusermedia.insecure.enabled': true,
  'media.devices.insecure.enabled': true,
  'media.gmp-manager.updateEnabled': false,
  'app.update.enabled': false,
  'app.normandy.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'toolkit.telemetry.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'remote.active-protocols': 1,
  'remote.prefs.recommended': true,
};

export async function startFirefox() {
  const profile = mkdtempSync(join(tmpdir(), 'cardea-firefox-'));
  writeFileSync(join(profile, 'user.js'),
    Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(''));
  const options = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', binary, ...options],
    {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, HOME: profile, MOZ_HEADLESS_WIDTH: '1280', MOZ_HEADLESS_HEIGHT: '900'}});
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (said += data));
  const exited = new Promise(resolve => child.on('exit', resolve));
  const [, address] = await until(() => /WebDriver BiDi listening on (ws:\S+)/.exec(said), 'Firefox listens', 60_000);
  return Firefox.open(address, async () => {
    child.kill('SIGTERM');
    if (await Promise.race([exited.then(() => false), new Promise(resolve => setTimeout(resolve, 10_000, true).unref())])) child.kill('SIGKILL');
    await exited;
    rmSync(profile, {recursive: true, force: true, maxRetries: 5});
  });
}

class Firefox {
  #socket;
  #end;
  #waiting = new Map();
  #number = 0;
  #listeners = [];

  static async open(address, end) {
    const firefox = new Firefox();
    firefox.#end = end;
    firefox.#socket = new WebSocket(`${address}/session`, {maxPayload: 1 << 28});
    await new Promise((resolve, reject) => firefox.#socket.on('open', resolve).on('error', reject));
    firefox.#socket.on('message', data => firefox.#receive(JSON.parse(data)));
    await firefox.ask('session.new', {capabilities: {alwaysMatch: {acceptInsecureCerts: true}}});
    await firefox.ask('session.subscribe', {events: ['log.entryAdded']});
    return firefox;
  }
  #receive(message) {
    if (message.type === 'event') return this.#listeners.forEach(listener => listener(message));
    const {resolve, reject} = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'error') reject(new Error(`${message.error}: ${message.message}`));
    else resolve(message.result);
  }
  ask(method, params, ms = 60_000) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#number, {resolve, reject});
      this.#socket.send(JSON.stringify({id: this.#number, method, params}));
      setTimeout(reject, ms, new Error(`Firefox did not answer ${method}: ${JSON.stringify(params)}`)).unref();
    });
  }

  /** A page with its errors collected in `problems`. */
  async openPage(url) {
    const {context} = await this.ask('browsingContext.create', {type: 'tab'});
    const page = new Page(this, context);
    this.#listeners.push(({method, params}) => {
      if (method === 'log.entryAdded' && params.source.context === context && params.level === 'error') page.problems.push(params.text);
    });
    if (url) await page.goto(url);
    return page;
  }

  async close() {
    this.#socket.close();
    await this.#end();
  }
}

class Page {
  problems = [];
  constructor(firefox, context) {
    Object.assign(this, {firefox, context});
  }
  goto(url) { return this.firefox.ask('browsingContext.navigate', {context: this.context, url, wait: 'complete'}); }
  /** Runs a function in the page, with an argument that can be written as JSON, and returns what it resolves with. */
  async evaluate(code, argument = null) {
    const functionDeclaration = `async argument => JSON.stringify(await (${code})(JSON.parse(argument)) ?? null)`;
    const {type, result, exceptionDetails} = await this.firefox.ask('script.callFunction', {
      functionDeclaration, awaitPromise: true, target: {context: this.context}, arguments: [{type: 'string', value: JSON.stringify(argument)}],
      userActivation: true,
    });
    if (type === 'exception') throw new Error(exceptionDetails.text);
    return JSON.parse(result.value);
  }
  /** Waits until the function returns something true in the page. */
  waitFor(code, argument, what = String(code), ms = 30_000) {
    return until(() => this.evaluate(code, argument), what, ms);
  }
  async screenshot() {
    const {data} = await this.firefox.ask('browsingContext.captureScreenshot', {context: this.context});
    return Buffer.from(data, 'base64');
  }
  close() { return this.firefox.ask('browsingContext.close', {context: this.context}); }
}
