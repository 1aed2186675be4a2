// Tracks: what is captured here, and what comes from others; both are shown with attach().
import {TrackEvent} from './constants.js';
import {capture} from './devices.js';
import {Emitter} from './emitter.js';

/** What local and remote tracks share. `stats` has the last digest of the connection's statistics: see Room.getStats. */
export class Track extends Emitter {
  #media;

  attachedElements = [];
  isMuted = false;
  sid;
  stats = null;

  constructor(mediaStreamTrack, source) {
    super();
    this.#media = mediaStreamTrack;
    this.kind = mediaStreamTrack.kind;
    this.source = source;
  }

  get mediaStreamTrack() { return this.#media; }
  get mediaStream() { return new MediaStream([this.#media]); }
  /** bit/s, of the last seconds */
  get currentBitrate() { return this.stats?.bitrate ?? 0; }

  /** Plays the track in the element, or in a new one, and returns it. */
  attach(element = document.createElement(this.kind)) {
    element.autoplay = true;
    if (this.kind === 'video') {
      element.playsInline = true;
      if (this.isLocal) element.muted = true;
    }
    this.#show(element);
    if (!this.attachedElements.includes(element)) this.attachedElements.push(element);
    this.emit(TrackEvent.ElementAttached, element);
    return element;
  }

  /** Ends it in that element, or in all; returns it or them. */
  detach(element) {
    const gone = element ? this.attachedElements.filter(one => one === element) : [...this.attachedElements];
    this.attachedElements = this.attachedElements.filter(one => !gone.includes(one));
    for (const one of gone) {
      const others = one.srcObject?.getTracks().filter(track => track !== this.#media) ?? [];
      one.srcObject = others.length ? new MediaStream(others) : null;
      this.emit(TrackEvent.ElementDetached, one);
    }
    return element ?? gone;
  }

  /** Ends the capture, or the playing. */
  stop() { this.#media.stop(); }

  /** Another track of the browser instead, in all elements too. */
  swap(mediaStreamTrack) {
    const before = this.#media;
    this.#media = mediaStreamTrack;
    for (const element of this.attachedElements) this.#show(element, before);
  }

  setMuted(muted) {
    if (this.isMuted === muted) return;
    this.isMuted = muted;
    this.emit(muted ? TrackEvent.Muted : TrackEvent.Unmuted, this);
  }

  // The element gets a new stream: it does not always notice a changed one.
  #show(element, before) {
    const others = element.srcObject?.getTracks().filter(track => track.kind !== this.kind && track !== before) ?? [];
    const tracks = element.srcObject?.getTracks() ?? [];
    const shown = tracks.includes(this.#media) && tracks.length === others.length + 1;
    if (!shown) element.srcObject = new MediaStream([...others, this.#media]);
    element.play?.().catch(error => {
      if (error.name === 'NotAllowedError') this.emit(TrackEvent.AudioPlaybackFailed, error);
    });
  }
}
Track.Kind = Object.freeze({Audio: 'audio', Video: 'video', Unknown: 'unknown'});
Track.Source = Object.freeze({
  Camera: 'camera', Microphone: 'microphone', ScreenShare: 'screen_share', ScreenShareAudio: 'screen_share_audio', Unknown: 'unknown',
});

/** A track of this machine. Muting a camera ends its capture, so that its light goes out; a microphone stays open, and is silent. */
export class LocalTrack extends Track {
  #options;
  #onended = () => this.emit(TrackEvent.Ended, this);
  /** RTCRtpSender, once published */
  sender = null;

  constructor(mediaStreamTrack, source, options = {}) {
    super(mediaStreamTrack, source);
    this.#options = options;
    mediaStreamTrack.addEventListener('ended', this.#onended);
  }

  get isLocal() { return true; }
  get deviceId() { return this.mediaStreamTrack.getSettings().deviceId; }
  get #isCamera() { return this.kind === 'video' && this.source === Track.Source.Camera; }

  async mute() {
    this.mediaStreamTrack.enabled = false;
    if (this.#isCamera) {
      this.stop();
      await this.sender?.replaceTrack(null);
    }
    this.setMuted(true);
    return this;
  }

  async unmute() {
    if (this.mediaStreamTrack.readyState === 'ended') await this.restartTrack();
    this.mediaStreamTrack.enabled = true;
    await this.sender?.replaceTrack(this.mediaStreamTrack);
    this.setMuted(false);
    return this;
  }

  /** What the next capture is to be like. */
  setConstraints(options) { this.#options = {...this.#options, ...options}; }

  /** Captures again, with other constraints: {deviceId, facingMode, resolution, ...}. */
  async restartTrack(options) {
    this.setConstraints(options);
    if (this.kind === 'video') this.stop(); // phones have one camera at a time
    return this.replaceTrack(await capture(this.kind, this.#options));
  }

  /** Sends and shows another track of the browser instead, without a negotiation. */
  async replaceTrack(mediaStreamTrack) {
    const before = this.mediaStreamTrack;
    before.removeEventListener('ended', this.#onended);
    mediaStreamTrack.addEventListener('ended', this.#onended);
    mediaStreamTrack.enabled = !this.isMuted;
    this.swap(mediaStreamTrack);
    if (!this.isMuted || !this.#isCamera) await this.sender?.replaceTrack(mediaStreamTrack);
    if (before !== mediaStreamTrack) before.stop();
    this.emit(TrackEvent.Restarted, this);
    return this;
  }

  async setDeviceId(deviceId) {
    await this.restartTrack({deviceId});
    return this.deviceId === deviceId;
  }

  stop() {
    this.mediaStreamTrack.removeEventListener('ended', this.#onended);
    super.stop();
  }
}
export class LocalAudioTrack extends LocalTrack {}
export class LocalVideoTrack extends LocalTrack {}

/** A track of another. */
export class RemoteTrack extends Track {
  /** RTCRtpReceiver */
  receiver = null;

  get isLocal() { return false; }
  /** Nothing to stop: the track is the connection's. */
  stop() {}

  async getRTCStatsReport() { return this.receiver?.getStats(); }
}

export class RemoteAudioTrack extends RemoteTrack {
  #volume = 1;
  /** 0 to 1, in all elements */
  setVolume(volume) {
    this.#volume = volume;
    for (const element of this.attachedElements) element.volume = volume;
  }
  getVolume() { return this.#volume; }

  async setSinkId(deviceId) {
    this.sink = deviceId;
    await Promise.all(this.attachedElements.map(element => element.setSinkId?.(deviceId)));
  }

  attach(element) {
    const attached = super.attach(element);
    attached.volume = this.#volume;
    if (this.sink) attached.setSinkId?.(this.sink).catch(() => {});
    return attached;
  }
}
export class RemoteVideoTrack extends RemoteTrack {}

export function localTrack(mediaStreamTrack, source, options) {
  return new (mediaStreamTrack.kind === 'audio' ? LocalAudioTrack : LocalVideoTrack)(mediaStreamTrack, source, options);
}
export function remoteTrack(mediaStreamTrack, source) {
  return new (mediaStreamTrack.kind === 'audio' ? RemoteAudioTrack : RemoteVideoTrack)(mediaStreamTrack, source);
}
