// Who speaks, and how good each connection is: measured here, so that every room has it.
import {ConnectionQuality, RoomEvent, TrackEvent} from './constants.js';
import {Digest, qualityOf} from './stats.js';

const levelsEveryMs = 200, statsEveryMs = 2000;
const speakingLevel = 0.02;  // of 1: about -34 dBov
const quietForMs = 700;      // then one has stopped speaking
const lostAfter = 3;         // looks without a packet of what should come

export class Monitor {
  #room;
  #uplink;
  #downlink;
  #up = new Digest();
  #down = new Digest();
  #timers = [];
  #missing = new Map(); // participant -> looks in a row without any packet
  connection = {up: null, down: null};

  constructor(room, uplink, downlink) {
    this.#room = room;
    this.#uplink = uplink;
    this.#downlink = downlink;
  }

  start() {
    this.stop();
    this.#timers = [setInterval(() => this.#levels(), levelsEveryMs), setInterval(() => this.look().catch(() => {}), statsEveryMs)];
  }

  stop() {
    this.#timers.forEach(clearInterval);
    this.#timers = [];
  }

  async #levels() {
    const people = [...this.#room.remoteParticipants.values()];
    for (const person of people) this.#speaking(person, levelOf(person));
    const own = this.#room.localParticipant;
    this.#speaking(own, own.isMicrophoneEnabled ? await this.#ownLevel() : 0);
    const speakers = [own, ...people].filter(({isSpeaking}) => isSpeaking).sort((a, b) => b.audioLevel - a.audioLevel);
    const before = this.#room.activeSpeakers;
    const changed = speakers.length !== before.length || speakers.some(person => !before.includes(person));
    this.#room.activeSpeakers = speakers;
    if (changed) this.#room.emit(RoomEvent.ActiveSpeakersChanged, speakers);
  }

  #speaking(person, level) {
    const loud = level >= speakingLevel;
    const recently = person.isSpeaking && Date.now() - person.lastSpokeAt < quietForMs;
    if (loud) person.lastSpokeAt = new Date();
    person.setSpeaking(level, loud || recently);
  }

  async #ownLevel() {
    const sender = this.#room.localParticipant.getTrackPublication('microphone')?.track.sender;
    for (const report of (await sender?.getStats().catch(() => null))?.values() ?? [])
      if (report.type === 'media-source') return report.audioLevel ?? 0;
    return 0;
  }

  /** Takes the statistics now, and judges by them. */
  async look() {
    const [up, down] = await Promise.all([this.#up.take(this.#uplink.pc), this.#down.take(this.#downlink.pc)]);
    this.connection = {up: up.connection, down: down.connection};
    const own = this.#room.localParticipant;
    for (const publication of own.getTrackPublications()) note(publication, up.sent.get(publication.transceiver?.mid));
    own.setConnectionQuality(this.#judgeOwn(up, down));
    for (const person of this.#room.remoteParticipants.values()) this.#judge(person, down);
    return {up, down};
  }

  #judge(person, down) {
    let loss = 0, freezeMs = 0, expected = 0, packets = 0;
    for (const publication of person.trackPublications.values()) {
      const mid = this.#downlink.midOf(publication);
      const facts = mid && down.received.get(mid);
      if (!facts || !publication.track) continue;
      note(publication, {...facts, layer: publication.track.layer});
      if (!publication.isMuted && publication.wish.send) ++expected;
      packets += facts.packets;
      loss = Math.max(loss, facts.packets > 20 ? facts.loss : 0);
      freezeMs = Math.max(freezeMs, facts.freezeMs);
    }
    const missing = expected > 0 && packets === 0 ? (this.#missing.get(person) ?? 0) + 1 : 0;
    this.#missing.set(person, missing);
    if (missing >= lostAfter) return person.setConnectionQuality(ConnectionQuality.Lost);
    if (packets > 0) person.setConnectionQuality(qualityOf({loss, freezeMs, rttMs: down.connection.rttMs ?? 0}));
  }

  #judgeOwn(up, down) {
    const states = [this.#uplink.pc, this.#downlink.pc].filter(Boolean).map(({connectionState}) => connectionState);
    if (states.some(state => state === 'failed' || state === 'disconnected')) return ConnectionQuality.Lost;
    if (states.length === 0) return ConnectionQuality.Unknown;
    const sent = [...up.sent.values()];
    return qualityOf({
      loss: Math.max(0, ...sent.map(({loss}) => loss)), rttMs: Math.max(up.connection.rttMs ?? 0, down.connection.rttMs ?? 0),
    });
  }
}

function note(publication, facts) {
  if (!publication.track || !facts) return;
  publication.track.stats = facts;
  publication.track.emit(TrackEvent.StatsUpdated, facts);
}

function levelOf(person) {
  const publication = person.getTrackPublication('microphone');
  if (!publication?.track || publication.isMuted) return 0;
  const [source] = publication.track.receiver?.getSynchronizationSources?.() ?? []; // of the last ten seconds
  return source?.audioLevel ?? 0;
}
