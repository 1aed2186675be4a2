// The person of this page: what they publish, and what they say.
import {ParticipantEvent, RoomEvent, ScreenSharePresets, TrackEvent} from './constants.js';
import {capture, captureBoth, captureScreen} from './devices.js';
import {CardeaError} from './error.js';
import {Participant} from './participant.js';
import {LocalTrackPublication, describe} from './publication.js';
import {LocalTrack, Track, localTrack} from './track.js';

const {Camera, Microphone, ScreenShare, ScreenShareAudio, Unknown} = Track.Source;
const kindOf = source => (source === Microphone || source === ScreenShareAudio ? 'audio' : 'video');

// Three qualities of a camera, fewer of a small one: each of half the size of the one above.
function camera(width, {maxBitrate = 1_700_000, maxFramerate} = {}) {
  const layers = width >= 960 ? ['h', 'm', 'l'] : width >= 480 ? ['h', 'm'] : ['h'];
  const full = Math.min(maxBitrate, Math.max(150_000, Math.round(maxBitrate * width / 1280)));
  return layers.map((rid, n) => ({
    ...(layers.length > 1 && {rid, scaleResolutionDownBy: 2 ** n}), maxBitrate: Math.round(full / [1, 3.4, 11][n]),
    ...(maxFramerate && {maxFramerate}),
  }));
}

function encodingsFor(track, {simulcast = true, encodings, videoEncoding, screenShareEncoding, scalabilityMode, audioBitrate} = {}) {
  if (encodings) return encodings;
  if (track.kind === 'audio') return [audioBitrate ? {maxBitrate: audioBitrate} : {}];
  if (track.source === ScreenShare) return [screenShareEncoding ?? ScreenSharePresets.h1080fps15.encoding];
  if (scalabilityMode) return [{scalabilityMode, ...videoEncoding}];
  const width = track.mediaStreamTrack.getSettings().width ?? 640;
  return simulcast ? camera(width, videoEncoding) : [videoEncoding ?? {}];
}

export class LocalParticipant extends Participant {
  #uplink;
  #wishes = new Map(); // source -> the promise of the change that is under way
  #lastMetadata = null;
  lastCameraError;
  lastMicrophoneError;
  activeDevices = new Map(); // kind of device -> deviceId

  constructor(room, uplink) {
    super(room, '', undefined);
    this.#uplink = uplink;
  }

  get isLocal() { return true; }

  setCameraEnabled(enabled, options, publishOptions) { return this.#enable(Camera, enabled, options, publishOptions); }
  setMicrophoneEnabled(enabled, options, publishOptions) { return this.#enable(Microphone, enabled, options, publishOptions); }
  /** Shares a screen, window or tab; with {audio: true} its sound too, where the browser gives it. */
  setScreenShareEnabled(enabled, options, publishOptions) { return this.#enable(ScreenShare, enabled, options, publishOptions); }

  /** Both, with one question of the browser. */
  async enableCameraAndMicrophone() {
    if (this.getTrackPublication(Camera) || this.getTrackPublication(Microphone)) {
      await Promise.all([this.setCameraEnabled(true), this.setMicrophoneEnabled(true)]);
      return;
    }
    const {audioCaptureDefaults: audio, videoCaptureDefaults: video} = this.room.options;
    const tracks = await captureBoth({audio, video}).catch(error => this.#deviceFailed(error));
    for (const track of tracks) await this.publishTrack(track, {source: track.kind === 'audio' ? Microphone : Camera});
  }

  /** Publishes a track, of LocalTrack or of the browser. {source, name, simulcast, videoEncoding, encodings, scalabilityMode} */
  async publishTrack(track, options = {}) {
    const defaults = this.room.options.publishDefaults;
    const own = track instanceof LocalTrack ? track : localTrack(track, options.source ?? Unknown);
    if (options.source) own.source = options.source;
    const publication = new LocalTrackPublication('', own, options.name, this, {...defaults, ...options});
    await this.#send(publication);
    own.on(TrackEvent.Ended, publication.onended = () => this.#ended(publication));
    this.tell(ParticipantEvent.LocalTrackPublished, publication);
    await this.mutedChanged(publication, false);
    return publication;
  }

  async unpublishTrack(track, stop = true) {
    const publication = this.getTrackPublications().find(one => one.track === track || one.track.mediaStreamTrack === track);
    if (!publication) return undefined;
    this.trackPublications.delete(publication.trackSid);
    publication.track.off(TrackEvent.Ended, publication.onended);
    publication.track.sender = null;
    if (stop) publication.track.stop();
    this.tell(ParticipantEvent.LocalTrackUnpublished, publication);
    await this.#uplink.remove(publication.transceiver).catch(() => {}); // the connection may be gone
    await this.#tellState();
    return publication;
  }

  unpublishTracks(tracks) { return Promise.all(tracks.map(track => this.unpublishTrack(track))); }

  /** The room's, after a new connection: everything once more, as it is. */
  async republish() {
    for (const [sid, publication] of [...this.trackPublications]) { // each keeps its place until it has another
      await this.#send(publication);
      if (publication.trackSid !== sid) this.trackPublications.delete(sid);
    }
    await this.#tellState(true);
  }

  /** The room's, at the end. */
  stopAll(stop) {
    for (const publication of this.getTrackPublications()) {
      publication.track.off(TrackEvent.Ended, publication.onended);
      publication.track.sender = null;
      if (stop) {
        publication.track.stop();
        publication.track.detach();
      }
    }
    this.trackPublications.clear();
  }

  /** Sends bytes to all or to some: {topic, destinationIdentities, reliable}. Not kept for those who come later. */
  async publishData(data, {topic, destinationIdentities} = {}) { return this.room.sendData(data, topic, destinationIdentities); }

  /** Writes to all, or to some ({destinationIdentities}); what is to all is kept for those who come later. */
  async sendChatMessage(message, {destinationIdentities} = {}) { return this.room.sendChat(message, destinationIdentities); }

  /** Sends a text under a topic, received by Room.registerTextStreamHandler. */
  async sendText(text, {topic = '', destinationIdentities} = {}) {
    await this.room.sendData(new TextEncoder().encode(text), topic, destinationIdentities, 'text');
    return {topic, timestamp: Date.now(), size: text.length};
  }

  async setName(name) {
    await this.#uplink.request({request: 'configure', display: name});
    this.rename(name);
  }

  async setMetadata(metadata) {
    this.describe(metadata, this.attributes);
    await this.#tellState();
  }

  /** Texts by name that all see; what is named replaces what was there, '' takes it away. */
  async setAttributes(attributes) {
    const merged = {...this.attributes, ...attributes};
    this.describe(this.metadata, Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== '')));
    await this.#tellState();
  }

  /** What the video room tells the others of us, beside the name. */
  get wireMetadata() {
    const muted = this.getTrackPublications().filter(({track}) => track.isMuted).map(({transceiver}) => transceiver.mid);
    return {
      identity: this.identity, ...(this.metadata !== undefined && {metadata: this.metadata}),
      ...(Object.keys(this.attributes).length && {attributes: this.attributes}), muted,
      tracks: this.getTrackPublications().map(({transceiver}) => transceiver.mid).join(' '), // those who missed something notice
    };
  }

  /** The publications' */
  async mutedChanged(publication, tell = true) {
    if (tell && publication.told !== publication.isMuted)
      this.tell(publication.isMuted ? ParticipantEvent.TrackMuted : ParticipantEvent.TrackUnmuted, publication);
    publication.told = publication.isMuted;
    await this.#tellState();
  }

  /** The room's: a moderator muted one of our streams, or lets it be heard again. */
  moderated(mid, muted) {
    const publication = this.getTrackPublications().find(({transceiver}) => transceiver?.mid === mid);
    if (!publication || publication.isModerated === muted) return;
    const before = publication.isMuted;
    publication.isModerated = muted;
    this.tell(ParticipantEvent.TrackModerated, publication, muted);
    if (publication.isMuted !== before)
      this.tell(publication.isMuted ? ParticipantEvent.TrackMuted : ParticipantEvent.TrackUnmuted, publication);
    publication.told = publication.isMuted;
  }

  /** Uses another device from now on: 'audioinput' or 'videoinput'. */
  async switchDevice(kind, deviceId) {
    const source = kind === 'audioinput' ? Microphone : Camera;
    const defaults = kind === 'audioinput' ? 'audioCaptureDefaults' : 'videoCaptureDefaults';
    this.room.options[defaults] = {...this.room.options[defaults], deviceId};
    const track = this.getTrackPublication(source)?.track;
    if (track?.isMuted && source === Camera) track.setConstraints({deviceId}); // its light stays out
    else await track?.restartTrack({deviceId}).catch(error => this.#deviceFailed(error, kind));
    this.#deviceChanged(kind, deviceId);
  }

  // One change of a source at a time: pressing the button twice quickly does not publish twice.
  #enable(source, enabled, options, publishOptions) {
    const before = this.#wishes.get(source) ?? Promise.resolve();
    const turn = before.catch(() => {}).then(() => this.#set(source, enabled, options, publishOptions));
    this.#wishes.set(source, turn);
    return turn;
  }

  async #set(source, enabled, options, publishOptions) {
    const publication = this.getTrackPublication(source);
    if (source === ScreenShare) return enabled ? publication ?? this.#shareScreen(options, publishOptions) : this.#endScreen();
    if (publication) {
      await publication.setMuted(!enabled).catch(error => this.#deviceFailed(error, `${kindOf(source)}input`));
      return publication;
    }
    if (!enabled) return undefined;
    const kind = kindOf(source);
    const defaults = kind === 'audio' ? this.room.options.audioCaptureDefaults : this.room.options.videoCaptureDefaults;
    const wanted = {...defaults, ...options};
    const media = await capture(kind, wanted).catch(error => this.#deviceFailed(error, `${kind}input`));
    const track = localTrack(media, source, wanted);
    return this.publishTrack(track, publishOptions).catch(error => {
      track.stop();
      throw error;
    });
  }

  async #shareScreen(options, publishOptions) {
    const tracks = await captureScreen(options);
    let screen;
    for (const media of tracks) {
      const source = media.kind === 'video' ? ScreenShare : ScreenShareAudio;
      const publication = await this.publishTrack(localTrack(media, source), publishOptions).catch(error => {
        tracks.forEach(track => track.stop());
        throw error;
      });
      if (source === ScreenShare) screen = publication;
    }
    return screen;
  }

  async #endScreen() {
    const shared = [ScreenShare, ScreenShareAudio].map(source => this.getTrackPublication(source)).filter(Boolean);
    for (const {track} of shared) await this.unpublishTrack(track);
    return undefined;
  }

  async #send(publication) {
    const {track, options} = publication;
    if (!this.#uplink.handle) throw new CardeaError(0, 'Not connected');
    const media = track.mediaStreamTrack;
    const transceiver = await this.#uplink.add(media, {
      encodings: publication.encodings ??= encodingsFor(track, options), description: describe(track.source, publication.trackName),
    });
    publication.transceiver = transceiver;
    publication.trackSid = track.sid = transceiver.mid;
    track.sender = transceiver.sender;
    if (track.isMuted && track.source === Camera) await track.sender.replaceTrack(null);
    this.trackPublications.set(publication.trackSid, publication);
  }

  /** A device was unplugged, or the browser's own "stop sharing" pressed. */
  async #ended(publication) {
    const {source, track} = publication;
    if (source !== Camera && source !== Microphone) return this.#enable(ScreenShare, false).catch(() => {});
    const kind = `${track.kind}input`;
    try {
      await track.restartTrack({deviceId: undefined});
      this.#deviceChanged(kind, track.deviceId);
    } catch (error) {
      await publication.setMuted(true).catch(() => {});
      this.room.emit(RoomEvent.MediaDevicesError, error, kind);
      this.emit(ParticipantEvent.MediaDevicesError, error, kind);
    }
  }

  #deviceChanged(kind, deviceId) {
    this.activeDevices.set(kind, deviceId);
    this.room.emit(RoomEvent.ActiveDeviceChanged, kind, deviceId);
  }

  #deviceFailed(error, kind) {
    if (kind === 'videoinput') this.lastCameraError = error;
    if (kind === 'audioinput') this.lastMicrophoneError = error;
    if (!kind) this.lastCameraError = this.lastMicrophoneError = error;
    this.emit(ParticipantEvent.MediaDevicesError, error, kind);
    this.room.emit(RoomEvent.MediaDevicesError, error, kind);
    throw error;
  }

  async #tellState(always = false) {
    const metadata = this.wireMetadata;
    const text = JSON.stringify(metadata);
    if (!this.#uplink.handle || (!always && text === this.#lastMetadata)) return;
    this.#lastMetadata = text;
    await this.#uplink.request({request: 'configure', metadata}).catch(() => (this.#lastMetadata = null));
  }
}
