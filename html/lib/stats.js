// getStats digested: what people understand, for each track and for each connection.
import {ConnectionQuality} from './constants.js';

/** Remembers the counters of a connection, to tell rates. */
export class Digest {
  #before = new Map(); // report id -> {at, values}
  #pc = null;

  /**
   * Facts of what is `sent` and `received`, by mid: {kind, bitrate, loss (0 to 1), jitterMs, delayMs, rttMs, width, height, fps, freezes,
   * freezeMs, codec, layers}, and of the `connection` itself: {rttMs, bitrateIn, bitrateOut, available, path, protocol}.
   */
  async take(pc) {
    if (pc !== this.#pc) this.#before.clear();
    this.#pc = pc;
    const facts = {connection: {rttMs: null, bitrateIn: 0, bitrateOut: 0}, sent: new Map(), received: new Map()};
    if (!pc || pc.connectionState === 'closed') return facts;
    const reports = await pc.getStats();
    for (const report of reports.values()) {
      if (report.type === 'inbound-rtp') facts.received.set(report.mid, this.#inbound(report, reports));
      if (report.type === 'outbound-rtp') this.#outbound(report, reports, facts.sent);
      if (report.type === 'transport') this.#transport(report, reports, facts.connection);
    }
    return facts;
  }

  #rates(report, values) {
    const before = this.#before.get(report.id);
    this.#before.set(report.id, {at: report.timestamp, values});
    const seconds = before ? (report.timestamp - before.at) / 1000 : 0;
    const grown = {};
    for (const [name, value] of Object.entries(values)) grown[name] = value - (before?.values[name] ?? value);
    return {seconds, grown};
  }

  #inbound(report, reports) {
    const {seconds, grown} = this.#rates(report, {
      bytes: report.bytesReceived ?? 0, packets: report.packetsReceived ?? 0, lost: report.packetsLost ?? 0,
      waited: report.jitterBufferDelay ?? 0, played: report.jitterBufferEmittedCount ?? 0, frozen: report.totalFreezesDuration ?? 0,
    });
    const lost = Math.max(0, grown.lost);
    return {
      kind: report.kind,
      bitrate: seconds > 0 ? Math.round(8 * grown.bytes / seconds) : 0,
      packets: grown.packets,
      loss: grown.packets + lost > 0 ? lost / (grown.packets + lost) : 0,
      jitterMs: Math.round(1000 * (report.jitter ?? 0)),
      delayMs: grown.played > 0 ? Math.round(1000 * grown.waited / grown.played) : null,
      width: report.frameWidth, height: report.frameHeight, fps: Math.round(report.framesPerSecond ?? 0),
      freezes: report.freezeCount ?? 0, freezeMs: Math.round(1000 * grown.frozen),
      audioLevel: report.audioLevel,
      codec: codecOf(report, reports),
    };
  }

  #outbound(report, reports, tracks) {
    const {seconds, grown} = this.#rates(report, {bytes: report.bytesSent ?? 0, packets: report.packetsSent ?? 0});
    const bitrate = seconds > 0 ? Math.round(8 * grown.bytes / seconds) : 0;
    const remote = reports.get(report.remoteId);
    const track = tracks.get(report.mid) ?? {kind: report.kind, bitrate: 0, packets: 0, layers: [], loss: 0, rttMs: null};
    tracks.set(report.mid, track);
    track.bitrate += bitrate;
    track.packets += grown.packets;
    track.loss = Math.max(track.loss, remote?.fractionLost ?? 0);
    if (remote?.roundTripTime !== undefined) track.rttMs = Math.round(1000 * remote.roundTripTime);
    if ((report.frameWidth ?? 0) >= (track.width ?? 0)) {
      Object.assign(track, {width: report.frameWidth, height: report.frameHeight, fps: Math.round(report.framesPerSecond ?? 0)});
    }
    track.codec = codecOf(report, reports);
    track.audioLevel = reports.get(report.mediaSourceId)?.audioLevel;
    track.limitedBy = report.qualityLimitationReason;
    track.layers.push({rid: report.rid, bitrate, width: report.frameWidth, height: report.frameHeight});
  }

  #transport(report, reports, connection) {
    const {seconds, grown} = this.#rates(report, {received: report.bytesReceived ?? 0, sent: report.bytesSent ?? 0});
    const pair = reports.get(report.selectedCandidatePairId);
    const local = reports.get(pair?.localCandidateId), remote = reports.get(pair?.remoteCandidateId);
    Object.assign(connection, {
      bitrateIn: seconds > 0 ? Math.round(8 * grown.received / seconds) : 0,
      bitrateOut: seconds > 0 ? Math.round(8 * grown.sent / seconds) : 0,
      rttMs: pair?.currentRoundTripTime === undefined ? null : Math.round(1000 * pair.currentRoundTripTime),
      available: pair?.availableOutgoingBitrate,
      path: local?.candidateType, protocol: local?.relayProtocol ?? local?.protocol, address: remote?.address,
    });
  }
}

function codecOf(report, reports) { return reports.get(report.codecId)?.mimeType?.replace(/^.*\//, ''); }

/** What loss and round-trip time mean for a person. */
export function qualityOf({loss = 0, rttMs = 0, freezeMs = 0}) {
  if (loss > 0.05 || rttMs > 600 || freezeMs > 700) return ConnectionQuality.Poor;
  if (loss > 0.02 || rttMs > 300 || freezeMs > 200) return ConnectionQuality.Good;
  return ConnectionQuality.Excellent;
}
