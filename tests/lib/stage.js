// Runs in the page: publishers, subscribers and echoes by name, over the gateway's own client library, with what getStats says of them.
import {Session} from './cardea.js';

const actors = new Map(); // name -> {handle, events, video, watch}
let session;

async function actor(name, plugin) {
  session ??= await Session.open();
  const handle = await session.attach(plugin);
  const it = {handle, events: [], gap: 0, sizes: new Set()};
  for (const kind of ['media', 'slowlink', 'webrtcup', 'hangup']) handle.on(kind, detail => it.events.push({kind, detail}));
  handle.on('event', async event => {
    it.events.push({kind: 'event', ...event.data});
    if (event.jsep && it.room) await enqueue(it, event.jsep);
  });
  handle.on('track', ({track}) => play(track));
  actors.set(name, it);
  return it;
}

// Offers of the gateway are answered one after the other.
function enqueue(it, jsep) {
  it.answering = (it.answering ?? Promise.resolve()).then(() => it.handle.answer(jsep, {request: 'start', room: it.room}));
  return it.answering;
}

function play(track) {
  const element = document.createElement(track.kind);
  element.autoplay = true;
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
  track.onended = () => element.remove();
}

/** A canvas that changes all the time, for more tracks than there are fake devices. */
function canvasTrack({width = 320, height = 240, fps = 15} = {}) {
  const canvas = Object.assign(document.createElement('canvas'), {width, height});
  const context = canvas.getContext('2d');
  let turn = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(turn += 7) % 360} 80% 50%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = 'white';
    context.fillRect((turn * 5) % width, (turn * 3) % height, width / 8, height / 8);
  }, 1000 / fps);
  return canvas.captureStream(fps).getVideoTracks()[0];
}

async function makeTracks({audio, video, canvas}) {
  const tracks = [];
  if (canvas) tracks.push(canvasTrack(canvas));
  const plain = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  if (audio || video) {
    const stream = await navigator.mediaDevices.getUserMedia({audio: audio ? plain : false, video: video ?? false});
    tracks.push(...stream.getTracks());
  }
  return tracks;
}

/** What the connection of `name` says, with the codec of each stream by name. */
async function stats(name) {
  const {handle} = actors.get(name);
  const all = await handle.pc.getStats();
  const result = {inbound: [], outbound: [], remoteInbound: [], pair: {}};
  for (const report of all.values()) {
    const named = {...report, codec: all.get(report.codecId)?.mimeType};
    if (report.type === 'inbound-rtp') result.inbound.push(named);
    if (report.type === 'outbound-rtp') result.outbound.push(named);
    if (report.type === 'remote-inbound-rtp') result.remoteInbound.push(named);
    if (report.type === 'candidate-pair' && report.nominated && report.state === 'succeeded') result.pair = {...report};
  }
  return result;
}

const seen = (kind, report) => report && {
  kind, codec: report.codec, width: report.frameWidth, frames: report.framesDecoded, keyFrames: report.keyFramesDecoded,
  freezes: report.freezeCount, lost: report.packetsLost, nacks: report.nackCount, plis: report.pliCount,
  retransmitted: report.retransmittedPacketsReceived, energy: report.totalAudioEnergy, packets: report.packetsReceived, decoder: report.decoderImplementation,
};

window.stage = {
  actors, stats,

  /** Publishes in a video room; `media` as getUserMedia has it, or canvas sizes. */
  async publish(name, {room, media, encodings, join = {}, publish = {}, degradation}) {
    const it = await actor(name, 'cardea.plugin.videoroom');
    it.tracks = await makeTracks(media);
    const {data} = await it.handle.request({request: 'join', room, ptype: 'publisher', display: name, ...join});
    it.id = data.id;
    it.pin = room;
    const {data: answer, jsep} = await it.handle.offer({request: 'publish', ...publish}, {tracks: it.tracks, encodings});
    if (degradation) for (const sender of it.handle.pc.getSenders()) {
      const parameters = sender.getParameters();
      parameters.degradationPreference = degradation;
      await sender.setParameters(parameters);
    }
    return {id: it.id, streams: answer.streams, sdp: jsep.sdp};
  },

  /** Subscribes once the publisher is live. */
  async subscribe(name, {room, feed, ...more}) {
    const it = await actor(name, 'cardea.plugin.videoroom');
    it.room = room;
    for (let tries = 0; ; ++tries) {
      try {
        const {data, jsep} = await it.handle.request({request: 'join', room, ptype: 'subscriber', streams: [{feed}], ...more});
        await enqueue(it, jsep);
        return {streams: data.streams, sdp: jsep.sdp};
      } catch (error) {
        if (error.code !== 428 || tries > 200) throw error;
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    }
  },

  /** The echo test. */
  async echo(name, {media, encodings, body = {}}) {
    const it = await actor(name, 'cardea.plugin.echotest');
    it.tracks = await makeTracks(media);
    const {jsep} = await it.handle.offer({audio: true, video: true, ...body}, {tracks: it.tracks, receive: ['audio', 'video'], encodings});
    return {sdp: jsep.sdp};
  },

  async request(name, body) {
    const it = actors.get(name);
    const {data, jsep} = await it.handle.request(body);
    if (jsep) await enqueue(it, jsep);
    return data;
  },

  async parameters(name, kind, change) {
    const sender = actors.get(name).handle.pc.getSenders().find(({track}) => track?.kind === kind);
    const parameters = sender.getParameters();
    parameters.encodings.forEach((encoding, i) => Object.assign(encoding, change[i] ?? {}));
    await sender.setParameters(parameters);
  },

  async offerAgain(name, body, options = {}) {
    const it = actors.get(name);
    if (options.media) it.tracks.push(...(options.tracks = await makeTracks(options.media)));
    const {data, jsep} = await it.handle.offer(body, options);
    return {streams: data.streams, sdp: jsep.sdp};
  },

  /** Ends the last track that was added. */
  removeTrack(name) {
    const it = actors.get(name);
    const track = it.tracks.pop();
    const transceiver = it.handle.pc.getTransceivers().find(({sender}) => sender.track === track);
    track.stop();
    transceiver.stop();
  },

  async receives(name, kind) { return seen(kind, (await stats(name)).inbound.findLast(report => report.kind === kind)); },

  /** Resolves once `wanted` is true of what `name` receives; `wanted` is a text of a function, since it comes from outside. */
  async until(name, kind, wanted, ms) {
    const good = (0, eval)(`(${wanted})`);
    const end = performance.now() + ms;
    const first = await stage.receives(name, kind);
    for (let last = first; ; last = await stage.receives(name, kind)) {
      if (last && good(last, first ?? {})) return last;
      if (performance.now() > end) throw new Error(`${name} never had ${wanted}: ${JSON.stringify(last)}, at first ${JSON.stringify(first)}`);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  },

  /** Notes from now on the longest time without a decoded frame. */
  watch(name) {
    const it = actors.get(name);
    clearInterval(it.watching);
    it.gap = 0;
    let frames = -1, since = performance.now();
    it.watching = setInterval(async () => {
      const video = await stage.receives(name, 'video');
      const now = performance.now();
      if (video?.frames > frames) [frames, since] = [video.frames, now];
      it.gap = Math.max(it.gap, now - since);
    }, 50);
  },
  gap(name) { return actors.get(name).gap; },

  /** Frames and bits per second over a while. */
  async rates(name, ms = 2000) {
    const measure = async () => {
      const {inbound, outbound} = await stats(name);
      const sum = (list, field) => list.filter(({kind}) => kind === 'video').reduce((total, report) => total + (report[field] ?? 0), 0);
      return {at: performance.now(), frames: sum(inbound, 'framesDecoded'), received: sum(inbound, 'bytesReceived'), sent: sum(outbound, 'bytesSent')};
    };
    const before = await measure();
    await new Promise(resolve => setTimeout(resolve, ms));
    const after = await measure();
    const seconds = (after.at - before.at) / 1000;
    return {fps: (after.frames - before.frames) / seconds, received_bps: 8 * (after.received - before.received) / seconds,
      sent_bps: 8 * (after.sent - before.sent) / seconds};
  },

  events(name) { return actors.get(name).events; },

  canSend(kind) {
    return [...new Set(RTCRtpSender.getCapabilities(kind).codecs.map(({mimeType}) => mimeType.split('/')[1]))];
  },

  async end() {
    for (const it of actors.values()) {
      clearInterval(it.watching);
      it.room = undefined; // offers that come now are not answered
      it.tracks?.forEach(track => track.stop());
    }
    await Promise.all([...actors.values()].map(({answering}) => answering));
    for (const {handle} of actors.values()) handle.closePeer();
    actors.clear();
    await session?.destroy();
    session = undefined;
  },
};
