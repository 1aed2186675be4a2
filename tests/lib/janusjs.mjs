// The official janus.js, unmodified, under node, with what a browser would have around it.
import WebSocket from 'ws';
import {until} from './gateway.mjs';
import {
  MediaStream, MediaStreamTrack, RTCDataChannel, RTCIceCandidate, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, Sink,
} from './wrtc.mjs';

globalThis.window = globalThis;
Object.assign(globalThis, {RTCPeerConnection, RTCRtpSender, RTCSessionDescription, RTCIceCandidate, MediaStream, MediaStreamTrack});
globalThis.addEventListener ??= () => {};
Object.defineProperty(globalThis, 'navigator',
  {value: {userAgent: 'node', platform: 'node', mediaDevices: {getUserMedia: async () => new MediaStream()}}, configurable: true});
// The events of this module's data channels lack the target that a browser's have.
const {dispatchEvent} = RTCDataChannel.prototype;
RTCDataChannel.prototype.dispatchEvent = function (event) {
  event.target ??= this;
  return dispatchEvent.call(this, event);
};
const {default: Janus} = await import('janus-gateway');
export {Janus};

const adapter = {browserDetails: {browser: 'chrome', version: 120}};

/** `Socket`: another class than ws, to look at what is opened. */
export function init(Socket = WebSocket) {
  Janus.initDone = false;
  return new Promise(callback => Janus.init({
    debug: false, callback, dependencies: Janus.useDefaultDependencies({fetch, WebSocket: Socket, adapter}),
  }));
}

export const open = (server, lost = () => {}) => new Promise((resolve, reject) => {
  let opened = false;
  const janus = new Janus({
    server, destroyed: () => {},
    success: () => { opened = true; resolve(janus); },
    error: error => (opened ? lost(error) : reject(error)),
  });
});
export const close = janus => new Promise(resolve => janus.destroy({success: resolve, error: resolve}));

// The event that answers a request, by its verb.
const answers = {
  join: event => ['joined', 'attached'].includes(event.videoroom), joinandconfigure: event => event.videoroom === 'joined',
  configure: event => event.configured, publish: event => event.configured, unpublish: event => event.unpublished === 'ok',
  leave: event => event.leaving === 'ok' || event.left === 'ok', start: event => event.started, pause: event => event.paused,
  switch: event => event.switched, subscribe: event => event.videoroom.startsWith('updat'),
  unsubscribe: event => event.videoroom.startsWith('updat'), update: event => event.videoroom.startsWith('updat'),
  setup: event => event.result === 'ok', ack: event => event.result === 'ok', restart: event => event.result === 'ok',
};

/** A handle, with what the callbacks of a page got. */
export class Page {
  messages = [];
  sinks = new Map(); // by mid
  data = [];
  media = [];
  up = false;
  dataOpen = false;

  static attach(janus, plugin = 'janus.plugin.videoroom') {
    const page = new Page();
    return new Promise((resolve, reject) => janus.attach({
      plugin, opaqueId: 'test',
      success: handle => resolve(Object.assign(page, {handle})),
      error: reject,
      onmessage: (message, jsep) => page.messages.push({message, jsep}),
      onremotetrack: (track, mid, on) => on && !page.sinks.has(mid) && page.sinks.set(mid, new Sink(track)),
      webrtcState: up => (page.up = up),
      mediaState: (type, on, mid) => page.media.push({type, on, mid}),
      ondataopen: label => (page.dataOpen = label),
      ondata: (data, label) => page.data.push({data, label}),
    }));
  }

  /** Takes the first message for which `wanted` holds, once it is there. */
  heard(wanted, what) {
    return until(() => {
      const at = this.messages.findIndex(({message, jsep}) => wanted(message, jsep));
      return at >= 0 && this.messages.splice(at, 1)[0];
    }, what);
  }

  /** The answer to a request: of the success callback, or the event after it. Its jsep is a member. */
  async ask(message, jsep) {
    const data = await new Promise((success, error) => this.handle.send({message, jsep, success, error}));
    if (data) return data;
    const answer = answers[message.request] ?? (event => event.result);
    const got = await this.heard(event => event.error_code || answer(event), `an answer to ${JSON.stringify(message)}`);
    return got.jsep ? {...got.message, jsep: got.jsep} : got.message;
  }

  offer(tracks, options = {}) { return new Promise((success, error) => this.handle.createOffer({tracks, ...options, success, error})); }
  answer(jsep, tracks = []) { return new Promise((success, error) => this.handle.createAnswer({jsep, tracks, success, error})); }
  accept(jsep) { return new Promise((success, error) => this.handle.handleRemoteJsep({jsep, success, error})); }
  isUp() { return until(() => this.up, 'the connection is up'); }

  frames(mid) { return this.sinks.get(mid)?.frames ?? 0; }
  loud(mid) { return this.sinks.get(mid)?.loud ?? 0; }
  /** Five more frames, or ten more pieces of sound. */
  more(mid) {
    const [frames, loud] = [this.frames(mid), this.loud(mid)];
    return until(() => this.frames(mid) >= frames + 5 || this.loud(mid) >= loud + 10, `more on mid ${mid}`);
  }
  still(mid) {
    return until(async () => {
      const before = this.frames(mid) + this.loud(mid);
      await new Promise(resolve => setTimeout(resolve, 400));
      return before === this.frames(mid) + this.loud(mid);
    }, `nothing more on mid ${mid}`);
  }

  end() {
    for (const sink of this.sinks.values()) sink.stop();
    return new Promise(resolve => this.handle.detach({success: resolve, error: resolve}));
  }
}
