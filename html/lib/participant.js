// People: what all have, and those who are elsewhere. For the one of this page see local_participant.js.
import {ConnectionQuality, ParticipantEvent} from './constants.js';
import {Emitter} from './emitter.js';
import {RemoteTrackPublication, sourceOf} from './publication.js';
import {Track} from './track.js';

export class Participant extends Emitter {
  audioLevel = 0;
  isSpeaking = false;
  lastSpokeAt;
  name;
  metadata;
  attributes = {};
  connectionQuality = ConnectionQuality.Unknown;
  /** publications by their trackSid */
  trackPublications = new Map();
  joinedAt = new Date();

  constructor(room, identity, name) {
    super();
    this.room = room;
    this.identity = identity;
    this.sid = identity;
    this.name = name;
  }

  get audioTrackPublications() { return this.#ofKind('audio'); }
  get videoTrackPublications() { return this.#ofKind('video'); }
  get isCameraEnabled() { return this.#sends(Track.Source.Camera); }
  get isMicrophoneEnabled() { return this.#sends(Track.Source.Microphone); }
  get isScreenShareEnabled() { return this.#sends(Track.Source.ScreenShare); }

  getTrackPublications() { return [...this.trackPublications.values()]; }
  getTrackPublication(source) { return this.getTrackPublications().find(one => one.source === source); }
  getTrackPublicationByName(name) { return this.getTrackPublications().find(one => one.trackName === name); }

  /** Tells both those who listen to the participant and those who listen to the room. */
  tell(event, ...details) {
    this.emit(event, ...details);
    this.room.emit(event, ...details, this);
  }

  rename(name) {
    if (name === this.name) return;
    this.name = name;
    this.tell(ParticipantEvent.ParticipantNameChanged, name);
  }

  /** Takes over metadata and attributes, and tells what is new. */
  describe(metadata, attributes = {}) {
    if (metadata !== this.metadata) {
      const before = this.metadata;
      this.metadata = metadata;
      this.emit(ParticipantEvent.ParticipantMetadataChanged, before, this);
      this.room.emit(ParticipantEvent.ParticipantMetadataChanged, before, this);
    }
    const names = new Set([...Object.keys(attributes), ...Object.keys(this.attributes)]);
    const changed = [...names].filter(name => attributes[name] !== this.attributes[name]);
    this.attributes = attributes;
    if (changed.length === 0) return;
    const values = Object.fromEntries(changed.map(name => [name, attributes[name] ?? '']));
    this.emit(ParticipantEvent.AttributesChanged, values);
    this.room.emit('participantAttributesChanged', values, this);
  }

  setSpeaking(level, speaking) {
    this.audioLevel = level;
    if (speaking === this.isSpeaking) return;
    this.isSpeaking = speaking;
    this.emit(ParticipantEvent.IsSpeakingChanged, speaking);
  }

  setConnectionQuality(quality) {
    if (quality === this.connectionQuality) return;
    this.connectionQuality = quality;
    this.tell(ParticipantEvent.ConnectionQualityChanged, quality);
  }

  #ofKind(kind) { return new Map([...this.trackPublications].filter(([, publication]) => publication.kind === kind)); }
  #sends(source) { return this.getTrackPublication(source)?.isMuted === false; }
}

/** Somebody else in the room. */
export class RemoteParticipant extends Participant {
  #downlink;
  #muted = new Set(); // mids of streams that the publisher says are muted
  #volume = 1;
  /** They can be written to: they are in the text room too. */
  isActive = false;
  /** The video room's id of them; null while they only take part in the text room. */
  feed = null;

  constructor(room, downlink, identity, name) {
    super(room, identity, name);
    this.#downlink = downlink;
  }

  get isLocal() { return false; }

  /** How loud they are here: 0 to 1. */
  setVolume(volume) {
    this.#volume = volume;
    for (const {audioTrack} of this.trackPublications.values()) audioTrack?.setVolume(volume);
  }
  getVolume() { return this.#volume; }

  /** The room's: all streams that they publish now. */
  update(feed, streams, subscribe) {
    this.feed = feed;
    const present = streams.filter(({type, disabled}) => !disabled && type !== 'data');
    for (const publication of this.getTrackPublications()) {
      if (!present.some(({mid}) => mid === publication.mid)) this.#remove(publication);
    }
    const seen = {};
    for (const stream of present) {
      const isFirst = !seen[stream.type];
      seen[stream.type] = true;
      const sid = `${feed}/${stream.mid}`;
      if (!this.trackPublications.has(sid)) this.#add(sid, stream, isFirst, subscribe);
      this.#setModerated(this.trackPublications.get(sid), stream.moderated === true);
    }
  }

  /** Nothing is published any more. */
  unpublishAll() { for (const publication of this.getTrackPublications()) this.#remove(publication); }

  /** The room's: which streams they have muted themselves. */
  setMuted(mids) {
    this.#muted = new Set(mids);
    for (const publication of this.trackPublications.values())
      this.#change(publication, () => (publication.muted = this.#muted.has(publication.mid)));
  }

  setModerated(mid, moderated) { this.#setModerated(this.trackPublications.get(`${this.feed}/${mid}`), moderated); }

  /** The downlink's: media of a publication is there (or not any more). */
  subscribed(publication, track) {
    publication.track = track;
    track.isMuted = publication.isMuted;
    if (track.kind === 'audio') track.setVolume(this.#volume);
    this.tell(ParticipantEvent.TrackSubscribed, track, publication);
  }
  unsubscribed(publication) {
    const {track} = publication;
    if (!track) return;
    publication.track = undefined;
    this.tell(ParticipantEvent.TrackUnsubscribed, track, publication);
    track.detach();
  }

  #add(sid, stream, isFirst, subscribe) {
    const {source, name} = sourceOf(stream, isFirst);
    const publication = new RemoteTrackPublication(this.#downlink, this.feed, stream, source, name);
    publication.participant = this;
    publication.muted = this.#muted.has(stream.mid);
    this.trackPublications.set(sid, publication);
    this.tell(ParticipantEvent.TrackPublished, publication);
    if (subscribe) publication.setSubscribed(true);
  }

  #remove(publication) {
    publication.setSubscribed(false);
    this.trackPublications.delete(publication.trackSid);
    this.tell(ParticipantEvent.TrackUnpublished, publication);
  }

  #setModerated(publication, moderated) { if (publication) this.#change(publication, () => (publication.isModerated = moderated)); }

  #change(publication, change) {
    const before = publication.isMuted;
    change();
    if (publication.isMuted === before) return;
    publication.track?.setMuted(publication.isMuted);
    this.tell(publication.isMuted ? ParticipantEvent.TrackMuted : ParticipantEvent.TrackUnmuted, publication);
  }
}
