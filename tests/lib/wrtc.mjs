// Peer connections under node: a moving picture and a tone to send, counters for what comes back.
import {createRequire} from 'node:module';
import {after} from 'node:test';

const wrtc = createRequire(import.meta.url)('@roamhq/wrtc');
export const {RTCDataChannel, RTCPeerConnection, MediaStream, RTCSessionDescription, RTCIceCandidate, RTCRtpSender, MediaStreamTrack} = wrtc;
const {RTCAudioSource, RTCVideoSource, RTCAudioSink, RTCVideoSink, rgbaToI420} = wrtc.nonstandard;

/** A video track of `width` x `height` whose brightness changes with every frame, and an audio track with a 440 Hz tone. */
export function makeMedia({width = 320, height = 240, fps = 15} = {}) {
  const video = new RTCVideoSource();
  const audio = new RTCAudioSource();
  const rgba = new Uint8ClampedArray(width * height * 4);
  const i420 = {width, height, data: new Uint8ClampedArray(width * height * 1.5)};
  let frames = 0, samples = 0;
  const frameTimer = setInterval(() => {
    ++frames;
    for (let i = 0; i < rgba.length; i += 4) {
      rgba[i] = (i + frames * 9) & 255;
      rgba[i + 1] = (frames * 5) & 255;
      rgba[i + 2] = 128;
      rgba[i + 3] = 255;
    }
    rgbaToI420({width, height, data: rgba}, i420);
    video.onFrame(i420);
  }, 1000 / fps);
  const audioTimer = setInterval(() => {
    const tone = new Int16Array(480);
    for (let i = 0; i < 480; ++i) tone[i] = 8000 * Math.sin((2 * Math.PI * 440 * samples++) / 48000);
    audio.onData({samples: tone, sampleRate: 48000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480});
  }, 10);
  const tracks = {video: video.createTrack(), audio: audio.createTrack()};
  return {
    ...tracks,
    stop() {
      clearInterval(frameTimer);
      clearInterval(audioTimer);
      tracks.video.stop();
      tracks.audio.stop();
    },
  };
}

/** Counts the frames, or the loudness, of a track that comes in. */
export class Sink {
  frames = 0;
  width = 0;
  loud = 0;
  #sink;

  constructor(track) {
    if (track.kind === 'video') {
      this.#sink = new RTCVideoSink(track);
      this.#sink.onframe = ({frame}) => {
        ++this.frames;
        this.width = frame.width;
      };
    } else {
      this.#sink = new RTCAudioSink(track);
      this.#sink.ondata = ({samples}) => {
        if (samples.some(sample => Math.abs(sample) > 500)) ++this.loud;
      };
    }
  }

  stop() { this.#sink.stop(); }
}

/** A peer connection that sends `tracks` and counts what comes in, by mid; `close()` frees all. */
export class Peer {
  sinks = new Map();

  /** `how`: of the transceivers of video, as addTransceiver takes it. */
  constructor(tracks = [], how = {}) {
    this.pc = new RTCPeerConnection();
    this.pc.ontrack = ({track, transceiver}) => this.sinks.set(transceiver.mid, new Sink(track));
    for (const track of tracks) this.add(track, track.kind === 'video' ? how : {});
  }

  add(track, how = {}) { return this.pc.addTransceiver(track, {direction: 'sendrecv', ...how}); }

  /** The reports of one type, of one kind of media. */
  async stats(type, kind) {
    return [...(await this.pc.getStats()).values()].filter(report => report.type === type && (!kind || report.kind === kind));
  }

  // What is offered and answered is what was made, without candidates: the gateway needs none. The module's getter
  // pc.localDescription reads what another thread adds candidates to, and ends the process one time in ten when fifty do it.
  async offer(options) { return this.#keep(await this.pc.createOffer(options)); }

  async answer(offer) {
    await this.pc.setRemoteDescription(offer);
    return this.#keep(await this.pc.createAnswer());
  }

  async #keep({type, sdp}) {
    await this.pc.setLocalDescription({type, sdp});
    return {type, sdp};
  }

  accept(answer) { return this.pc.setRemoteDescription(answer); }

  close() {
    for (const sink of this.sinks.values()) sink.stop();
    this.pc.close();
  }
}

/**
 * In place of after() where there are native peers: does `end` after the last test, lets the runner tell its summary, and ends the
 * process with process.exit(). Peers may hold the loop open for long. And when node tears its environment down, which exit() does not,
 * it finalizes the module's objects in any order: ~RTCAudioSource releases its tracks (RefPtr<MediaStreamTrack>), a Napi::Error says
 * that one is gone already, and as it leaves a destructor, std::terminate aborts the process.
 */
export function lastly(end) {
  after(async () => {
    try {
      await end();
    } finally {
      setImmediate(() => {
        process.emit('beforeExit', 0); // what the runner waits for: nothing is left to do
        setTimeout(() => process.exit(), 100);
      });
    }
  });
}
