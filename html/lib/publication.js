// What a participant publishes: one of these for each track, whether it is subscribed to or not.
import {VideoQuality} from './constants.js';
import {Emitter} from './emitter.js';
import {Track} from './track.js';

/** What publications of here and of others share. */
export class TrackPublication extends Emitter {
  track;
  /** A moderator has muted it: only a moderator can unmute it. */
  isModerated = false;

  constructor(sid, kind, source, name) {
    super();
    this.trackSid = sid;
    this.kind = kind;
    this.source = source;
    this.trackName = name ?? source;
  }

  get isMuted() { return this.isModerated || this.muted; }
  get audioTrack() { return this.kind === 'audio' ? this.track : undefined; }
  get videoTrack() { return this.kind === 'video' ? this.track : undefined; }
}

/** A track of ours in the room. */
export class LocalTrackPublication extends TrackPublication {
  #participant;

  constructor(sid, track, name, participant, options) {
    super(sid, track.kind, track.source, name);
    this.track = track;
    this.options = options;
    this.#participant = participant;
  }

  get isLocal() { return true; }
  get muted() { return this.track.isMuted; }
  get isSubscribed() { return true; }

  async mute() { await this.setMuted(true); }
  async unmute() { await this.setMuted(false); }
  async setMuted(muted) {
    if (muted !== this.track.isMuted) await (muted ? this.track.mute() : this.track.unmute());
    await this.#participant.mutedChanged(this);
  }
}

/** A track of another in the room. `downlink` gets it when it is wanted; `wish` says which quality of it. */
export class RemoteTrackPublication extends TrackPublication {
  #downlink;
  #layers = null; // what the size of the elements asks for: {send, substream, temporal}
  #enabled = true;
  #quality = VideoQuality.HIGH;
  muted = false;

  constructor(downlink, feed, stream, source, name) {
    super(`${feed}/${stream.mid}`, stream.type, source, name);
    this.#downlink = downlink;
    this.feed = feed;
    this.mid = stream.mid;
    this.simulcasted = Boolean(stream.simulcast || stream.svc);
  }

  get isLocal() { return false; }
  get isSubscribed() { return this.track !== undefined; }
  get isEnabled() { return this.#enabled; }
  get videoQuality() { return this.#quality; }
  /** Whether it is wanted, subscribed already or not. */
  get isDesired() { return this.#downlink.wants(this); }

  setSubscribed(wanted) {
    if (wanted) this.#downlink.add(this);
    else this.#downlink.remove(this);
  }

  /** false: nothing is sent of it, until it is enabled again; no negotiation. */
  setEnabled(enabled) {
    this.#enabled = enabled;
    this.#downlink.ask(this);
  }

  /** The most that is asked for: a VideoQuality. */
  setVideoQuality(quality) {
    this.#quality = quality;
    this.#downlink.ask(this);
  }

  /** How large it is shown, in pixels of the screen. */
  setVideoDimensions({width, height}) { this.setLayers(layersFor(width, height)); }

  setLayers(layers) {
    this.#layers = layers;
    this.#downlink.ask(this);
  }

  /** What the gateway is asked for. */
  get wish() {
    const send = this.#enabled && this.#quality !== VideoQuality.OFF && (this.#layers?.send ?? true);
    if (this.kind === 'audio' || !this.simulcasted) return {send};
    const substream = Math.min(this.#quality, this.#layers?.substream ?? 2);
    return {send, substream: Math.max(0, substream), temporal: this.#layers?.temporal ?? 2};
  }
}

/** The layer that is enough for a picture of that size: three of them, of a quarter, a half and the whole of 720 lines. */
export function layersFor(width, height) {
  const lines = Math.max(height, width * 9 / 16);
  return {send: true, substream: lines <= 200 ? 0 : lines <= 420 ? 1 : 2, temporal: lines <= 110 ? 1 : 2};
}

// Descriptions of streams, of this library and of others that publish a screen.
const sources = {
  microphone: Track.Source.Microphone, camera: Track.Source.Camera,
  screen: Track.Source.ScreenShare, screen_share: Track.Source.ScreenShare, screen_share_audio: Track.Source.ScreenShareAudio,
};

/** Source and name of a stream by its description: "camera", or "camera: name"; without one the first of a kind is the person's. */
export function sourceOf(stream, isFirst) {
  const [, word, name] = /^([^:]*)(?:: (.*))?$/s.exec(stream.description ?? '') ?? [];
  if (sources[word]) return {source: sources[word], name};
  if (!stream.description && isFirst) return {source: stream.type === 'audio' ? Track.Source.Microphone : Track.Source.Camera};
  return {source: Track.Source.Unknown, name: name ?? stream.description};
}

export function describe(source, name) {
  const word = source === Track.Source.Unknown ? 'unknown' : source;
  return name && name !== source ? `${word}: ${name}` : word;
}
