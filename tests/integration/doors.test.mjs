// The gateway by MQTT and by Unix sockets, with Janode over its Unix client.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import Janode from 'janode';
import EchoTest from 'janode/plugins/echotest';
import {startGateway, until} from '../lib/gateway.mjs';
import {Broker, MqttClient} from '../lib/mqtt.mjs';

const secret = 'of the doors';
const folder = mkdtempSync(join(tmpdir(), 'cardea-doors-'));
let broker, gateway;

before(async () => {
  broker = await Broker.start();
  gateway = await startGateway({set: {
    'cardea.general.admin_secret': secret, 'cardea.general.session_timeout': 10,
    'mqtt.general.enabled': true, 'mqtt.general.url': `tcp://127.0.0.1:${broker.port}`, 'mqtt.admin.admin_enabled': true,
    'unix.general.enabled': true, 'unix.general.path': join(folder, 'api'), 'unix.general.type': 'SOCK_DGRAM',
    'unix.admin.admin_enabled': true, 'unix.admin.admin_path': join(folder, 'admin'), 'unix.admin.admin_type': 'SOCK_DGRAM',
  }});
});
after(async () => {
  await gateway?.stop();
  await broker?.stop();
  rmSync(folder, {recursive: true, force: true});
});

test('clients of one pair of topics have sessions of their own', async () => {
  const clients = await Promise.all([1, 2, 3].map(() => MqttClient.open(broker.port)));
  await until(() => clients[0].ask('ping', {}, 500).catch(() => false), 'the gateway is at the broker');
  await Promise.all(clients.map(async (client, i) => {
    const {data: {id: session}} = await client.ask('create');
    const {data: {id: handle}} = await client.ask('attach', {session_id: session, plugin: 'janus.plugin.echotest'});
    const ack = await client.ask('message', {session_id: session, handle_id: handle, body: {audio: i > 1}});
    assert.equal(ack.janus, 'ack');
    const event = await until(() => client.events.find(({janus, sender}) => janus === 'event' && sender === handle), 'the event');
    assert.equal(event.session_id, session);
    assert.equal(event.plugindata.data.result, 'ok');
    assert.equal((await client.ask('destroy', {session_id: session})).janus, 'success');
  }));
  assert.equal((await clients[0].ask('keepalive', {session_id: 1})).error.code, 458);
  for (const client of clients) client.close();
});

test('a session outlives a broker that is killed and restarted', async () => {
  let client = await MqttClient.open(broker.port);
  const {data: {id: session}} = await client.ask('create');
  await broker.kill();
  await new Promise(resolve => setTimeout(resolve, 2000));
  await broker.again();
  client.close();
  client = await MqttClient.open(broker.port);
  const alive = await until(() => client.ask('keepalive', {session_id: session}, 500).catch(() => false), 'the gateway is back');
  assert.equal(alive.janus, 'ack');
  client.close();
});

test('the admin API by MQTT wants its secret', async () => {
  const admin = await MqttClient.open(broker.port, {to: 'to-janus-admin', from: 'from-janus-admin'});
  assert.equal((await admin.ask('list_sessions')).error.code, 403);
  assert.ok(Array.isArray((await admin.ask('list_sessions', {admin_secret: secret})).sessions));
  admin.close();
});

for (const [name, path, isAdmin] of [['the client API', 'api', false], ['the admin API', 'admin', true]])
  test(`Janode speaks ${name} by a Unix socket`, async () => {
    const connection = await Janode.connect({address: {url: `file://${join(folder, path)}`, apisecret: secret}, is_admin: isAdmin});
    if (isAdmin) {
      assert.ok(Array.isArray((await connection.listSessions()).sessions));
    } else {
      const session = await connection.create();
      const handle = await session.attach(EchoTest);
      const {plugindata} = await handle.message({audio: true});
      assert.equal(plugindata.data.result, 'ok');
      await handle.detach();
      await session.destroy();
    }
    await connection.close();
  });
