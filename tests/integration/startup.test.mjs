// Starting and stopping: options, settings that are wrong, ports in use, certificates, modules that do not fit, and SIGTERM at
// every bad moment.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {createSocket} from 'node:dgram';
import {chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import net from 'node:net';
import {tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import {test as testOf} from 'node:test';
import tls from 'node:tls';
import {Link, RawWebSocket, ask, held, request, takeAnswer} from '../lib/client.mjs';
import {binary, startGateway, until} from '../lib/gateway.mjs';
import {Random} from '../lib/random.mjs';
import {Session, opened} from '../lib/session.mjs';
import {Peer, lastly} from '../lib/wrtc.mjs';

// Who waits for ever shall be named.
const test = (name, run) => testOf(name, {timeout: 60_000}, run);

const folder = mkdtempSync(join(tmpdir(), 'cardea-startup-'));
lastly(() => rmSync(folder, {recursive: true, force: true}));
let folders = 0;
const fresh = () => {
  const path = join(folder, `${++folders}`);
  mkdirSync(path);
  return path;
};

const loopback = [
  'cardea.media.address=127.0.0.1', 'websockets.general.ws_ip=127.0.0.1', 'http.general.ip=127.0.0.1', 'http.general.secure_ip=127.0.0.1'];
const anyPorts = ['cardea.media.port=0', 'websockets.general.ws_port=0', 'http.general.port=0', 'http.general.secure_port=0'];
const options = settings => settings.flatMap(one => ['--set', one]);

/** Runs the program until it ends by itself: {code, out, err}. */
function run(...args) {
  const child = spawn(binary, args, {stdio: ['ignore', 'pipe', 'pipe']});
  const result = {out: '', err: ''};
  child.stdout.on('data', data => (result.out += data));
  child.stderr.on('data', data => (result.err += data));
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
  return new Promise(resolve => child.on('close', (code, signal) => {
    clearTimeout(late);
    resolve({...result, code: code ?? signal});
  }));
}

/** It did not start, and says why in one line. */
function refused(result, sentence) {
  assert.equal(result.code, 1, result.out + result.err);
  assert.match(result.err, /^cardea: [^\n]+\n$/);
  assert.match(result.err, sentence);
}

test('options that only tell something tell it and end', async () => {
  const [help, version, list] = await Promise.all([run('--help'), run('--version'), run('--list-settings')]);
  assert.deepEqual([help.code, version.code, list.code], [0, 0, 0]);
  for (const option of ['--config', '--set', '--check-config', '--list-settings', '--version', '--help']) assert.ok(help.out.includes(option));
  assert.match(version.out, /^cardea \d+\.\d+/);
  const lines = list.out.trimEnd().split('\n');
  assert.equal(lines[0], 'setting\ttype\tunit\tdefault\tmeaning');
  assert.ok(lines.length > 80);
  for (const line of lines) assert.equal(line.split('\t').length, 5, line);
  for (const name of ['cardea.media.port', 'websockets.general.ws_port', 'http.general.port', 'videoroom.general.string_ids', 'textroom.general.json'])
    assert.ok(lines.some(line => line.startsWith(`${name}\t`)), name);
});

test('options that are wrong are refused', async () => {
  for (const args of [['--nonsense'], ['stray'], ['--set'], ['--config']]) {
    const result = await run(...args);
    assert.equal(result.code, 1, args.join(' '));
    assert.ok(result.err.length > 0 && result.err.length < 400, result.err);
  }
});

test('settings are checked, and what is wrong is named with its file and line', async () => {
  const good = fresh();
  writeFileSync(join(good, 'cardea.cfg'), 'general: { session_timeout = 30; };\n');
  writeFileSync(join(good, 'videoroom.cfg'), 'room-5: { description = "five"; };\n');
  const checked = await run('--config', good, '--check-config');
  assert.equal(checked.code, 0, checked.err);
  assert.match(checked.out, /good/);
  for (const [file, text, sentence] of [
    ['cardea.cfg', 'general: {\n  session_timeout = "soon";\n};\n', /cardea\.cfg:2: general\.session_timeout: should be a whole number from 0 to 1000000 s, not "soon"/],
    ['cardea.cfg', 'general: {\n  session_timeout = ;\n};\n', /cardea\.cfg:2: /],
    ['cardea.cfg', 'media: {\n\n  no_media_timer = 4294967297;\n};\n', /cardea\.cfg:3: media\.no_media_timer: should be a whole number from 0 to 86400 s, not 4294967297/],
    ['websockets.cfg', 'general: {\n  ws_prot = 1;\n};\n', /websockets\.cfg:2: general\.ws_prot: no such setting/],
    ['http.cfg', 'general: {\n  max_queue = 1;\n};\n', /http\.cfg:2: general\.max_queue: should be a whole number from 4096 to 1073741824 bytes, not 1/],
    ['videoroom.cfg', 'room-1: { };\nroom-2: {\n  publishers = "many";\n};\n', /videoroom\.cfg:3: room-2\.publishers: /],
    ['textroom.cfg', 'general: {\n  message_rate = -5;\n};\n', /textroom\.cfg:2: general\.message_rate: /],
    ['echotest.cfg', 'general: {\n  loud = true;\n};\n', /echotest\.cfg:/],
  ]) {
    const bad = fresh();
    writeFileSync(join(bad, file), text);
    refused(await run('--config', bad, '--check-config'), sentence);
    refused(await run('--config', bad, ...options([...loopback, ...anyPorts])), sentence);
  }
  refused(await run('--config', join(folder, 'nowhere'), '--check-config'), /nowhere/);
  for (const [setting, sentence] of [
    ['cardea.media.port=70000', /--set cardea\.media\.port: should be a whole number from 0 to 65535, not "70000"/],
    ['http.general.port=', /--set http\.general\.port: should be a whole number/],
    ['nonsense.general.x=1', /--set nonsense: there is no such module/],
    ['cardea.media.port', /--set cardea\.media\.port: should be FILE\.SECTION\.KEY=VALUE/],
    ['cardea.certificates.cert_pem=/nowhere.pem', /nowhere\.pem/],
    ['cardea.media.address=192.0.2.1', /192\.0\.2\.1/],
  ]) refused(await run(...options([...loopback, ...anyPorts, setting])), sentence);
});

test('a port in use is one clear line', async () => {
  const taken = net.createServer();
  await new Promise(resolve => taken.listen(0, '127.0.0.1', resolve));
  const {port} = taken.address();
  for (const setting of ['websockets.general.ws_port', 'http.general.port', 'http.general.secure_port'])
    refused(await run(...options([...loopback, ...anyPorts, 'cardea.general.state_folder=', `${setting}=${port}`])), new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use`));
  taken.close();
  const udp = createSocket('udp4');
  await new Promise(resolve => udp.bind(0, '127.0.0.1', resolve));
  const {port: media} = udp.address();
  refused(await run(...options([...loopback, ...anyPorts, `cardea.media.port=${media}`])), new RegExp(`UDP port ${media} on 127\\.0\\.0\\.1 is in use`));
  udp.close();
});

const isFree = port => new Promise(resolve => {
  const probe = net.createServer().once('error', () => resolve(false)).listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
});
const isFreeUdp = port => new Promise(resolve => {
  const probe = createSocket('udp4').once('error', () => resolve(false)).bind(port, '127.0.0.1', () => probe.close(() => resolve(true)));
});

test('without settings the ports are those that clients expect', async t => {
  for (const port of [8188, 8088, 8089]) if (!(await isFree(port))) return t.skip(`port ${port} is in use`);
  if (!(await isFreeUdp(10000))) return t.skip('UDP port 10000 is in use');
  const gateway = await startGateway({set: {
    'cardea.media.port': 10000, 'websockets.general.ws_port': 8188, 'http.general.port': 8088, 'http.general.secure_port': 8089}});
  await gateway.stop();
  const child = spawn(binary, options([...loopback, `cardea.general.state_folder=${fresh()}`]), {stdio: ['ignore', 'pipe', 'pipe']});
  let out = '';
  child.stdout.on('data', data => (out += data));
  const ended = new Promise(resolve => child.on('exit', resolve));
  try {
    await until(() => /^https:/m.test(out), 'the addresses');
    for (const line of ['ws://127.0.0.1:8188/', 'http://127.0.0.1:8088/', 'https://127.0.0.1:8089/']) assert.ok(out.split('\n').includes(line), out);
    assert.equal(await isFreeUdp(10000), false);
  } finally {
    child.kill('SIGTERM');
  }
  assert.equal(await ended, 0);
});

const certificateOf = url => new Promise((resolve, reject) => {
  const socket = tls.connect({host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false}, () => {
    resolve(socket.getPeerX509Certificate());
    socket.destroy();
  }).on('error', reject);
});
const find = (path, name) => readdirSync(path, {recursive: true}).map(one => join(path, one)).find(one => basename(one) === name);

test('a certificate is made at the first start, kept for the next, and the operator may bring one', async () => {
  const state = fresh();
  const seen = [];
  for (let i = 0; i < 2; ++i) {
    const gateway = await startGateway({set: {'cardea.general.state_folder': state}});
    const certificate = await certificateOf(gateway.https);
    seen.push(certificate.fingerprint256);
    assert.match(certificate.subjectAltName, /DNS:localhost, IP Address:127\.0\.0\.1/);
    await gateway.stop();
  }
  assert.equal(seen[0], seen[1]);
  const kept = find(state, 'tls.pem');
  assert.equal(statSync(kept).mode & 0o777, 0o600);

  const own = join(fresh(), 'own.pem');
  copyFileSync(kept, own);
  const gateway = await startGateway({set: {'http.certificates.cert_pem': own, 'cardea.certificates.cert_pem': own}});
  assert.equal((await certificateOf(gateway.https)).fingerprint256, seen[0]);
  const session = await Session.open(gateway.ws);
  const handle = await session.attach('janus.plugin.echotest');
  const peer = new Peer();
  peer.pc.createDataChannel('any');
  const {jsep} = await session.message(handle, {audio: true}, await peer.offer());
  assert.match(jsep.sdp, new RegExp(`a=fingerprint:sha-256 ${seen[0]}`, 'i'));
  peer.close();
  session.close();
  await gateway.stop();

  writeFileSync(join(dirname(own), 'broken.pem'), readFileSync(own, 'utf8').replace(/[A-Z]{4}/g, 'AAAA'));
  for (const file of ['broken.pem', 'nowhere.pem'])
    refused(await run(...options([...loopback, ...anyPorts, `http.certificates.cert_pem=${join(dirname(own), file)}`])), new RegExp(file));
});

test('a kept certificate that is broken is replaced, and a folder that cannot be written is no obstacle', async () => {
  const state = fresh();
  const first = await startGateway({set: {'cardea.general.state_folder': state}});
  await first.stop();
  writeFileSync(find(state, 'tls.pem'), 'nonsense');
  const second = await startGateway({set: {'cardea.general.state_folder': state}});
  assert.ok(await certificateOf(second.https));
  await second.stop();
  writeFileSync(join(folder, 'a file'), '');
  const third = await startGateway({set: {'cardea.general.state_folder': join(folder, 'a file')}});
  assert.ok(await certificateOf(third.https));
  assert.match(third.output, /cannot be kept/);
  await third.stop();
});

// Modules

/** Compiles a shared object with this door; `door` replaces what a right one has. */
function makeModule(path, door = {}) {
  const d = {abi: 2, kind: 1, toolchain: toolchain(), package: 'test.plugin.none', create: 'made', ...door};
  const text = value => (value === null ? '0' : JSON.stringify(value));
  execFileSync('cc', ['-x', 'c', '-shared', '-fPIC', '-o', path, '-'], {input: `
    static void *made(void *host, void *log) { (void)host; (void)log; return 0; }
    struct door { unsigned abi, kind; const char *toolchain, *package, *alias, *version, *description; void *(*create)(void *, void *); };
    const struct door cardea_module = {${d.abi}, ${d.kind}, ${text(d.toolchain)}, ${text(d.package)}, 0, "1", "a test", ${d.create}};`});
  return path;
}
const pluginFolder = () => join(dirname(dirname(binary)), 'lib', 'cardea', 'plugins');
// As it stands in the modules that were built with the gateway.
const toolchain = () => /gcc-abi-\d+ cxx11-abi-\d/.exec(readFileSync(join(pluginFolder(), readdirSync(pluginFolder()).find(name => name.endsWith('.so'))), 'latin1'))[0];

test('modules that do not fit are named, each in one line, and the gateway goes on', async () => {
  const plugins = fresh();
  const [original] = readdirSync(pluginFolder()).filter(name => /echo.*\.so$/.test(name));
  makeModule(join(plugins, 'old.so'), {abi: 99});
  makeModule(join(plugins, 'foreign.so'), {toolchain: 'another compiler'});
  makeModule(join(plugins, 'kindless.so'), {kind: 7});
  makeModule(join(plugins, 'nameless.so'), {package: ''});
  makeModule(join(plugins, 'makerless.so'), {create: '0'});
  makeModule(join(plugins, 'fruitless.so'));
  copyFileSync(join(pluginFolder(), original), join(plugins, 'twin.so'));
  writeFileSync(join(plugins, 'text.so'), 'this is no library');
  writeFileSync(join(plugins, 'empty.so'), '');
  writeFileSync(join(plugins, 'cut.so'), readFileSync(join(pluginFolder(), original)).subarray(0, 5000));
  execFileSync('cc', ['-x', 'c', '-shared', '-fPIC', '-o', join(plugins, 'other.so'), '-'], {input: 'int x;'});
  symlinkSync('nowhere', join(plugins, 'dangling.so'));
  mkdirSync(join(plugins, 'folder.so'));
  writeFileSync(join(plugins, 'README'), 'not looked at');

  const set = {'cardea.general.plugins_folder': `${pluginFolder()},${plugins}`};
  const gateway = await startGateway({set});
  const lines = gateway.output.split('\n');
  for (const [name, why] of Object.entries({
    old: /ABI 99/, foreign: /another compiler/, kindless: /is no plugin/, nameless: /has no name/, makerless: /has no name or no maker/,
    fruitless: /made nothing/, twin: /is there already/, text: /invalid ELF|too short/, empty: /too short/, cut: /cut short/, other: /no cardea_module/,
    dangling: /cannot open/, folder: /./,
  })) {
    const about = lines.filter(line => line.includes(`/${name}.so`));
    assert.equal(about.length, 1, `${name}: ${about.join('\n') || gateway.output}`);
    assert.match(about[0], why);
  }
  const session = await Session.open(gateway.ws);
  assert.ok(await session.attach('janus.plugin.echotest'));
  assert.equal((await session.ask({janus: 'attach', plugin: 'test.plugin.none'})).error.code, 460);
  session.close();
  await gateway.stop();
  refused(await run(...options([...loopback, ...anyPorts, `cardea.general.plugins_folder=${pluginFolder()},${plugins}`, 'cardea.general.exit_on_dl_error=true'])), /\.so/);
  refused(await run(...options([...loopback, ...anyPorts, `cardea.general.transports_folder=${fresh()}`])), /transport/);
});

// Ends

/** Something that goes on while the gateway is stopped; all of it is started, nothing waited for. */
const distractions = {
  async call({ws}) {
    const session = await Session.open(ws);
    const handle = await session.attach('janus.plugin.echotest');
    const peer = new Peer();
    const channel = peer.pc.createDataChannel('any');
    await peer.accept((await session.message(handle, {audio: true}, await peer.offer())).jsep);
    await opened(channel);
    return () => {
      peer.close();
      session.socket.terminate();
    };
  },
  async unansweredOffer({ws}) {
    const session = await Session.open(ws);
    const handle = await session.attach('janus.plugin.echotest');
    const peer = new Peer();
    peer.pc.createDataChannel('any');
    await session.message(handle, {audio: true}, await peer.offer());
    return () => peer.close();
  },
  async longPolls({http, https}) {
    for (const url of [http, https]) {
      const {data} = JSON.parse((await ask(url, 'POST', '/janus', '{"janus":"create","transaction":"t"}')).body);
      for (let i = 0; i < 3; ++i) (await Link.open(url)).write(request('GET', `/janus/${data.id}?maxev=5`));
    }
  },
  async openConnections({ws, http, https}) {
    for (const url of [ws, http, https]) {
      await Link.open(url, {tls: false});
      (await Link.open(url, {tls: false})).socket.end();
      (await Link.open(url, {tls: false})).write(Buffer.from('16030100c8010000c4', 'hex'));
      (await Link.open(url)).write('GET /jan');
      (await Link.open(url)).write(request('POST', '/janus', '{', {'content-length': 100}));
    }
  },
  async pagesNotRead({http, https}) {
    for (const url of [http, https])
      for (let i = 0; i < 3; ++i) {
        const link = await Link.open(url, {pauseOnConnect: true});
        for (let n = 0; n < 300; ++n) link.write(request('GET', n % 2 ? '/cardea.js' : '/janus/info'));
      }
  },
  async webSocketNotRead({ws}) {
    const socket = await RawWebSocket.open(ws, {pauseOnConnect: true});
    for (let i = 0; i < 2000; ++i) socket.send(1, '{"janus":"info","transaction":"x"}');
    (await RawWebSocket.open(ws)).send(1, '{"janus":', {final: false});
  },
  async requestsUnderWay({http, ws}) {
    const socket = await RawWebSocket.open(ws);
    const {id} = await (async () => {
      socket.send(1, '{"janus":"create","transaction":"c"}');
      return (await socket.reply()).data;
    })();
    for (let i = 0; i < 500; ++i) socket.send(1, `{"janus":"attach","plugin":"janus.plugin.videoroom","session_id":${id},"transaction":"a${i}"}`);
    for (let i = 0; i < 30; ++i) (await Link.open(http)).write(request('POST', '/janus', '{"janus":"create","transaction":"t"}'));
  },
};

/** SIGTERM in the middle of it: the end comes within seconds, with status 0, and the way there is not spent spinning. */
async function stopped(gateway, signals = ['SIGTERM']) {
  const before = held(gateway.pid).cpu, began = Date.now();
  let cpu = before;
  const watch = setInterval(() => {
    try {
      cpu = held(gateway.pid).cpu;
    } catch { /* it has ended */ }
  }, 50);
  for (const signal of signals) process.kill(gateway.pid, signal);
  await gateway.stop(); // one more SIGTERM; asserts that it ends with 0 within five seconds
  clearInterval(watch);
  const seconds = (Date.now() - began) / 1000;
  assert.ok(cpu - before < 0.8 + 0.5 * seconds, `${cpu - before} s of CPU in ${seconds} s`);
}

for (const [name, start] of Object.entries(distractions)) {
  test(`SIGTERM is obeyed in the middle of ${name.replace(/[A-Z]/g, c => ` ${c.toLowerCase()}`)}`, async () => {
    const gateway = await startGateway();
    const end = await start(gateway);
    await stopped(gateway);
    await end?.();
  });
}

test('SIGTERM is obeyed at any moment of everything at once', async () => {
  const random = new Random('stops');
  for (let round = 0; round < 4; ++round) {
    const gateway = await startGateway({workers: 2});
    const ends = Promise.allSettled(Object.values(distractions).map(start => start(gateway)));
    await new Promise(resolve => setTimeout(resolve, random.below(400)));
    await stopped(gateway, round % 2 ? ['SIGINT', 'SIGTERM', 'SIGTERM'] : ['SIGTERM']);
    // Those that wait for an answer of a gateway that has ended wait for ever.
    const results = await Promise.race([ends, new Promise(resolve => setTimeout(resolve, 100, []))]);
    for (const {value} of results) await value?.();
  }
});

test('a second gateway can start at the very ports as soon as the first has ended', async () => {
  const first = await startGateway();
  const set = {'websockets.general.ws_port': new URL(first.ws).port, 'http.general.port': new URL(first.http).port, 'http.general.secure_port': new URL(first.https).port};
  await ask(first.http, 'GET', '/janus/ping');
  await first.stop();
  const second = await startGateway({set});
  assert.equal((await ask(second.http, 'GET', '/janus/ping')).status, 200);
  await second.stop();
});
