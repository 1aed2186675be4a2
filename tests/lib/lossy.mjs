// A UDP relay in front of a media port that loses packets, goes dark, and changes the address that clients seem to come from.
import {createSocket} from 'node:dgram';

/** Numbers below 1 that are the same in every run. */
function sequence(seed) {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const bound = () => new Promise((resolve, reject) => {
  const socket = createSocket({type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20});
  socket.once('error', reject).bind(0, '127.0.0.1', () => resolve(socket.off('error', reject)));
});

/** RFC 7983: what a packet is, by its first byte. Data channels are DTLS records of application data. */
export const isMedia = packet => packet[0] >= 128 && packet[0] < 192;
export const isData = packet => packet[0] === 23;

/**
 * Listens on `port`, and sends what comes to `target`, a port that was free; each client gets an outgoing socket of its own.
 * `loses`: the packets that may get lost. The handshake has its own tests.
 */
export async function makeRelay({loss = 0, seed = 1, loses = isMedia} = {}) {
  const random = sequence(seed);
  const [front, reserved] = [await bound(), await bound()];
  const target = reserved.address().port;
  await new Promise(resolve => reserved.close(resolve));
  const clients = new Map(); // client's address and port, as text -> its outgoing socket
  const relay = {
    port: front.address().port, target, loss, dark: false, lost: 0, passed: 0,
    async moveClients() {
      for (const client of clients.keys()) {
        const old = await clients.get(client);
        clients.set(client, await outgoing(client));
        old.close();
      }
    },
    close() {
      front.close();
      for (const socket of clients.values()) Promise.resolve(socket).then(it => it.close());
      clients.clear();
    },
  };
  const passes = packet => {
    const pass = !relay.dark && !(packet.length > 0 && loses(packet) && random() < relay.loss);
    ++relay[pass ? 'passed' : 'lost'];
    return pass;
  };
  async function outgoing(client) {
    const socket = await bound();
    const [address, port] = client.split(' ');
    socket.on('message', packet => passes(packet) && front.send(packet, Number(port), address));
    return socket;
  }
  front.on('message', async (packet, {address, port}) => {
    if (!passes(packet)) return;
    const client = `${address} ${port}`;
    if (!clients.has(client)) clients.set(client, outgoing(client));
    const socket = await clients.get(client);
    socket.send(packet, target, '127.0.0.1', () => {}); // it may have been closed since
  });
  return relay;
}
