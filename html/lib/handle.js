// An attachment to a plugin, with at most one peer connection.
import {Emitter} from './emitter.js';
import {CardeaError} from './error.js';

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
  #giveUp = null; // rejects what waits for the peer connection: the browser's promises of a closed one never settle
  #over = null;   // the promise that it rejects

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
  offer(body, options = {}) { return this.#whileOpen(pc => this.#offer(pc, body, options)); }

  async #offer(pc, body, {tracks = [], receive = [], simulcast = false, encodings, iceRestart = false, data = false}) {
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
  answer(jsep, body, {data = false} = {}) {
    return this.#whileOpen(async pc => {
      await pc.setRemoteDescription(jsep);
      if (data && !this.channel) this.channel = pc.createDataChannel('JanusDataChannel');
      await pc.setLocalDescription(await pc.createAnswer());
      return this.request(body, {type: 'answer', sdp: pc.localDescription.sdp});
    });
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
    this.#giveUp?.(new CardeaError(0, 'The peer connection was closed'));
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

  #whileOpen(work) {
    const pc = this.#peer();
    return Promise.race([work(pc), this.#over]);
  }

  #peer() {
    if (this.#pc) return this.#pc;
    this.#over = new Promise((_, reject) => (this.#giveUp = reject));
    this.#over.catch(() => {});
    const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle', ...this.#session.rtcConfig});
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
