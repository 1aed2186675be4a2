// Failures on purpose: what tests/chaos/shim.cpp counts and lets fail in a gateway, tones that tell whose media it is, and short
// calls during which it happens.
import {closeSync, openSync, readSync, writeFileSync, writeSync} from 'node:fs';
import {createRequire} from 'node:module';
import {ask} from './client.mjs';
import {until} from './gateway.mjs';
import {Session, listen, opened} from './session.mjs';
import {Peer} from './wrtc.mjs';

const {RTCAudioSource, RTCAudioSink} = createRequire(import.meta.url)('@roamhq/wrtc').nonstandard;

/** In the order of the shim's, with the error that each gives. Numbers are Linux's. */
const [EINTR, EIO, EAGAIN, ENOMEM, EMFILE, ENOSPC, EADDRINUSE, ENOBUFS] = [4, 5, 11, 12, 24, 28, 98, 105];
export const kinds = {
  memory: ENOMEM, object: ENOMEM, make_socket: EMFILE, bind_socket: EADDRINUSE, take_connection: EMFILE, watch: ENOSPC,
  wait_for: EINTR, receive_many: ENOMEM, receive_one: ENOMEM, send_many: ENOBUFS, send_one: ENOBUFS, read_some: EIO,
  write_some: EAGAIN, open_file: EMFILE, disk: ENOSPC, make_eventfd: EMFILE, make_thread: EAGAIN, randomness: EINTR,
};
const names = Object.keys(kinds);
const at = {armed: 0, kind: 8, first: 16, last: 24, error: 32, step: 40, failed: 48, counts: 56, where: 56 + 8 * names.length};

/** The page of memory that the shim shares with us; `environment` is for the gateway. */
export class Chaos {
  #file;

  /** @param {string} path of a file to be made  @param {string} shim */
  constructor(path, shim) {
    writeFileSync(path, Buffer.alloc(8192));
    this.#file = openSync(path, 'r+');
    this.environment = {LD_PRELOAD: shim, CARDEA_CHAOS: path};
  }
  #write(where, value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    writeSync(this.#file, bytes, 0, 8, where);
  }
  #read(where, size = 8) {
    const bytes = Buffer.alloc(size);
    readSync(this.#file, bytes, 0, size, where);
    return bytes;
  }
  /** From now on all is counted, and of one kind the calls from number `first` to `last` fail; without a kind none. */
  arm(kind, first = 0, last = first) {
    for (let place = at.failed; place < at.where + 8; place += 8) this.#write(place, 0);
    this.#write(at.kind, Math.max(0, names.indexOf(kind)));
    this.#write(at.first, first || Number.MAX_SAFE_INTEGER);
    this.#write(at.last, last);
    this.#write(at.error, kinds[kind] ?? 0);
    this.#write(at.armed, 1);
  }
  /** Nothing fails any more: how many calls there were of each kind, how many failed, and where the first did. */
  disarm() {
    this.#write(at.armed, 0);
    const counts = Object.fromEntries(names.map((name, i) => [name, Number(this.#read(at.counts + 8 * i).readBigUInt64LE())]));
    const failed = Number(this.#read(at.failed).readBigUInt64LE());
    const where = this.#read(at.where, 1024);
    return {counts, failed, where: failed ? where.subarray(0, where.indexOf(0)).toString() : ''};
  }
  /** From now on calls of a kind fail, all of them. */
  always(kind) { this.arm(kind, 1, Number.MAX_SAFE_INTEGER); }
  /** The clock of the day is off by so many seconds. */
  step(seconds) { this.#write(at.step, seconds); }
  close() { closeSync(this.#file); }
}

/** An audio track with a tone. */
export function tone(hz) {
  const source = new RTCAudioSource();
  let at = 0;
  const timer = setInterval(() => {
    const samples = Int16Array.from({length: 480}, () => 8000 * Math.sin((2 * Math.PI * hz * at++) / 48000));
    source.onData({samples, sampleRate: 48000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480});
  }, 10);
  const track = source.createTrack();
  return {track, stop: () => (clearInterval(timer), track.stop())};
}

/** Tells which tone a track has: `heard[hz]` counts the tenths of a second that were loud and nearest to one of `tones`. */
export class Ear {
  heard = {};
  #kept = [];
  #sink;

  constructor(track, tones) {
    this.#sink = new RTCAudioSink(track);
    this.#sink.ondata = ({samples, sampleRate, channelCount}) => {
      for (let i = 0; i < samples.length; i += channelCount) this.#kept.push(samples[i]);
      if (this.#kept.length < sampleRate / 10) return;
      const part = this.#kept.splice(0);
      const loud = part.filter(sample => Math.abs(sample) > 2000).length > part.length / 2;
      if (!loud) return;
      let crossings = 0;
      for (let i = 1; i < part.length; ++i) if (part[i - 1] < 0 !== part[i] < 0) ++crossings;
      const hz = (crossings * sampleRate) / (2 * part.length);
      const nearest = tones.reduce((best, one) => (Math.abs(one - hz) < Math.abs(best - hz) ? one : best));
      this.heard[nearest] = (this.heard[nearest] ?? 0) + 1;
    };
  }
  stop() { this.#sink.stop(); }
}

export const tones = {bystander: 400, caller: 1600};

/** What is done to be undone: in the reverse order, whatever each of them meets. */
class Undoing {
  #steps = [];
  on(step) { this.#steps.push(step); }
  async all() {
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch {}
    }
  }
}

async function open(gateway, undoing) {
  const session = await Session.open(gateway.ws);
  session.socket.on('error', () => {});
  undoing.on(() => session.close());
  return session;
}

function join(undoing, hz) {
  const sound = hz && tone(hz);
  const peer = new Peer(sound ? [sound.track] : []);
  const ears = [];
  peer.pc.ontrack = ({track}) => ears.push(new Ear(track, Object.values(tones)));
  undoing.on(() => {
    for (const ear of ears) ear.stop();
    peer.close();
    sound?.stop();
  });
  return {peer, ears};
}

/** A call to the echo test, with a tone and a channel. */
export async function echoCall(gateway, hz, undoing = new Undoing()) {
  const session = await open(gateway, undoing);
  const handle = await session.attach('janus.plugin.echotest');
  const {peer, ears} = join(undoing, hz);
  const channel = peer.pc.createDataChannel('JanusDataChannel');
  const got = listen(channel);
  await peer.accept((await session.message(handle, {audio: true}, await peer.offer())).jsep);
  await opened(channel);
  // What goes by a data channel does not keep a session.
  const keeping = setInterval(() => session.ask({janus: 'keepalive'}), 1000);
  undoing.on(() => clearInterval(keeping));
  const heard = which => ears.reduce((sum, ear) => sum + (ear.heard[which] ?? 0), 0);
  return {
    session, got, heard,
    async echoes(text) {
      const before = heard(hz);
      channel.send(text);
      await until(() => got.at(-1)?.endsWith(text), 'the echo');
      await until(() => heard(hz) > before, 'the tone');
    },
    close: () => undoing.all(),
  };
}

const play = {
  async echo(gateway, undoing) {
    const call = await echoCall(gateway, tones.caller, undoing);
    await call.echoes('hello of a caller');
    await call.session.ask({janus: 'destroy'});
    return call;
  },
  async rooms(gateway, undoing) {
    const plugin = 'janus.plugin.videoroom';
    const session = await open(gateway, undoing);
    const [publisher, subscriber] = [await session.attach(plugin), await session.attach(plugin)];
    const {plugindata} = await session.message(publisher, {request: 'create', permanent: true, description: 'short'});
    const room = plugindata.data.room;
    undoing.on(() => session.message(publisher, {request: 'destroy', room, permanent: true}));
    const joined = await session.message(publisher, {request: 'join', ptype: 'publisher', room});
    const {peer} = join(undoing, tones.caller);
    await peer.accept((await session.message(publisher, {request: 'publish'}, await peer.offer())).jsep);
    await session.event(publisher, event => event.janus === 'webrtcup', 'the publisher is connected');
    const streams = [{feed: joined.plugindata.data.id}];
    const offered = await session.message(subscriber, {request: 'join', ptype: 'subscriber', room, streams});
    const listener = join(undoing);
    await session.message(subscriber, {request: 'start', room}, await listener.peer.answer(offered.jsep));
    const heard = which => listener.ears.reduce((sum, ear) => sum + (ear.heard[which] ?? 0), 0);
    await until(() => heard(tones.caller), 'the publisher is heard');
    return {got: [], heard};
  },
  async texts(gateway, undoing) {
    const session = await open(gateway, undoing);
    const handle = await session.attach('janus.plugin.textroom');
    const offered = await session.message(handle, {request: 'setup'});
    const {peer} = join(undoing);
    const channel = peer.pc.createDataChannel('JanusDataChannel');
    const got = listen(channel);
    await session.message(handle, {request: 'ack'}, await peer.answer(offered.jsep));
    await opened(channel);
    channel.send(JSON.stringify({textroom: 'join', transaction: 'j', room: 1234, username: 'caller'}));
    channel.send(JSON.stringify({textroom: 'message', transaction: 'm', room: 1234, text: 'hello of a caller'}));
    await until(() => got.some(text => text.includes('hello of a caller')), 'the text comes back');
    return {got: got.filter(text => text.includes('bystander')), heard: () => 0};
  },
  async web(gateway) {
    const post = async (path, body) =>
      JSON.parse((await ask(gateway.http, 'POST', `/janus${path}`, JSON.stringify({transaction: 't', ...body}))).body);
    const session = (await post('', {janus: 'create'})).data.id;
    const handle = (await post(`/${session}`, {janus: 'attach', plugin: 'janus.plugin.echotest'})).data.id;
    const event = ask(gateway.http, 'GET', `/janus/${session}?maxev=1`);
    event.catch(() => {});
    await post(`/${session}/${handle}`, {janus: 'message', body: {audio: true}});
    await event;
    await post(`/${session}`, {janus: 'destroy'});
    return {got: [], heard: () => 0};
  },
};
export const plays = Object.keys(play);

/**
 * One short call. `arm` is called when it begins, `disarm` when it is over: well, or with `error`, or when it stands still. Then all
 * of it is undone. Returns the error, what came that was another's, and what disarm() returned.
 */
export async function shortCall(gateway, name, arm, disarm, ms = 4000) {
  const undoing = new Undoing();
  let error, late, strange = [];
  arm();
  try {
    const standing = new Promise((resolve, reject) => (late = setTimeout(() => reject(new Error('it stands still')), ms)));
    const run = play[name](gateway, undoing);
    run.catch(() => {});
    const call = await Promise.race([run, standing]);
    strange = call.got.filter(text => text.includes('bystander'));
    if (call.heard(tones.bystander)) strange.push('a tone');
  } catch (caught) {
    error = caught;
  }
  clearTimeout(late);
  const done = disarm();
  await Promise.race([undoing.all(), new Promise(resolve => setTimeout(resolve, 2000))]);
  return {error, strange, ...done};
}
