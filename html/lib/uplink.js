// The connection up: a publisher of the video room. Offers are made one after the other.
import {Emitter} from './emitter.js';
import {CardeaError} from './error.js';

/** How long a connection may be broken before new ICE credentials are tried. */
export const patienceMs = 2000;

/** Events: 'event' (data of the room), 'down' (reason): the connection is gone, and what was published with it. */
export class Uplink extends Emitter {
  #handle = null;
  #room;
  #turn = Promise.resolve();
  #broken = null; // timer

  get pc() { return this.#handle?.pc ?? null; }
  get handle() { return this.#handle; }

  /** Joins the room; resolves with its answer: our id, who publishes, who attends. */
  async join(session, {room, ...body}) {
    this.#room = room;
    if (!this.#handle) { // else an attempt before found no room
      this.#handle = await session.attach('cardea.plugin.videoroom');
      this.#handle.on('event', ({data}) => this.emit('event', data));
      this.#handle.on('state', state => this.#watch(state));
      this.#handle.on('hangup', reason => this.emit('down', reason));
    }
    return (await this.#handle.request({request: 'join', ptype: 'publisher', room, ...body})).data;
  }

  request(body) { return this.#handle.request({room: this.#room, ...body}); }

  /** Publishes a track; resolves with its transceiver. A place that was left by another of its kind is used again. */
  add(track, {encodings, description}) {
    return this.#inTurn(async () => {
      const before = this.pc;
      const idle = before?.getTransceivers().find(one => one.direction === 'inactive' && one.sender.track === null &&
        one.receiver.track.kind === track.kind && one.sender.getParameters().encodings.length === encodings.length);
      if (idle) {
        idle.direction = 'sendonly';
        await idle.sender.replaceTrack(track);
      }
      const ours = pc => idle ?? pc.getTransceivers().find(({sender}) => sender.track === track);
      try {
        await this.#handle.offer(pc => ({request: 'configure', descriptions: [{mid: ours(pc).mid, description}]}),
          idle ? {} : {tracks: [track], encodings});
      } catch (error) {
        if (!before) this.#handle.closePeer(); // a first offer that was refused
        throw error;
      }
      return ours(this.pc);
    });
  }

  remove(transceiver) {
    return this.#inTurn(async () => {
      if (!this.pc?.getTransceivers().includes(transceiver)) return;
      await transceiver.sender.replaceTrack(null);
      transceiver.direction = 'inactive';
      await this.#handle.offer({request: 'configure'});
    });
  }

  /** New ICE credentials: finds the way again after the network has changed. */
  restart() {
    return this.#inTurn(async () => { if (this.pc) await this.#handle.offer({request: 'configure'}, {iceRestart: true}); });
  }

  close() {
    clearTimeout(this.#broken);
    this.#handle?.removeAllListeners();
    this.#handle?.closePeer();
    this.#handle = null;
  }

  #inTurn(work) {
    const handle = this.#handle;
    const result = this.#turn.then(() => {
      if (!handle || handle !== this.#handle) throw new CardeaError(0, 'Not connected');
      return work();
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  #watch(state) {
    clearTimeout(this.#broken);
    if (state === 'disconnected' || state === 'failed')
      this.#broken = setTimeout(() => this.restart().catch(() => {}), state === 'failed' ? 0 : patienceMs);
  }
}
