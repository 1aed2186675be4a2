// A session of the Janus API: requests with promises, events to their handles, and the way back after a lost connection.
import {Emitter} from './emitter.js';
import {CardeaError} from './error.js';
import {Handle} from './handle.js';
import {httpAddress, openLink} from './link.js';

const requestTimeoutMs = 10_000;
const transaction = () => crypto.getRandomValues(new Uint32Array(2)).reduce((text, n) => text + n.toString(36), '');

/** Where the gateway of this page listens: the page's own port carries WebSocket too, below the page's own path. */
export function defaultUrl() {
  const given = new URLSearchParams(location.search).get('gateway');
  return given ?? new URL('.', location.href).href.replace(/^http/, 'ws');
}

/**
 * A session with the gateway. When the connection is lost it reconnects and claims the session; handles and their media live on if
 * the gateway keeps sessions (reclaim_session_timeout).
 * Events: 'reconnecting', 'reconnected', 'closed' (reason).
 */
export class Session extends Emitter {
  #url;
  #options;
  #link = null;
  #pending = new Map(); // transaction -> {resolve, reject, timer, waitsForEvent}
  #handles = new Map();
  #keepalive = null;
  #closed = false;

  id = null;

  constructor(url, options) {
    super();
    this.#url = url;
    this.#options = {keepaliveMs: 25_000, reconnectForMs: 30_000, ...options};
  }

  /**
   * Opens a new session, or with `claim: id` takes over one that exists.
   * @param {string} url ws:// or wss://; or http://host/janus for the long poll, which is also used where no WebSocket opens
   * @param {{claim?: number, apisecret?: string, token?: string, keepaliveMs?: number, reconnectForMs?: number, fallback?: boolean,
   *   rtcConfig?: RTCConfiguration}} options `fallback: false`: no long poll instead of a WebSocket; `rtcConfig`: for peer connections
   */
  static async open(url = defaultUrl(), options = {}) {
    const session = new Session(url, options);
    await session.#connect();
    try {
      if (options.claim) {
        session.id = options.claim;
        await session.request({janus: 'claim'});
      } else {
        session.id = (await session.request({janus: 'create'})).data.id;
      }
      session.#link.follow(session.id);
    } catch (error) {
      session.#close(error.message);
      throw error;
    }
    session.#keepalive = setInterval(() => session.request({janus: 'keepalive'}).catch(() => {}), session.#options.keepaliveMs);
    return session;
  }

  get rtcConfig() { return this.#options.rtcConfig; }
  get closed() { return this.#closed; }

  /** Sends one request of the Janus API; resolves with the whole reply. For a plugin message: with its answer or event. */
  request(message) {
    return new Promise((resolve, reject) => {
      if (!this.#link?.open) return reject(new CardeaError(0, 'Not connected'));
      const id = transaction();
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new CardeaError(0, `No answer to ${message.janus}`));
      }, requestTimeoutMs);
      this.#pending.set(id, {resolve, reject, timer, waitsForEvent: message.janus === 'message'});
      this.#link.send(this.#complete(message, id));
    });
  }

  /** Attaches to a plugin. */
  async attach(plugin, options = {}) {
    const {data} = await this.request({janus: 'attach', plugin, ...options});
    const handle = new Handle(this, data.id);
    this.#handles.set(handle.id, handle);
    return handle;
  }

  forget(handle) { this.#handles.delete(handle.id); }

  /** Ends the session and everything in it. */
  async destroy() {
    if (this.#closed) return;
    await this.request({janus: 'destroy'}).catch(() => {});
    this.#close('destroyed');
  }

  /** The same while the page goes away, when nothing can be waited for. */
  abandon() {
    if (this.#closed) return;
    const message = this.#complete({janus: 'destroy'}, transaction());
    if (this.#link?.open) this.#link.send(message);
    navigator.sendBeacon?.(`${httpAddress(this.#url)}/${this.id}`, JSON.stringify(message));
    this.#close('page closed');
  }

  #complete(message, id) {
    const {apisecret, token} = this.#options;
    return {...message, transaction: id, ...(this.id && {session_id: this.id}), ...(apisecret && {apisecret}), ...(token && {token})};
  }

  async #connect() {
    const link = await openLink(this.#url, this.#options);
    if (this.#closed) return link.close();
    link.onmessage = message => this.#receive(message);
    link.onclose = () => this.#lost(link);
    this.#link = link;
  }

  async #lost(link) {
    if (this.#closed || link !== this.#link) return;
    for (const [id, {reject, timer}] of this.#pending) {
      clearTimeout(timer);
      this.#pending.delete(id);
      reject(new CardeaError(0, 'The connection was lost'));
    }
    if (!this.id) return; // open() fails with it
    this.emit('reconnecting');
    const until = Date.now() + this.#options.reconnectForMs;
    for (let wait = 250; Date.now() < until && !this.#closed; wait = Math.min(2 * wait, 4000)) {
      try {
        await this.#connect();
        await this.request({janus: 'claim'});
        this.#link.follow(this.id);
        this.emit('reconnected');
        return;
      } catch (error) {
        if (error.code === 458) break; // the gateway gave the session up
        await new Promise(resolve => setTimeout(resolve, wait));
      }
    }
    this.#close('connection lost');
  }

  #close(reason) {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#keepalive);
    for (const {reject, timer} of this.#pending.values()) {
      clearTimeout(timer);
      reject(new CardeaError(0, `Session over: ${reason}`));
    }
    this.#pending.clear();
    for (const handle of this.#handles.values()) handle.closePeer();
    this.#link?.close();
    this.emit('closed', reason);
  }

  #receive(message) {
    const waiting = this.#pending.get(message.transaction);
    if (waiting && !(message.janus === 'ack' && waiting.waitsForEvent)) {
      this.#pending.delete(message.transaction);
      clearTimeout(waiting.timer);
      const failure = message.error ?? (message.plugindata?.data?.error_code !== undefined &&
        {code: message.plugindata.data.error_code, reason: message.plugindata.data.error});
      if (failure) waiting.reject(new CardeaError(failure.code, failure.reason));
      else waiting.resolve(message);
      return;
    }
    if (message.janus === 'timeout' && message.session_id === this.id) return this.#close('session timed out');
    this.#handles.get(message.sender)?.receive(message);
  }
}
