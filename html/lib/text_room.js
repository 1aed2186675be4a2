// A member of a text room: messages to all or to some, history, presence and zones; over a data channel, or with API messages alone.
import {Emitter} from './emitter.js';
import {CardeaError} from './error.js';

const channelTimeoutMs = 5000;

/** Asks over the data channel: answers are found by their transaction, the rest are events. */
class ChannelLink {
  #channel;
  #waiting = new Map();
  #last = 0;

  constructor(channel, onEvent) {
    this.#channel = channel;
    channel.onmessage = ({data}) => {
      const message = JSON.parse(data);
      const waiting = this.#waiting.get(message.transaction);
      if (!waiting) return onEvent(message);
      this.#waiting.delete(message.transaction);
      if (message.textroom === 'error') waiting.reject(new CardeaError(message.error_code, message.error));
      else waiting.resolve(message);
    };
  }

  ask(verb, body) {
    return new Promise((resolve, reject) => {
      if (this.#channel.readyState !== 'open') return reject(new CardeaError(0, 'Not connected'));
      const transaction = String(++this.#last);
      this.#waiting.set(transaction, {resolve, reject});
      this.#channel.send(JSON.stringify({textroom: verb, transaction, ...body}));
    });
  }

  close() {
    for (const {reject} of this.#waiting.values()) reject(new CardeaError(0, 'Left'));
    this.#waiting.clear();
  }
}

/** The same over the session. */
class ApiLink {
  #handle;
  constructor(handle) { this.#handle = handle; }
  async ask(verb, body) { return (await this.#handle.request({request: verb, ...body})).data; }
  close() {}
}

/** Dates of the gateway end in "+0100": without a colon not every browser reads them. */
export const dateOf = text => (text ? new Date(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) : new Date());

/**
 * Events: 'message' ({from, display, text, date, whisper, old}), 'join' ({username, display}), 'leave' (username), 'kicked' (username),
 * 'presence' (states by username), 'zone-entered', 'zone-left', 'announcement' ({text, date}), 'destroyed', 'down' (reason).
 */
export class TextRoom extends Emitter {
  #handle = null;
  #link = null;
  #presenceChannel = null;
  #joining = false;
  #sequence = 0;
  #options = null;

  room;
  zones = [];
  get connected() { return this.#link !== null; }
  /** "channel" or "api": how messages travel */
  get way() { return this.#link instanceof ChannelLink ? 'channel' : 'api'; }

  /**
   * Joins; resolves with the participants of before.
   * @param {{room: number, username: string, display?: string, pin?: string, token?: string, presence?: boolean, state?: object,
   *   history?: boolean, dataChannel?: boolean}} options `dataChannel`: a peer connection for it, if one comes up
   */
  async join(session, {dataChannel = false, ...options}) {
    this.room = options.room;
    this.#options = options;
    this.#handle = await session.attach('cardea.plugin.textroom');
    this.#handle.on('event', ({data}) => this.#receive(data));
    const channel = dataChannel ? await this.#openChannel() : null;
    if (channel && options.presence) {
      this.#presenceChannel = this.#handle.pc.createDataChannel('presence', {ordered: false, maxRetransmits: 0});
      this.#presenceChannel.onmessage = ({data}) => this.#receive(JSON.parse(data));
    }
    this.#link = channel ? new ChannelLink(channel, event => this.#receive(event)) : new ApiLink(this.#handle);
    this.#joining = true; // history comes before the answer on a data channel, and after it with the API: by their display
    try {
      const {participants, zones} = await this.#link.ask('join', options);
      this.zones = zones ?? [];
      return participants;
    } finally {
      this.#joining = false;
    }
  }

  /** Leaves and joins again on the same handle: what was missed comes as history. */
  async rejoin() {
    await this.request('leave').catch(() => {});
    return (await this.#link.ask('join', this.#options)).participants;
  }

  /** To all, or (`to`: usernames) to some; resolves with those of `to` who are not here. Message of one's own come back if to all. */
  async send(text, to) {
    if (!this.#link) throw new CardeaError(0, 'Not connected');
    const {sent} = await this.#link.ask('message', {room: this.room, text, ...(to && {tos: to})});
    return Object.entries(sent ?? {}).filter(([, arrived]) => !arrived).map(([name]) => name);
  }

  /** Shows a state; only the newest counts, so that none is waited for on the data channel. */
  show(state) {
    const channel = this.#presenceChannel;
    if (channel?.readyState === 'open') {
      if (channel.bufferedAmount < 16_384)
        channel.send(JSON.stringify({textroom: 'presence', room: this.room, seq: ++this.#sequence, state}));
      return Promise.resolve();
    }
    return this.#link ? this.#link.ask('presence', {room: this.room, state}) : Promise.reject(new CardeaError(0, 'Not connected'));
  }

  request(verb, body) { return this.#link.ask(verb, {room: this.room, ...body}); }

  close() {
    this.removeAllListeners();
    this.#link?.close();
    this.#link = null;
    this.#handle?.removeAllListeners();
    this.#handle?.closePeer();
    this.#handle = null;
  }

  /** Leaves the room and gives the handle back, while the session goes on. */
  async leave() {
    const handle = this.#handle;
    this.close();
    await handle?.detach().catch(() => {});
  }

  /** A data channel that is open, or nothing if it does not come up. */
  async #openChannel() {
    const handle = this.#handle;
    try {
      const {jsep} = await handle.request({request: 'setup'});
      await handle.answer(jsep, {request: 'ack'}, {data: true});
      const {channel} = handle;
      await new Promise((resolve, reject) => {
        setTimeout(() => reject(new CardeaError(0, 'the data channel did not open')), channelTimeoutMs);
        handle.once('hangup', reason => reject(new CardeaError(0, reason)));
        channel.onopen = resolve;
        if (channel.readyState === 'open') resolve();
      });
      handle.on('hangup', reason => this.emit('down', reason));
      return channel;
    } catch (error) {
      console.warn('cardea: text without a peer connection:', error.message);
      await handle.hangup().catch(() => {});
      return null;
    }
  }

  #receive(event) {
    if (event.room !== this.room) return;
    switch (event.textroom) {
      case 'message':
        return this.emit('message', {...event, date: dateOf(event.date), old: this.#joining || event.display !== undefined});
      case 'announcement': return this.emit('announcement', {...event, date: dateOf(event.date)});
      case 'join': return this.emit('join', event);
      case 'presence': return this.emit('presence', event.states);
      case 'zones': this.zones = event.zones; return this.emit('zones', event.zones);
      case 'leave':
      case 'kicked':
        return this.emit(event.textroom, event.username);
      default: return this.emit(event.textroom, event);
    }
  }
}
