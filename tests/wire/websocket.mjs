// A WebSocket client (RFC 6455) for the tests, as small as they need it: text messages, one subprotocol.
import crypto from 'node:crypto';
import net from 'node:net';

const TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;

export class WebSocketClient {
  // Resolves once the handshake is done; fails if the server refuses it.
  static open(url, protocol) {
    const { hostname, port, pathname } = new URL(url);
    const client = new WebSocketClient();
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(port), hostname, () => {
        socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
          `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`);
      });
      socket.setNoDelay(true);
      client.socket = socket;
      let head = Buffer.alloc(0);
      const onHead = data => {
        head = Buffer.concat([head, data]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        socket.off('data', onHead);
        if (!head.toString('latin1').startsWith('HTTP/1.1 101')) return reject(new Error(`no WebSocket: ${head.subarray(0, 40)}`));
        socket.on('data', more => client.received(more));
        client.received(head.subarray(end + 4));
        resolve(client);
      };
      socket.on('data', onHead);
      socket.on('error', reject);
      socket.on('close', () => { client.closed = true; client.onclose?.(); reject(new Error('closed')); });
    });
  }

  input = Buffer.alloc(0);
  parts = [];
  closed = false;
  onmessage = null;
  onclose = null;

  send(text) { this.frame(TEXT, Buffer.from(text)); }
  close() { if (!this.closed) this.frame(CLOSE, Buffer.from([3, 232])); this.socket.end(); }

  frame(opcode, payload) {
    const mask = crypto.randomBytes(4);
    const size = payload.length < 126 ? Buffer.from([0x80 | payload.length])
      : payload.length < 65536 ? Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255])
      : Buffer.concat([Buffer.from([0x80 | 127, 0, 0, 0, 0]), Buffer.from(new Uint8Array([payload.length >>> 24, payload.length >>> 16, payload.length >>> 8, payload.length]))]);
    const masked = Buffer.from(payload);
    for (let i = 0; i < masked.length; ++i) masked[i] ^= mask[i & 3];
    this.socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), size, mask, masked]));
  }

  received(data) {
    this.input = Buffer.concat([this.input, data]);
    for (;;) {
      if (this.input.length < 2) return;
      let size = this.input[1] & 127, at = 2;
      if (size === 126) { if (this.input.length < 4) return; size = this.input.readUInt16BE(2); at = 4; }
      else if (size === 127) { if (this.input.length < 10) return; size = Number(this.input.readBigUInt64BE(2)); at = 10; }
      if (this.input.length < at + size) return;
      const final = (this.input[0] & 0x80) !== 0, opcode = this.input[0] & 15;
      const payload = this.input.subarray(at, at + size);
      this.input = this.input.subarray(at + size);
      if (opcode === PING) this.frame(PONG, payload);
      else if (opcode === CLOSE) this.socket.end();
      else if (opcode !== PONG) {
        this.parts.push(payload);
        if (final) { const text = Buffer.concat(this.parts).toString(); this.parts = []; this.onmessage?.(text); }
      }
    }
  }
}
