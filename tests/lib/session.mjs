// A session of the Janus API over WebSocket, for tests that speak it themselves; and channels that are listened to.
import WebSocket from 'ws';
import {until} from './gateway.mjs';

/** Events are kept, in `events`, until someone asks for them. */
export class Session {
  #waiting = new Map();
  #next = 0;
  events = [];

  static async open(url) {
    const session = new Session();
    session.socket = new WebSocket(url, 'janus-protocol');
    await new Promise((resolve, reject) => session.socket.on('open', resolve).on('error', reject));
    session.socket.on('message', data => session.#receive(JSON.parse(data)));
    session.id = (await session.ask({janus: 'create'})).data.id;
    return session;
  }
  #receive(message) {
    const reply = message.janus !== 'event' && this.#waiting.get(message.transaction);
    if (!reply) return void this.events.push(message);
    this.#waiting.delete(message.transaction);
    reply(message);
  }
  /** The reply to a request. */
  ask(request) {
    const transaction = `t${++this.#next}`;
    return new Promise(resolve => {
      this.#waiting.set(transaction, resolve);
      this.socket.send(JSON.stringify({session_id: this.id, ...request, transaction}));
    });
  }
  async attach(plugin) {
    return (await this.ask({janus: 'attach', plugin})).data.id;
  }
  /** Takes the first event of a handle for which `wanted` holds, once it is there. */
  event(handle, wanted, what, ms) {
    return until(() => {
      const at = this.events.findIndex(event => event.sender === handle && wanted(event));
      return at >= 0 && this.events.splice(at, 1)[0];
    }, what, ms);
  }
  /** The answer to a plugin message: the reply, or the event after an ack. */
  async message(handle, body, jsep) {
    const reply = await this.ask({janus: 'message', handle_id: handle, body, ...(jsep && {jsep})});
    if (reply.janus !== 'ack') return reply;
    return this.event(handle, event => event.transaction === reply.transaction, `an answer to ${JSON.stringify(body)}`);
  }
  close() {
    this.socket.close();
  }
}

export const opened = (channel, ms) => until(() => channel.readyState === 'open', `${channel.label} opens`, ms);

/** Collects what comes on a data channel: strings and Buffers. */
export function listen(channel) {
  const got = [];
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({data}) => got.push(typeof data === 'string' ? data : Buffer.from(data));
  return got;
}
