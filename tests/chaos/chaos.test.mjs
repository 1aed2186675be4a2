// Each allocation and system call of short calls fails once: the gateway lives on, answers, keeps and leaks nothing, and a call that
// went on beside them has its own media. `./check` takes a sample, tests/chaos/run.sh every one; CARDEA_SEED chooses another sample.
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {Chaos, echoCall, kinds, plays, shortCall, tones} from '../lib/chaos.mjs';
import {Admin, adminAt, held} from '../lib/client.mjs';
import {startGateway, until} from '../lib/gateway.mjs';
import {Random} from '../lib/random.mjs';
import {lastly} from '../lib/wrtc.mjs';

const build = process.env.CARDEA_BUILD ?? fileURLToPath(new URL('../../build', import.meta.url));
const shim = process.env.CARDEA_SHIM ?? join(build, 'tests/chaos/.libs/shim.so');
const folder = mkdtempSync(join(tmpdir(), 'cardea-chaos-'));
const perKind = process.env.CARDEA_CHAOS_ALL ? Infinity : Number(process.env.CARDEA_CHAOS_SAMPLE ?? 1);
const random = new Random('chaos');
const chaos = new Chaos(join(folder, 'page'), shim);

let gateway, bystander, admin, began, said = 0;

async function begin() {
  gateway = await startGateway({
    env: chaos.environment,
    // Who got no answer by HTTP knows no session to end: it ends by itself.
    set: {...adminAt(join(folder, 'admin')), 'cardea.general.debug_level': 4, 'cardea.general.session_timeout': 5},
    files: {'textroom.cfg': 'room-1234: {};'},
  });
  admin = await Admin.open(join(folder, 'admin'));
  bystander = await echoCall(gateway, tones.bystander);
  for (const name of plays) {
    const {error} = await shortCall(gateway, name, () => {}, () => ({}), 15_000);
    assert.equal(error, undefined, name);
  }
  began = held(gateway.pid);
}

/** After each: nothing of it is left, who was there goes on, and somebody new is served. */
async function goesOn() {
  const text = `bystander ${++said}`;
  await bystander.echoes(text);
  assert.ok(bystander.got.every(one => one.includes('bystander')), 'the bystander has another\'s text');
  assert.equal(bystander.heard(tones.caller), 0, 'the bystander hears another');
  await until(async () => (await admin.sessions()).length === 1, 'no session is left');
  await until(() => held(gateway.pid).descriptors <= began.descriptors, 'no descriptor is left');
}

/** Lets calls of a kind fail while a short call is played; returns what went wrong, in words. */
async function tried(name, kind, first, last) {
  let dead = false;
  gateway.exited.then(() => (dead = true));
  const result = await shortCall(gateway, name, () => chaos.arm(kind, first, last), () => chaos.disarm());
  const about = `${name}, ${kind} ${first}: ${result.where}`;
  if (process.env.CARDEA_CHAOS_TALK) console.error(about, '|', result.error?.message ?? 'well');
  try {
    assert.deepEqual(result.strange, [], 'a caller has another\'s media');
    await Promise.race([goesOn(), gateway.exited]);
    if (dead) throw new Error(`the gateway ended with ${await gateway.exited}: ${gateway.output.slice(-600)}`);
    return undefined;
  } catch (error) {
    if (!dead) process.kill(gateway.pid, 'SIGKILL');
    admin.close();
    await bystander.close();
    await begin();
    return `${about}\n  ${error.message}`;
  }
}

before(begin);
lastly(async () => {
  await bystander?.close();
  admin?.close();
  await gateway?.stop();
  chaos.close();
  rmSync(folder, {recursive: true, force: true});
});

const counts = {};
test('short calls, and what they ask of the system', async () => {
  for (const name of plays) {
    const result = await shortCall(gateway, name, () => chaos.arm(), () => chaos.disarm(), 15_000);
    assert.equal(result.error, undefined, name);
    counts[name] = result.counts;
    await goesOn();
  }
});

// What the gateway asks for when it starts, and what it asks for in a call.
const atStart = ['make_socket', 'bind_socket', 'watch', 'make_eventfd', 'make_thread'];
const inCalls = Object.keys(kinds).filter(kind => !atStart.includes(kind));
const isChosen = kind => process.env.CARDEA_CHAOS_KINDS?.split(',').includes(kind) ?? true;

for (const kind of inCalls.filter(isChosen)) {
  test(`${kind} fails once in a short call`, async () => {
    const wrong = [];
    let failures = 0;
    for (const name of plays) {
      const count = counts[name][kind];
      const samples = Math.min(count, perKind);
      for (let i = 0; i < samples; ++i) {
        const from = Math.floor((i * count) / samples), to = Math.floor(((i + 1) * count) / samples);
        ++failures;
        const one = await tried(name, kind, random.between(from + 1, to));
        if (one) wrong.push(one);
      }
    }
    assert.ok(failures > 0, 'no call of this kind was seen');
    assert.deepEqual(wrong, [], `${wrong.length} of ${failures}`);
  });
}

for (const kind of atStart.filter(isChosen)) {
  test(`${kind} fails once at the start: it starts, or says in a line why not`, async () => {
    const page = new Chaos(join(folder, 'start'), shim);
    const start = () => startGateway({env: page.environment});
    page.arm();
    const whole = await start();
    const count = page.disarm().counts[kind];
    await whole.stop();
    assert.ok(count > 0, 'no call of this kind was seen');
    const samples = Math.min(count, perKind === Infinity ? count : 2);
    for (let i = 0; i < samples; ++i) {
      page.arm(kind, Math.min(count, Math.floor((i * count) / samples) + random.between(1, Math.ceil(count / samples))));
      const started = await start().then(gateway => ({gateway}), error => ({error}));
      const {where} = page.disarm();
      if (started.gateway) await started.gateway.stop();
      else assert.match(started.error.message, /^cardea: .+$/m, `${where}\n${started.error.message}`);
    }
    page.close();
  });
}

// What stays for a while

const whileFailing = (kind, what) => async () => {
  const names = kind === 'disk' ? ['rooms'] : plays;
  for (const name of names) {
    const result = await shortCall(gateway, name, () => chaos.always(kind), () => chaos.disarm(), 1500);
    assert.ok(result.failed > 0, `nothing failed: ${what}`);
    assert.deepEqual(result.strange, []);
    await goesOn();
  }
};
test('the disk is full', whileFailing('disk', 'a permanent room is saved'));
test('no packet can be sent', whileFailing('send_many', 'media'));
test('no packet can be received', whileFailing('receive_many', 'media'));

test('no descriptor is left', async () => {
  const limit = count => assert.equal(spawnSync('prlimit', ['--pid', gateway.pid, `--nofile=${count}:`]).status, 0);
  const before = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${gateway.pid}/limits`, 'utf8'))[1];
  limit(held(gateway.pid).descriptors);
  await shortCall(gateway, 'echo', () => {}, () => ({}), 1500);
  await bystander.echoes(`bystander ${++said}`);
  limit(before);
  await goesOn();
  const {error} = await shortCall(gateway, 'web', () => {}, () => ({}), 10_000);
  assert.equal(error, undefined);
});

test('the clock of the day is set, back and forth', async () => {
  for (const seconds of [3600, -3600, 86400 * 365, -86400 * 365, 0]) {
    chaos.step(seconds);
    await goesOn();
    for (const name of ['echo', 'web']) {
      const {error, strange} = await shortCall(gateway, name, () => {}, () => ({}), 10_000);
      assert.equal(error, undefined, `${name}, ${seconds} s off`);
      assert.deepEqual(strange, []);
    }
  }
});

test('a client stands still, and then is no more', async () => {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url.replace('chaos.test.mjs', 'caller.mjs')), gateway.ws],
    {stdio: ['ignore', 'pipe', 'inherit']});
  await new Promise(resolve => child.stdout.once('data', resolve)); // it is in its call
  child.kill('SIGSTOP');
  for (let i = 0; i < 5; ++i) {
    await bystander.echoes(`bystander ${++said}`);
    const {error} = await shortCall(gateway, 'echo', () => {}, () => ({}), 10_000);
    assert.equal(error, undefined);
  }
  child.kill('SIGKILL');
  await goesOn();
});
