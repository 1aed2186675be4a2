// A small client for the gateway: sessions, handles, peer connections, with promises and without dependencies.
//
//   const session = await Session.open('ws://localhost:8188');
//   const room = await session.attach('cardea.plugin.videoroom');
//   const {data} = await room.request({request: 'join', room: 1234, ptype: 'publisher'});
//   await room.offer({request: 'publish'}, {tracks: stream.getTracks()});
//   room.on('event', ({data, jsep}) => ...);

/** What the gateway or a plugin refused: `code` and message are its own words. */
export class CardeaError extends Error {
  constructor(code, reason) {
    super(reason);
    this.name = 'CardeaError';
    this.code = code;
  }
}

class Emitter {
  #listeners = new Map();

  /** Calls `listener(detail)` at every event of that name. Returns a function that ends it. */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
  }

  emit(name, detail) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(detail);
  }
}

const requestTimeoutMs = 10_000;
const transaction = () => crypto.getRandomValues(new Uint32Array(2)).reduce((text, n) => text + n.toString(36), '');

/** Where the gateway of this page listens: the page's own port carries WebSocket too. */
export function defaultUrl() {
  const given = new URLSearchParams(location.search).get('gateway');
  return given ?? `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
}

/**
 * A session over a WebSocket. When the socket is lost it reconnects and claims the session; handles and their media live on if the
 * gateway keeps sessions (reclaim_session_timeout).
 * Events: 'reconnecting', 'reconnected', 'closed' (reason).
 */
export class Session extends Emitter {
  #url;
  #options;
  #socket = null;
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
   * @param {string} url ws:// or wss://
   * @param {{claim?: number, apisecret?: string, token?: string, keepaliveMs?: number, reconnectForMs?: number}} options
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
    } catch (error) {
      session.#close(error.message);
      throw error;
    }
    session.#keepalive = setInterval(() => session.request({janus: 'keepalive'}).catch(() => {}), session.#options.keepaliveMs);
    return session;
  }

  /** Sends one request of the Janus API; resolves with the whole reply. For a plugin message: with its answer or event. */
  request(message) {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) return reject(new CardeaError(0, 'Not connected'));
      const id = transaction();
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new CardeaError(0, `No answer to ${message.janus}`));
      }, requestTimeoutMs);
      this.#pending.set(id, {resolve, reject, timer, waitsForEvent: message.janus === 'message'});
      const {apisecret, token} = this.#options;
      this.#socket.send(JSON.stringify({
        ...message, transaction: id, ...(this.id && {session_id: this.id}), ...(apisecret && {apisecret}), ...(token && {token}),
      }));
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

  #connect() {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.#url, 'janus-protocol');
      socket.onopen = () => {
        this.#socket = socket;
        socket.onclose = () => this.#lost(socket);
        resolve();
      };
      socket.onclose = () => reject(new CardeaError(0, `Cannot reach ${this.#url}`));
      socket.onmessage = ({data}) => this.#receive(JSON.parse(data));
    });
  }

  async #lost(socket) {
    if (this.#closed || socket !== this.#socket) return;
    this.emit('reconnecting');
    const until = Date.now() + this.#options.reconnectForMs;
    for (let wait = 250; Date.now() < until && !this.#closed; wait = Math.min(2 * wait, 4000)) {
      try {
        await this.#connect();
        await this.request({janus: 'claim'});
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
    this.#socket?.close();
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
    if (message.janus === 'timeout') return this.#close('session timed out');
    this.#handles.get(message.sender)?.receive(message);
  }
}

// What SDP does not say: which streams have spatial layers, [{mid, svc: "L3T3"}].
function spatialLayers(pc) {
  const streams = pc.getTransceivers().map(({mid, sender}) => ({mid, encodings: sender.getParameters().encodings}));
  return streams.filter(({encodings}) => encodings?.length === 1 && /^[LS][^1]/.test(encodings[0].scalabilityMode ?? ''))
    .map(({mid, encodings}) => ({mid, svc: encodings[0].scalabilityMode}));
}

/**
 * An attachment to a plugin, with at most one peer connection.
 * Events: 'event' ({data, jsep}) of the plugin; 'track' (RTCTrackEvent); 'datachannel'; 'webrtcup'; 'media' ({type, mid, receiving});
 * 'slowlink'; 'hangup' (reason); 'detached'; 'state' (connection state).
 */
export class Handle extends Emitter {
  #session;
  #pc = null;

  constructor(session, id) {
    super();
    this.#session = session;
    this.id = id;
  }

  get pc() { return this.#pc; }

  /** Sends a message to the plugin; resolves with {data, jsep} of its answer or of the event that answers it. */
  async request(body, jsep) {
    const reply = await this.#session.request({janus: 'message', handle_id: this.id, body, ...(jsep && {jsep})});
    return {data: reply.plugindata?.data, jsep: reply.jsep};
  }

  /**
   * Offers media (again) and sends the offer with `body` (or what `body(pc)` returns once the offer's mids are known); resolves with
   * {data} once the gateway's answer is set.
   * @param {{tracks?: MediaStreamTrack[], receive?: string[], simulcast?: boolean, encodings?: RTCRtpEncodingParameters[],
   *   iceRestart?: boolean, data?: boolean}} what
   *   tracks to add to what is sent; kinds to receive beyond what is sent; three qualities of the video, or the encodings given (for SVC
   *   or qualities of one's own); new ICE credentials
   */
  async offer(body, {tracks = [], receive = [], simulcast = false, encodings, iceRestart = false, data = false} = {}) {
    const pc = this.#peer();
    for (const track of tracks) {
      const qualities = encodings ?? (simulcast && [{rid: 'h'}, {rid: 'm', scaleResolutionDownBy: 2}, {rid: 'l', scaleResolutionDownBy: 4}]);
      const sendEncodings = (track.kind === 'video' && qualities) || [{}];
      pc.addTransceiver(track, {direction: receive.includes(track.kind) ? 'sendrecv' : 'sendonly', sendEncodings});
    }
    for (const kind of receive) if (!tracks.some(track => track.kind === kind)) pc.addTransceiver(kind, {direction: 'recvonly'});
    if (data && !this.channel) this.channel = pc.createDataChannel('JanusDataChannel');
    await pc.setLocalDescription(await pc.createOffer({iceRestart}));
    const message = typeof body === 'function' ? body(pc) : body;
    const svc = spatialLayers(pc);
    const {data: answer, jsep} = await this.request(message, {type: 'offer', sdp: pc.localDescription.sdp, ...(svc.length && {svc})});
    if (jsep) await pc.setRemoteDescription(jsep);
    return {data: answer, jsep};
  }

  /** Answers an offer of the gateway and sends the answer with `body`; with `data` the handle's `channel` opens once it is up. */
  async answer(jsep, body, {data = false} = {}) {
    const pc = this.#peer();
    await pc.setRemoteDescription(jsep);
    if (data && !this.channel) this.channel = pc.createDataChannel('JanusDataChannel');
    await pc.setLocalDescription(await pc.createAnswer());
    return this.request(body, {type: 'answer', sdp: pc.localDescription.sdp});
  }

  /** Closes the peer connection; the handle stays. */
  async hangup() {
    this.closePeer();
    await this.#session.request({janus: 'hangup', handle_id: this.id});
  }

  async detach() {
    this.closePeer();
    this.#session.forget(this);
    await this.#session.request({janus: 'detach', handle_id: this.id});
  }

  closePeer() {
    this.#pc?.close();
    this.#pc = null;
    this.channel = undefined;
  }

  /** The session's: a message for this handle that answers no request. */
  receive(message) {
    switch (message.janus) {
      case 'event': return this.emit('event', {data: message.plugindata?.data, jsep: message.jsep});
      case 'trickle':
        if (message.candidate && !message.candidate.completed) this.#pc?.addIceCandidate(message.candidate).catch(() => {});
        return;
      case 'hangup':
        this.closePeer();
        return this.emit('hangup', message.reason);
      case 'detached':
        this.closePeer();
        this.#session.forget(this);
        return this.emit('detached');
      default: return this.emit(message.janus, message);
    }
  }

  #peer() {
    if (this.#pc) return this.#pc;
    const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
    pc.ontrack = event => this.emit('track', event);
    pc.ondatachannel = event => this.emit('datachannel', event.channel);
    pc.onconnectionstatechange = () => this.emit('state', pc.connectionState);
    pc.onicecandidate = ({candidate}) => {
      if (this.#pc !== pc) return;
      this.#session.request({
        janus: 'trickle', handle_id: this.id,
        candidate: candidate
          ? {candidate: candidate.candidate, sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex}
          : {completed: true},
      }).catch(() => {});
    };
    this.#pc = pc;
    return pc;
  }
}
