// What Janode needs of the npm package unix-dgram, a native module: datagrams of a Unix socket, by a Python process. Commands go to it,
// and what happens comes back, as a letter, a length of four bytes and that many bytes.
const {spawn} = require('node:child_process');
const {EventEmitter} = require('node:events');

const script = `
import socket, struct, sys, threading
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
lock = threading.Lock()
def say(kind, data=b''):
    with lock:
        sys.stdout.buffer.write(kind + struct.pack('>I', len(data)) + data)
        sys.stdout.buffer.flush()
def hear():
    while True:
        say(b'm', s.recv(1 << 22))
while True:
    head = sys.stdin.buffer.read(5)
    if len(head) < 5:
        break
    data = sys.stdin.buffer.read(struct.unpack('>I', head[1:])[0])
    try:
        if head[:1] == b'b':
            s.bind(data.decode())
            threading.Thread(target=hear, daemon=True).start()
            say(b'l')
        elif head[:1] == b'c':
            s.connect(data.decode())
            say(b'c')
        else:
            s.send(data)
            say(b's')
    except OSError as error:
        say(b'e', str(error).encode())
`;

class Socket extends EventEmitter {
  #got = Buffer.alloc(0);
  #sent = [];

  constructor() {
    super();
    this.child = spawn('python3', ['-c', script], {stdio: ['pipe', 'pipe', 'inherit']});
    this.child.stdin.on('error', () => {});
    this.child.stdout.on('data', data => {
      this.#got = Buffer.concat([this.#got, data]);
      while (this.#got.length >= 5 && this.#got.length >= 5 + this.#got.readUInt32BE(1)) {
        const size = this.#got.readUInt32BE(1);
        const kind = String.fromCharCode(this.#got[0]), bytes = this.#got.subarray(5, 5 + size);
        this.#got = this.#got.subarray(5 + size);
        this.#happened(kind, bytes);
      }
    });
  }
  bind(path) { this.#command('b', Buffer.from(path)); }
  connect(path) { this.#command('c', Buffer.from(path)); }
  send(bytes, done = () => {}) {
    this.#sent.push(done);
    this.#command('s', bytes);
  }
  close() {
    this.child.kill();
    this.emit('close');
  }
  #command(kind, bytes) {
    const head = Buffer.alloc(5, kind);
    head.writeUInt32BE(bytes.length, 1);
    this.child.stdin.write(Buffer.concat([head, bytes]));
  }
  #happened(kind, bytes) {
    if (kind === 'm') this.emit('message', bytes);
    else if (kind === 'l') this.emit('listening');
    else if (kind === 'c') this.emit('connect');
    else if (kind === 's') this.#sent.shift()?.();
    else {
      const error = Object.assign(new Error(bytes.toString()), {errno: -1});
      const done = this.#sent.shift();
      if (done) done(error);
      else this.emit('error', error);
    }
  }
}

exports.createSocket = () => new Socket();
