// Debian's mosquitto, started for a test, and an MQTT 3.1.1 client by hand: quality 0, as much as a test needs.
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import net from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {until} from './gateway.mjs';

const freePort = () => new Promise(resolve => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const {port} = server.address();
    server.close(() => resolve(port));
  });
});
const answers = port => new Promise(resolve => {
  const socket = net.connect(port, '127.0.0.1', () => (socket.destroy(), resolve(true)));
  socket.on('error', () => resolve(false));
});

export class Broker {
  static async start() {
    const broker = new Broker();
    broker.folder = mkdtempSync(join(tmpdir(), 'cardea-mosquitto-'));
    broker.port = await freePort();
    writeFileSync(join(broker.folder, 'conf'), `listener ${broker.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n`);
    await broker.again();
    return broker;
  }
  async again() {
    this.child = spawn('/usr/sbin/mosquitto', ['-c', join(this.folder, 'conf')], {stdio: 'ignore'});
    await until(() => answers(this.port), 'the broker listens');
  }
  async kill(signal = 'SIGKILL') {
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    this.child.kill(signal);
    await ended;
  }
  async stop() {
    await this.kill();
    rmSync(this.folder, {recursive: true, force: true});
  }
}

const text = value => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};
const packet = (kind, ...parts) => {
  const body = Buffer.concat(parts);
  const size = [];
  for (let left = body.length; ;) {
    size.push((left & 127) | (left > 127 ? 128 : 0));
    left >>= 7;
    if (left === 0) break;
  }
  return Buffer.concat([Buffer.from([kind, ...size]), body]);
};

/** Speaks the Janus API by two topics: ask() by transaction; events are kept in `events`. */
export class MqttClient {
  static #count = 0;
  #name = `c${process.pid}-${++MqttClient.#count}`;
  #next = 0;
  #waiting = new Map();
  #got = Buffer.alloc(0);
  events = [];

  static async open(port, {to = 'to-janus', from = 'from-janus'} = {}) {
    const client = new MqttClient();
    client.to = to;
    client.socket = net.connect({port, host: '127.0.0.1', noDelay: true});
    client.socket.on('error', () => {}).on('data', data => client.#received(data));
    client.socket.write(packet(0x10, text('MQTT'), Buffer.from([4, 2, 0, 60]), text(client.#name)));
    client.socket.write(packet(0x82, Buffer.from([0, 1]), text(from), Buffer.from([0])));
    await until(() => client.subscribed, 'the subscription');
    return client;
  }
  say(message) { this.socket.write(packet(0x30, text(this.to), Buffer.from(JSON.stringify(message)))); }
  ask(janus, members = {}, ms = 5000) {
    const transaction = `${this.#name}-${++this.#next}`;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${janus}`)), ms);
      this.#waiting.set(transaction, message => (clearTimeout(late), resolve(message)));
      this.say({janus, transaction, ...members});
    });
  }
  close() { this.socket.destroy(); }

  #received(data) {
    this.#got = Buffer.concat([this.#got, data]);
    for (;;) {
      let size = 0, at = 1;
      for (; ; ++at) {
        if (at >= this.#got.length) return;
        size |= (this.#got[at] & 127) << (7 * (at - 1));
        if (this.#got[at] < 128) break;
      }
      const end = ++at + size;
      if (this.#got.length < end) return;
      const kind = this.#got[0] >> 4, body = this.#got.subarray(at, end);
      this.#got = this.#got.subarray(end);
      if (kind === 9) this.subscribed = true;
      if (kind !== 3) continue;
      const message = JSON.parse(body.subarray(2 + body.readUInt16BE(0)));
      const waiting = message.janus === 'event' ? undefined : this.#waiting.get(message.transaction);
      if (waiting) {
        this.#waiting.delete(message.transaction);
        waiting(message);
      } else {
        this.events.push(message);
      }
    }
  }
}
