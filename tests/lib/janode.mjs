// Janode, unmodified, with peer connections beside it: publishers and subscribers of the video room.
import Janode from 'janode';
import VideoRoom from 'janode/plugins/videoroom';
import {until} from './gateway.mjs';
import {Peer} from './wrtc.mjs';

Janode.Logger.setLevel('none');

/** The next `event` of a Janode object, with its detail; `wanted` tells which one. */
export const happened = (emitter, event, wanted = () => true, ms = 15_000) => new Promise((resolve, reject) => {
  const over = setTimeout(() => {
    emitter.removeListener(event, look);
    reject(new Error(`no ${String(event)}`));
  }, ms);
  function look(detail) {
    if (!wanted(detail)) return;
    clearTimeout(over);
    emitter.removeListener(event, look);
    resolve(detail);
  }
  emitter.on(event, look);
});

/** Nothing of the kind comes for a while. */
export async function silent(emitter, event, ms = 300) {
  let heard = null;
  const note = detail => (heard = {detail});
  emitter.on(event, note);
  await new Promise(resolve => setTimeout(resolve, ms));
  emitter.removeListener(event, note);
  if (heard) throw new Error(`${String(event)} should not come: ${JSON.stringify(heard.detail)}`);
}

/** Collects the plugin data that comes to a handle, also what Janode has no event for. */
export function listen(handle) {
  const heard = [];
  const parse = handle.handleMessage.bind(handle);
  handle.handleMessage = message => {
    heard.push(message.plugindata?.data);
    return parse(message);
  };
  return heard;
}
export const told = (heard, wanted, what) => until(() => {
  const at = heard.findIndex(wanted);
  return at >= 0 && heard.splice(at, 1)[0];
}, what);

/** A session of Janode with a gateway. */
export class Client {
  static async open(gateway) {
    const client = new Client();
    client.connection = await Janode.connect({is_admin: false, address: {url: gateway.ws}});
    client.session = await client.connection.create();
    return client;
  }
  attach(plugin = VideoRoom) { return this.session.attach(plugin); }
  close() { return this.connection?.close().catch(() => {}); }

  /** The data of a request that Janode has no method for. */
  async ask(handle, body, jsep) {
    const {plugindata, jsep: answer} = await handle.message(body, jsep);
    return answer ? {...plugindata.data, jsep: answer} : plugindata.data;
  }

  /** Joins and publishes `tracks`; resolves when the connection is up. */
  async publish(room, tracks, {join = {}, publish = {}, simulcast} = {}) {
    const handle = await this.attach();
    const joined = await handle.joinPublisher({room, ...join});
    const peer = new Peer(tracks, simulcast && {sendEncodings: simulcast});
    try {
      const published = await handle.publish({jsep: await peer.offer(), ...publish});
      await Promise.all([happened(handle, Janode.EVENT.HANDLE_WEBRTCUP), peer.accept(published.jsep)]);
      return {handle, peer, joined, published, feed: joined.feed};
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  /** Watches; resolves when the connection is up. `how`: what joinSubscriber takes. */
  async subscribe(room, how) {
    const handle = await this.attach();
    const attached = await handle.joinSubscriber({room, ...how});
    const peer = new Peer();
    try {
      const jsep = await peer.answer(attached.jsep);
      const [started] = await Promise.all([handle.start({jsep}), happened(handle, Janode.EVENT.HANDLE_WEBRTCUP)]);
      return {handle, peer, attached, started};
    } catch (error) {
      peer.close();
      throw error;
    }
  }
}

export const frames = (peer, mid) => peer.sinks.get(mid)?.frames ?? 0;
export const loud = (peer, mid) => peer.sinks.get(mid)?.loud ?? 0;

export function moreFrames(peer, mid, count = 5) {
  const start = frames(peer, mid);
  return until(() => frames(peer, mid) >= start + count, `${count} more frames on mid ${mid}`);
}
export function moreSound(peer, mid, count = 10) {
  const start = loud(peer, mid);
  return until(() => loud(peer, mid) >= start + count, `more sound on mid ${mid}`);
}
/** Nothing more is shown or heard on this mid: the same count twice, a while apart. */
export const still = (peer, mid) => until(async () => {
  const before = frames(peer, mid) + loud(peer, mid);
  await new Promise(resolve => setTimeout(resolve, 400));
  return before === frames(peer, mid) + loud(peer, mid);
}, `nothing more on mid ${mid}`);
