// How messages of the Janus API travel: over a WebSocket, or with HTTP requests and a long poll where no WebSocket gets through.
import {CardeaError} from './error.js';

const openTimeoutMs = 5000;
const pollFailures = 3; // in a row: the gateway is gone

/** ws://host/path -> http://host/path/janus, where the gateway takes the same messages. */
export function httpAddress(url) {
  if (!/^wss?:/.test(url)) return url.replace(/\/$/, '');
  return `${url.replace(/^ws/, 'http').replace(/\/$/, '')}/janus`;
}

/** A link has `onmessage(message)` and `onclose()`, to be set by its owner. */
class WebSocketLink {
  #socket;

  static open(url, protocol) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, protocol);
      const refuse = () => {
        clearTimeout(timer);
        socket.onopen = null;
        reject(new CardeaError(0, `Cannot reach ${url}`));
      };
      const timer = setTimeout(() => {
        socket.close();
        refuse();
      }, openTimeoutMs);
      socket.onclose = refuse;
      socket.onopen = () => {
        clearTimeout(timer);
        resolve(new WebSocketLink(socket));
      };
    });
  }

  constructor(socket) {
    this.#socket = socket;
    socket.onclose = () => this.onclose?.();
    socket.onmessage = ({data}) => this.onmessage?.(JSON.parse(data));
  }

  get open() { return this.#socket.readyState === WebSocket.OPEN; }
  send(message) { this.#socket.send(JSON.stringify(message)); }

  /** Nothing to do: events come by themselves. */
  follow() {}

  close() {
    this.#socket.onclose = null;
    this.#socket.close();
  }
}

class PollLink {
  #url;
  #query = '';
  #polling = null; // AbortController of the poll that waits
  open = true;

  static async open(url) {
    const address = httpAddress(url);
    const answer = await fetch(`${address}/info`, {signal: AbortSignal.timeout(openTimeoutMs)}).catch(() => null);
    if (!answer?.ok) throw new CardeaError(0, `Cannot reach ${url}`);
    return new PollLink(address);
  }

  constructor(url) { this.#url = url; }

  async send(message) {
    this.#query = new URLSearchParams(
      Object.entries({apisecret: message.apisecret, token: message.token}).filter(([, value]) => value)).toString();
    try {
      // text/plain needs no preflight on another origin
      const answer = await fetch(this.#url, {method: 'POST', body: JSON.stringify(message)});
      const text = await answer.text();
      if (text) this.onmessage?.(JSON.parse(text));
    } catch {
      this.#lost();
    }
  }

  /** Polls for the events of the session. */
  follow(session) {
    if (!this.#polling) this.#poll(session);
  }

  async #poll(session) {
    let failures = 0;
    this.#polling = new AbortController();
    const {signal} = this.#polling;
    while (this.open) {
      try {
        const answer = await fetch(`${this.#url}/${session}?maxev=20&rid=${Date.now()}&${this.#query}`, {signal, cache: 'no-store'});
        if (answer.status === 404) return this.onmessage?.({janus: 'timeout', session_id: session});
        for (const message of await answer.json()) if (message.janus !== 'keepalive') this.onmessage?.(message);
        failures = 0;
      } catch {
        if (++failures >= pollFailures) return this.#lost();
        await new Promise(resolve => setTimeout(resolve, 250));
      }
    }
  }

  #lost() {
    if (!this.open) return;
    this.close();
    this.onclose?.();
  }

  close() {
    this.open = false;
    this.#polling?.abort();
  }
}

/** Opens a link to the gateway: a WebSocket to a ws address, else (`fallback`) the long poll. `protocol` is the WebSocket's. */
export async function openLink(url, {fallback = true, protocol = 'janus-protocol'} = {}) {
  if (!/^wss?:/.test(url)) return PollLink.open(url);
  try {
    return await WebSocketLink.open(url, protocol);
  } catch (error) {
    if (!fallback) throw error;
    return PollLink.open(url).catch(() => { throw error; });
  }
}
