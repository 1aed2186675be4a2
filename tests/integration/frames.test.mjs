// Media that goes as Ethernet frames (media.frames): the same for the clients, whatever the interface does of checksums and
// segments. The gateway and its clients are two hosts, namespaces joined by a pair of interfaces.
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test as testOf} from 'node:test';
import {Admin, adminAt} from '../lib/client.mjs';
import {binary, startGateway, until} from '../lib/gateway.mjs';
import {load} from '../lib/load.mjs';
import {enterNamespace} from '../lib/namespace.mjs';

const skip = enterNamespace();
const test = (name, run) => testOf(name, {skip, timeout: 60_000}, run);

const hosts = {v4: {gateway: '10.214.0.1', client: '10.214.0.2', length: 24}, v6: {gateway: 'fd00:214::1', client: 'fd00:214::2', length: 64}};
const folder = mkdtempSync(join(tmpdir(), 'cardea-frames-'));
const adminPath = join(folder, 'admin');
let clients, gateway, admin;

function sh(command) {
  const {status, stderr} = spawnSync('sh', ['-c', command], {encoding: 'utf8'});
  assert.equal(status, 0, `${command}: ${stderr}`);
}
/** A command as the clients' host runs it. */
const there = command => `nsenter --net --target ${clients.pid} ${command}`;

before(async () => {
  if (skip) return;
  // Both ends of a pipe: the other host is there once it says so, and ends with this process.
  clients = spawn('setpriv', ['--pdeathsig', 'TERM', 'unshare', '--net', 'sh', '-c', 'echo there; exec sleep infinity']);
  await new Promise(resolve => clients.stdout.once('data', resolve));
  sh(`ip link add frames0 type veth peer name frames1 netns ${clients.pid}`);
  for (const {gateway, client, length} of Object.values(hosts)) {
    const nodad = length === 64 ? 'nodad' : '';
    sh(`ip address add ${gateway}/${length} dev frames0 ${nodad}; ${there(`ip address add ${client}/${length} dev frames1 ${nodad}`)}`);
  }
  sh(`ip link set frames0 up; ${there('ip link set frames1 up')}; ${there('ip link set lo up')}`);
  gateway = await startGateway({set: {
    'cardea.media.address': Object.values(hosts).map(host => host.gateway).join(','), 'cardea.media.frames': true,
    'websockets.general.ws_ip': hosts.v4.gateway, ...adminAt(adminPath)}});
  admin = await Admin.open(adminPath);
});
after(async () => {
  admin?.close();
  await gateway?.stop();
  clients?.kill();
  rmSync(folder, {recursive: true, force: true});
});

const counted = async what => (await admin.ask('loops_info')).loops.reduce((sum, loop) => sum + loop[what], 0);
const framesOut = () => counted('frames_out');

/** A voice and a video to ten, each of whom checks every packet: what the load tool found. Whoever has the gateway's address is on its host. */
function room(bind, ...options) {
  const many = options.includes('--subscribers') ? [] : ['--subscribers', 10, '--sample', 10];
  const here = Object.values(hosts).some(host => host.gateway === bind);
  return load(['--url', gateway.ws.replace('127.0.0.1', hosts.v4.gateway), '--bind', bind, '--rooms', 1, '--publishers', 1, '--one-of', 1, '--warm-up', 0.5,
    '--seconds', 2, ...many, ...options], here ? [] : there('').trim().split(' '));
}

for (const family of ['v4', 'v6'])
  for (const offload of ['on', 'off'])
    test(`IP${family}, the interface's offloads ${offload}: nothing is lost and nothing changed`, async () => {
      sh(`ethtool -K frames0 tx ${offload} gso ${offload}`);
      const before = await framesOut();
      const result = await room(hosts[family].client);
      const {packets, corrupt, undecryptable, reordered} = result.received;
      assert.ok(packets > 3000, `${packets} packets`);
      assert.deepEqual([result.loss, corrupt, undecryptable, reordered], [0, 0, 0, 0]);
      await until(async () => (await framesOut()) - before > 800, 'media went as frames');
    });

for (const [family, accept, goes] of [['v6', 0, 'as frames'], ['v4', 0, 'by the socket'], ['v4', 1, 'as frames']])
  test(`IP${family}, the host itself, accept_local ${accept}: nothing is lost and nothing changed, media goes ${goes}`, async () => {
    // A route that comes and goes makes the gateway ask again.
    sh(`echo ${accept} > /proc/sys/net/ipv4/conf/lo/accept_local; ip route add 192.0.2.0/24 dev frames0; ip route delete 192.0.2.0/24`);
    // Counters are told once a second: those of the test before have to be in.
    let frames = -1;
    await until(async () => {
      const before = frames;
      await new Promise(resolve => setTimeout(resolve, 1100));
      return (frames = await framesOut()) === before;
    }, 'the counters rest');
    const runs = await counted('runs_out');
    const result = await room(hosts[family].gateway);
    const {packets, corrupt, undecryptable, reordered} = result.received;
    assert.ok(packets > 3000, `${packets} packets`);
    assert.deepEqual([result.loss, corrupt, undecryptable, reordered], [0, 0, 0, 0]);
    await until(async () => (await counted('runs_out')) - runs > 800, 'media went out');
    const share = ((await framesOut()) - frames) / ((await counted('runs_out')) - runs);
    assert.ok(goes === 'as frames' ? share > 0.8 : share < 0.1, `${share} of the runs went as frames`);
  });

test('the host itself, where another core receives: nothing is overwritten before it was read', async context => {
  const steer = cores =>
    spawnSync('unshare', ['--mount', 'sh', '-c', `mount -t sysfs sysfs /sys && echo ${cores} > /sys/class/net/lo/queues/rx-0/rps_cpus`]).status === 0;
  if (!steer(3)) return context.skip('the interfaces of this namespace cannot be set up: it needs a sysfs that can be mounted');
  try {
    const before = await framesOut();
    const result = await room(hosts.v6.gateway, '--subscribers', 100, '--sample', 100);
    const {packets, corrupt, undecryptable} = result.received;
    assert.ok(packets > 30_000, `${packets} packets`);
    assert.deepEqual([corrupt, undecryptable], [0, 0]);
    await until(async () => (await framesOut()) - before > 8000, 'media went as frames');
  } finally {
    steer(0);
  }
});

test('an interface whose queue drains slowly gets all of it, in order', async () => {
  sh('ethtool -K frames0 tx on gso on; tc qdisc replace dev frames0 root tbf rate 60mbit burst 20kb limit 8mb');
  try {
    const result = await room(hosts.v4.client, '--subscribers', '30', '--sample', '30');
    const {packets, corrupt, undecryptable, reordered} = result.received;
    assert.ok(packets > 9000, `${packets} packets`);
    assert.deepEqual([result.loss, corrupt, undecryptable, reordered], [0, 0, 0, 0]);
    assert.ok(result.video_latency.p99_ms > 20, `p99 ${result.video_latency.p99_ms} ms: nothing had to wait`);
  } finally {
    sh('tc qdisc delete dev frames0 root');
  }
});

test('a path that takes less than a packet gets fragments', async () => {
  const route = `ip route replace ${hosts.v4.gateway.replace(/1$/, '0')}/${hosts.v4.length} dev frames0 src ${hosts.v4.gateway}`;
  sh(`${route} mtu lock 600`);
  try {
    const before = await framesOut();
    const result = await room(hosts.v4.client);
    const {packets, corrupt, undecryptable, reordered} = result.received;
    assert.ok(packets > 3000, `${packets} packets`);
    assert.deepEqual([result.loss, corrupt, undecryptable, reordered], [0, 0, 0, 0]);
    await until(async () => (await framesOut()) - before > 500, 'voices, which are short, still went as frames');
  } finally {
    sh(route);
  }
});

test('a next hop with another Ethernet address is followed', async () => {
  sh(`ethtool -K frames0 tx on gso on; ${there("sh -c 'echo 1 > /proc/sys/net/ipv4/conf/frames1/arp_notify'")}`);
  const before = await framesOut();
  const result = await room(hosts.v4.client, '--after-join', 'ip link set frames1 address 02:00:00:00:00:99');
  assert.ok(result.loss < 0.01, `${100 * result.loss} % lost`);
  await until(async () => (await framesOut()) - before > 800, 'media went as frames');
});

test('what the kernel is told of a next hop is followed while media flows, wrong or right', async () => {
  const neighbour = what => `nsenter --net --target ${process.pid} ip neigh ${what} ${hosts.v4.client}`;
  const wrong = `${neighbour('replace')} lladdr 02:00:00:00:00:77 dev frames0 nud permanent`;
  const result = await room(hosts.v4.client, '--after-join',
    `(sleep 1; ${wrong}; sleep 0.4; ${neighbour('del')} dev frames0) > /dev/null 2>&1 &`);
  assert.ok(result.loss > 0.02 && result.loss < 0.6, `${100 * result.loss} % lost`);
});

test('an interface that goes down and comes back is used again', async () => {
  const here = `nsenter --net --target ${process.pid}`;
  const before = await framesOut();
  const result = await room(hosts.v4.client, '--after-join', `${here} ip link set frames0 down && sleep 0.3 && ${here} ip link set frames0 up`);
  assert.ok(result.loss < 0.01, `${100 * result.loss} % lost`);
  await until(async () => (await framesOut()) - before > 800, 'media went as frames');
});

test('without the right to send frames the gateway says so and does not start', () => {
  const {status, stdout, stderr} = spawnSync('setpriv', ['--bounding-set', '-net_raw', binary, '--config', folder, '--set', 'cardea.media.frames=true',
    '--set', 'cardea.media.port=0', '--set', 'cardea.general.state_folder='], {encoding: 'utf8', timeout: 20_000});
  assert.equal(status, 1);
  assert.match(stdout + stderr, /frames need the right to open packet sockets \(CAP_NET_RAW\)/);
});
