// The connection down: one subscriber of the video room for the streams of everybody. Wishes are gathered and negotiated one batch
// after the other; which quality is sent is asked for without a negotiation.
import {Emitter} from './emitter.js';
import {CardeaError} from './error.js';
import {remoteTrack} from './track.js';
import {patienceMs} from './uplink.js';

const askEveryMs = 200;
const retryMs = 1000;

/** Events: 'failed' (publication, error): it cannot be subscribed to; 'layer' (publication): another layer of it comes. */
export class Downlink extends Emitter {
  #session = null;
  #handle = null;
  #join;
  #wanted = new Map();     // trackSid -> publication
  #subscribed = new Map(); // trackSid -> publication, what the gateway was asked for
  #places = new Map();     // trackSid -> {mid: of our connection, track, asked: the wish that it was told}
  #turn = Promise.resolve();
  #life = {};              // another one with every connection
  #flushing = false;
  #asking = null;          // timer
  #broken = null;          // timer

  get pc() { return this.#handle?.pc ?? null; }

  /** From now on subscribes to what is wanted. `join`: room, pin, token, private_id. */
  begin(session, join) {
    this.#session = session;
    this.#join = join;
    this.#flush();
  }

  wants(publication) { return this.#wanted.has(publication.trackSid); }
  publicationAt(mid) {
    for (const [sid, place] of this.#places) if (place.mid === mid) return this.#subscribed.get(sid);
  }

  midOf(publication) { return this.#places.get(publication.trackSid)?.mid; }

  add(publication) {
    if (this.#wanted.has(publication.trackSid)) return;
    this.#wanted.set(publication.trackSid, publication);
    this.#flush();
  }

  remove(publication) {
    if (this.#wanted.get(publication.trackSid) !== publication) return;
    this.#wanted.delete(publication.trackSid);
    this.#vacate(publication.trackSid);
    publication.participant.unsubscribed(publication);
    this.#flush();
  }

  /** Tells the gateway soon which quality of the publication is wished. */
  ask() {
    this.#asking ??= setTimeout(() => {
      this.#asking = null;
      this.#tellWishes();
    }, askEveryMs);
  }

  restart() {
    return this.#inTurn(async () => {
      if (!this.pc) return;
      const {jsep} = await this.#handle.request({request: 'configure', restart: true});
      if (jsep) await this.#accept(jsep);
    });
  }

  /** Ends it; what was wanted is forgotten. */
  close() {
    this.#session = null;
    this.#drop();
    for (const publication of this.#wanted.values()) publication.participant.unsubscribed(publication);
    this.#wanted.clear();
  }

  /** The connection alone: everything is subscribed to again by the next flush. */
  #drop() {
    clearTimeout(this.#broken);
    clearTimeout(this.#asking);
    this.#asking = null;
    this.#life = {};
    this.#handle?.removeAllListeners();
    this.#handle?.closePeer();
    this.#handle = null;
    for (const sid of [...this.#places.keys()]) this.#vacate(sid);
    this.#subscribed.clear();
  }

  #inTurn(work) {
    const session = this.#session;
    const result = this.#turn.then(() => session && session === this.#session ? work() : undefined);
    this.#turn = result.catch(() => {});
    return result;
  }

  #flush() {
    if (!this.#session || this.#flushing) return;
    this.#flushing = true;
    setTimeout(() => {
      this.#inTurn(() => {
        this.#flushing = false;
        return this.#negotiate();
      }).catch(error => {
        if (!this.#session || this.#session.closed) return;
        console.warn('cardea: subscribing failed, trying again:', error.message);
        this.#abandonHandle();
        setTimeout(() => this.#flush(), retryMs);
      }).finally(() => (this.#flushing = false));
    }, 0);
  }

  #abandonHandle() {
    this.#handle?.detach().catch(() => {});
    this.#drop();
  }

  async #negotiate() {
    const add = [...this.#wanted.values()].filter(one => this.#subscribed.get(one.trackSid) !== one);
    const drop = [...this.#subscribed].filter(([sid, one]) => this.#wanted.get(sid) !== one).map(([, one]) => one);
    // What is gone with its publisher needs no unsubscribing, but does no harm either.
    for (const publication of drop) this.#subscribed.delete(publication.trackSid);
    if (add.length + (this.#handle ? drop.length : 0) === 0) return;
    const life = this.#life;
    const done = publication => {
      if (life !== this.#life) return;
      this.#subscribed.set(publication.trackSid, publication);
      this.#fill();
    };
    const streams = add.map(publication => ({feed: publication.feed, mid: publication.mid, ...publication.wish}));
    try {
      await this.#subscribe(streams, drop.map(({feed, mid}) => ({feed, mid})));
      add.forEach(done);
    } catch (error) {
      if (error.code !== 428) throw error;
      // One of them is gone already: it will be told soon. The others come one by one.
      if (add.length === 1) {
        this.#wanted.delete(add[0].trackSid);
        this.emit('failed', add[0], error);
        return;
      }
      for (const publication of add) {
        if (!this.wants(publication)) continue;
        try {
          await this.#subscribe([{feed: publication.feed, mid: publication.mid, ...publication.wish}], []);
          done(publication);
        } catch (failure) {
          if (failure.code !== 428) throw failure;
          this.#wanted.delete(publication.trackSid);
          this.emit('failed', publication, failure);
        }
      }
    }
  }

  async #subscribe(subscribe, unsubscribe) {
    if (!this.#handle) {
      if (subscribe.length === 0) return;
      const life = this.#life;
      const handle = await this.#session.attach('cardea.plugin.videoroom');
      try {
        const {data, jsep} = await handle.request({request: 'join', ptype: 'subscriber', ...this.#join, streams: subscribe});
        if (life !== this.#life) throw new CardeaError(0, 'Closed meanwhile');
        this.#adopt(handle);
        await this.#accept(jsep, data.streams);
      } catch (error) {
        if (this.#handle !== handle) handle.detach().catch(() => {});
        throw error;
      }
      return;
    }
    const {data, jsep} = await this.#handle.request(
      {request: 'update', ...(subscribe.length && {subscribe}), ...(unsubscribe.length && {unsubscribe})});
    if (jsep) await this.#accept(jsep, data.streams);
  }

  #adopt(handle) {
    this.#handle = handle;
    handle.on('event', ({data, jsep}) => {
      if (jsep) this.#inTurn(() => this.#handle === handle && this.#accept(jsep, data.streams)).catch(() => this.#lost(handle));
      const publication = this.publicationAt(data.mid);
      if (!publication?.track) return;
      const layer = data.substream ?? data.spatial_layer;
      if (layer === undefined) return;
      publication.track.layer = layer;
      this.emit('layer', publication);
    });
    handle.on('hangup', () => this.#lost(handle));
    handle.on('state', state => {
      clearTimeout(this.#broken);
      if (state === 'disconnected' || state === 'failed')
        this.#broken = setTimeout(() => this.restart().catch(() => this.#lost(handle)), state === 'failed' ? 0 : patienceMs);
    });
  }

  /** The connection is gone while the session is not: a new one takes its place. */
  #lost(handle) {
    if (this.#handle !== handle) return;
    this.#abandonHandle();
    setTimeout(() => this.#flush(), retryMs / 4);
  }

  async #accept(jsep, streams) {
    await this.#handle.answer(jsep, {request: 'start'});
    if (streams) this.#note(streams);
  }

  // The gateway's list of our connection's m-lines: which stream of whom is where.
  #note(streams) {
    const now = new Map(streams.filter(({active, feed_id}) => active && feed_id !== undefined)
      .map(({feed_id, feed_mid, mid}) => [`${feed_id}/${feed_mid}`, mid]));
    for (const [sid, place] of [...this.#places]) if (now.get(sid) !== place.mid) this.#vacate(sid);
    for (const [sid, mid] of now) if (!this.#places.has(sid)) this.#places.set(sid, {mid});
    this.#fill();
  }

  /** Hands out the tracks of places that have none yet. */
  #fill() {
    for (const [sid, place] of this.#places) {
      const publication = this.#subscribed.get(sid);
      if (place.track || !publication || !this.wants(publication)) continue;
      const receiver = this.pc?.getTransceivers().find(({mid}) => mid === place.mid)?.receiver;
      if (!receiver) continue;
      place.track = remoteTrack(receiver.track, publication.source);
      place.track.sid = sid;
      place.track.receiver = receiver;
      place.asked = publication.wish;
      publication.participant.subscribed(publication, place.track);
    }
  }

  #vacate(sid) {
    const place = this.#places.get(sid);
    this.#places.delete(sid);
    const publication = this.#subscribed.get(sid);
    if (place?.track && publication?.track === place.track) publication.participant.unsubscribed(publication);
  }

  #tellWishes() {
    const streams = [];
    for (const [sid, place] of this.#places) {
      const publication = this.#subscribed.get(sid);
      if (!place.track || !publication) continue;
      const {wish} = publication;
      const changed = Object.entries(wish).filter(([name, value]) => place.asked[name] !== value);
      if (changed.length === 0) continue;
      place.asked = wish;
      streams.push({mid: place.mid, ...Object.fromEntries(changed)});
    }
    if (streams.length) this.#inTurn(() => this.#handle?.request({request: 'configure', streams})).catch(() => {});
  }
}
