// Clients by hand, to send what no library would: TCP and TLS, HTTP and WebSocket frames; the admin API; and what the gateway's
// process holds.
import {createHash, randomBytes} from 'node:crypto';
import {readFileSync, readdirSync} from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import WebSocket from 'ws';
import {until} from './gateway.mjs';

/** The build has sanitizers: memory is not as it would be, and all is slower. */
export const sanitized = Boolean(process.env.CARDEA_SANITIZED);

/** A connection whose bytes are kept in `got`. Its end, whatever way, is `ended`. */
export class Link {
  got = Buffer.alloc(0);
  ended = false;

  /** @param {string} url of the gateway: its host, port, and whether there is TLS */
  static async open(url, {tls: encrypted = /^(https|wss):/.test(url), pauseOnConnect = false} = {}) {
    const {hostname: host, port} = new URL(url);
    const link = new this();
    link.socket = net.connect({host, port: Number(port), noDelay: true});
    if (encrypted) link.socket = tls.connect({socket: link.socket, rejectUnauthorized: false});
    link.socket.on('error', () => {}).on('close', () => (link.ended = true)).on('end', () => (link.ended = true));
    await new Promise((resolve, reject) => link.socket.once(encrypted ? 'secureConnect' : 'connect', resolve).once('error', reject));
    if (!pauseOnConnect) link.socket.on('data', data => (link.got = Buffer.concat([link.got, data])));
    return link;
  }
  /** What has come, as text. */
  get text() { return this.got.toString('latin1'); }
  write(bytes) { if (!this.ended) this.socket.write(bytes); }
  end(ms = 10_000) { return until(() => this.ended, 'the gateway closes the connection', ms); }
  close() { this.socket.destroy(); }
}

/** Takes the first answer out of what has come: {status, headers, body}; undefined while it is not complete. */
export function takeAnswer(link) {
  const end = link.got.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first, ...lines] = link.got.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map(lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const size = Number(headers.get('content-length') ?? 0);
  if (link.got.length < end + 4 + size) return undefined;
  const body = link.got.subarray(end + 4, end + 4 + size).toString();
  link.got = link.got.subarray(end + 4 + size);
  return {status: Number(first.split(' ')[1]), headers, body};
}

/** An HTTP request as text; its content-length is right unless one is among the headers. */
export function request(method, path, body = '', headers = {}) {
  const all = {host: 'gateway', ...(body || method === 'POST' ? {'content-length': Buffer.byteLength(body)} : {}), ...headers};
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/** One request on a connection of its own: the answer, or undefined if the connection is closed without one. */
export async function ask(url, method, path, body, headers) {
  const link = await Link.open(url);
  link.write(request(method, path, body, headers));
  try {
    let answer;
    await until(() => (answer = takeAnswer(link)) || link.ended, `an answer to ${method} ${path.slice(0, 80)}`);
    return answer;
  } finally {
    link.close();
  }
}

/** A WebSocket frame: RFC 6455 section 5.2. */
export function frame(opcode, payload, {final = true, mask = randomBytes(4), reserved = 0, size = payload.length} = {}) {
  const bytes = Buffer.from(payload);
  const large = size > 0xffff, middle = size >= 126;
  const head = Buffer.alloc(large ? 10 : middle ? 4 : 2);
  head[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (mask ? 0x80 : 0) | (large ? 127 : middle ? 126 : size);
  if (large) head.writeBigUInt64BE(BigInt(size), 2);
  else if (middle) head.writeUInt16BE(size, 2);
  return Buffer.concat([head, ...(mask ? [mask, bytes.map((byte, i) => byte ^ mask[i % 4])] : [bytes])]);
}

/** A WebSocket whose frames are written and read by hand. */
export class RawWebSocket extends Link {
  static async open(url, {protocol = 'janus-protocol', headers = {}, pauseOnConnect = false} = {}) {
    const link = await super.open(url);
    const key = randomBytes(16).toString('base64');
    link.write(request('GET', '/', '', {
      upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': 13, 'sec-websocket-key': key,
      ...(protocol ? {'sec-websocket-protocol': protocol} : {}), ...headers,
    }));
    await until(() => (link.handshake = takeAnswer(link)) || link.ended, 'an answer to the upgrade');
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    link.upgraded = link.handshake?.status === 101 && link.handshake.headers.get('sec-websocket-accept') === accept;
    if (pauseOnConnect) link.socket.pause();
    return link;
  }
  send(opcode, payload, options) { this.write(frame(opcode, payload, options)); }
  /** Takes the next frame that has come: {opcode, payload}. */
  take() {
    if (this.got.length < 2) return undefined;
    let size = this.got[1] & 127, at = 2;
    if (size >= 126) {
      at = size === 126 ? 4 : 10;
      if (this.got.length < at) return undefined;
      size = size === 126 ? this.got.readUInt16BE(2) : Number(this.got.readBigUInt64BE(2));
    }
    if (this.got.length < at + size) return undefined;
    const taken = {opcode: this.got[0] & 15, payload: this.got.subarray(at, at + size)};
    this.got = this.got.subarray(at + size);
    return taken;
  }
  /** The next frame; undefined if the connection ends first. */
  async next() {
    let taken;
    await until(() => (taken = this.take()) || this.ended, 'a frame');
    return taken;
  }
  /** The next text as JSON. */
  async reply() {
    for (;;) {
      const taken = await this.next();
      if (!taken) throw new Error('the connection ended');
      if (taken.opcode === 1) return JSON.parse(taken.payload);
    }
  }
}

/** The settings that give the gateway an admin API at this path, and a client for it. */
const adminSecret = 'of the tests';
export const adminAt = path => ({
  'cardea.general.admin_secret': adminSecret, 'websockets.admin.admin_ws': true, 'websockets.admin.admin_ws_unix': path,
});

export class Admin {
  #next = 0;
  #waiting = new Map();

  static async open(path) {
    const admin = new Admin();
    admin.socket = new WebSocket(`ws+unix:${path}:/`, 'janus-admin-protocol');
    await new Promise((resolve, reject) => admin.socket.once('open', resolve).once('error', reject));
    admin.socket.on('message', data => {
      const message = JSON.parse(data);
      admin.#waiting.get(message.transaction)?.(message);
      admin.#waiting.delete(message.transaction);
    });
    return admin;
  }
  ask(verb, members = {}) {
    const transaction = `a${++this.#next}`;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${verb}`)), 10_000);
      this.#waiting.set(transaction, message => (clearTimeout(late), resolve(message)));
      this.socket.send(JSON.stringify({janus: verb, transaction, admin_secret: adminSecret, ...members}));
    });
  }
  async sessions() { return (await this.ask('list_sessions')).sessions; }
  /** What the media workers and the data thread count; a second old at most. */
  async counters() {
    const {loops, data} = await this.ask('loops_info');
    const drops = {};
    for (const {drops: own} of loops)
      for (const [name, count] of Object.entries(own)) drops[name] = (drops[name] ?? 0) + count;
    return {
      drops, peers: loops.reduce((sum, loop) => sum + loop.handles, 0), associations: data?.associations ?? 0,
      packetsIn: loops.reduce((sum, loop) => sum + loop.packets_in, 0), dataDrops: data?.drops ?? {},
    };
  }
  close() { this.socket.close(); }
}

/** What a process holds: resident bytes, open descriptors, CPU seconds used so far. */
export function held(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number);
  return {
    memory: Number(/^VmRSS:\s*(\d+)/m.exec(status)[1]) * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    cpu: (user + system) / 100,
  };
}
