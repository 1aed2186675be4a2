// A room: people, what they publish and what they write, over one connection up, one down and a text room.
import {adapt} from './adaptive.js';
import {ConnectionState, DataPacket_Kind, DisconnectReason, RoomEvent, TrackEvent} from './constants.js';
import {listDevices} from './devices.js';
import {Downlink} from './downlink.js';
import {Emitter} from './emitter.js';
import {CardeaError} from './error.js';
import {httpAddress} from './link.js';
import {LocalParticipant} from './local_participant.js';
import {Monitor} from './monitor.js';
import {RemoteParticipant} from './participant.js';
import {defaultUrl, Session} from './session.js';
import {roomId, targetOf} from './target.js';
import {TextRoom} from './text_room.js';
import {Uplink} from './uplink.js';

const rejoinForMs = 120_000;
const remembered = 500; // messages that history may bring again

const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const randomId = () => { const [a, b] = crypto.getRandomValues(new Uint32Array(2)); return (a & 0xffff) * 2 ** 32 + b; };
const envelope = '{"cardea":'; // how texts begin that are no chat

/** The settings of a room that is made because it was not there. */
const roomDefaults = {publishers: 50, notify_joining: true, videocodec: 'vp8,vp9,h264,av1', bitrate: 4_000_000};
const history = 200;

/**
 * A room as the field's client SDKs have it.
 *
 *   const room = new Room({adaptiveStream: true});
 *   room.on(RoomEvent.TrackSubscribed, track => document.body.append(track.attach()));
 *   await room.connect('wss://media.example.org/', {room: 'tea', name: 'Ann'});
 *   await room.localParticipant.enableCameraAndMicrophone();
 */
export class Room extends Emitter {
  #session = null;
  #uplink = new Uplink();
  #downlink = new Downlink();
  #text = new TextRoom();
  #monitor = new Monitor(this, this.#uplink, this.#downlink);
  #target = null;           // {url, id, name, ...}: what connect() was given
  #privateId = null;
  #feeds = new Map();       // id in the video room -> participant
  #adapting = new Map();    // track -> function that ends it
  #seen = new Set();        // messages
  #textHandlers = new Map();
  #attempt = null;          // the way in or back that is being tried; another one ends it
  #blocked = new Set();     // elements whose sound the browser holds back
  #listening = [];

  state = ConnectionState.Disconnected;
  name = '';
  metadata = '';
  remoteParticipants = new Map();
  activeSpeakers = [];
  /** The room was not there: this client has made it. */
  created = false;
  /** Why there is no chat, if there is none. */
  chatError = null;

  /**
   * @param {{adaptiveStream?: boolean | {pixelDensity?: number | 'screen'}, dynacast?: boolean, audioCaptureDefaults?: object,
   *   videoCaptureDefaults?: object, publishDefaults?: object, rtcConfig?: RTCConfiguration, create?: object | false,
   *   text?: boolean, dataChannel?: boolean}} options
   *   `create`: settings of a room that is not there yet, or false not to make it; `text: false`: no chat and data; `dataChannel`:
   *   these over a data channel rather than with the signalling
   */
  constructor(options = {}) {
    super();
    this.options = {audioCaptureDefaults: {}, videoCaptureDefaults: {}, publishDefaults: {}, ...options};
    this.localParticipant = new LocalParticipant(this, this.#uplink);
    this.#uplink.on('event', data => this.#onVideoRoom(data));
    this.#uplink.on('down', () => this.#onUplinkDown());
    this.#downlink.on('failed', ({trackSid, participant}, error) =>
      this.emit(RoomEvent.TrackSubscriptionFailed, trackSid, participant, error));
    this.on(RoomEvent.TrackSubscribed, (track, publication) => this.#onTrack(track, publication));
    this.on(RoomEvent.TrackUnsubscribed, track => this.#offTrack(track));
  }

  /** Cameras, microphones and loudspeakers, with their names once the person has allowed it. */
  static getLocalDevices(kind, requestPermissions = true) { return listDevices(kind, requestPermissions); }

  get numParticipants() { return this.remoteParticipants.size + 1; }
  get participants() { return this.remoteParticipants; }
  /** The text room: presence, zones, and what else its protocol has. */
  get textRoom() { return this.#text; }
  get canPlaybackAudio() { return this.#blocked.size === 0; }
  /** The room's id in the Janus API. */
  get sid() { return this.#target?.id; }
  getSid() { return Promise.resolve(this.sid); }
  getParticipantByIdentity(identity) {
    return identity === this.localParticipant.identity ? this.localParticipant : this.remoteParticipants.get(identity);
  }

  /** Warms the way to the gateway up; may be called at any time before connect(). */
  async prepareConnection(url = defaultUrl()) { await fetch(`${httpAddress(url)}/ping`, {mode: 'no-cors'}).catch(() => {}); }

  /**
   * Enters a room.
   * @param {string} url ws:// or wss:// of the gateway
   * @param {string | number | object} token what targetOf() understands: a token, a room, or {room, name, identity, pin, secret, ...}
   * @param {{autoSubscribe?: boolean, rtcConfig?: RTCConfiguration}} options
   */
  async connect(url, token, {autoSubscribe = true, rtcConfig} = {}) {
    if (this.state !== ConnectionState.Disconnected) await this.disconnect();
    const target = targetOf(token);
    if (target.room === undefined) throw new CardeaError(0, 'No room was named');
    const identity = String(target.identity ?? randomId());
    this.#target = {...target, url: url ?? defaultUrl(), id: roomId(target.room), identity, autoSubscribe,
      rtcConfig: rtcConfig ?? this.options.rtcConfig};
    Object.assign(this.localParticipant, {identity, sid: identity, name: target.name, metadata: target.metadata,
      attributes: {...target.attributes}});
    this.name = String(target.room);
    this.created = false;
    this.#seen.clear();
    this.#setState(ConnectionState.Connecting);
    const attempt = (this.#attempt = {first: true});
    try {
      await this.#enter(attempt);
    } catch (error) {
      if (this.#attempt === attempt) this.#leave(true);
      throw error;
    }
    this.#setState(ConnectionState.Connected);
    this.emit(RoomEvent.Connected);
  }

  /** Leaves: ends the connections and (`stopTracks`) the capture of camera, microphone and screen. Nothing is left behind. */
  async disconnect(stopTracks = true) {
    if (this.state === ConnectionState.Disconnected) return;
    const session = this.#session;
    this.#session = null;
    this.#leave(stopTracks);
    this.emit(RoomEvent.Disconnected, DisconnectReason.CLIENT_INITIATED);
    await session?.destroy();
  }

  /** Plays what the browser has held back; to be called when a person clicks. */
  async startAudio() {
    const blocked = [...this.#blocked];
    this.#blocked.clear();
    await Promise.all(blocked.map(element => element.play().catch(() => this.#blocked.add(element))));
    this.emit(RoomEvent.AudioPlaybackStatusChanged, this.canPlaybackAudio);
  }

  /** Uses another device from now on: 'audioinput', 'videoinput' or 'audiooutput'. */
  async switchActiveDevice(kind, deviceId) {
    if (kind !== 'audiooutput') await this.localParticipant.switchDevice(kind, deviceId);
    else {
      this.localParticipant.activeDevices.set(kind, deviceId);
      for (const {audioTrackPublications} of this.remoteParticipants.values())
        for (const {audioTrack} of audioTrackPublications.values()) await audioTrack?.setSinkId(deviceId);
      this.emit(RoomEvent.ActiveDeviceChanged, kind, deviceId);
    }
    return true;
  }
  getActiveDevice(kind) { return this.localParticipant.activeDevices.get(kind); }

  /** {up, down}: each {connection, sent, received}, the latter two by mid, of now. The tracks' digests are also in their `stats`. */
  getStats() { return this.#monitor.look(); }

  /** Calls `handler(reader, {identity})` for texts sent with sendText under that topic; `await reader.readAll()` is the text. */
  registerTextStreamHandler(topic, handler) { this.#textHandlers.set(topic, handler); }
  unregisterTextStreamHandler(topic) { this.#textHandlers.delete(topic); }

  // ---- moderation: for those who know the room's secret, if it has one ----

  /** Sends somebody away. */
  async removeParticipant(identity) {
    const {feed} = this.remoteParticipants.get(identity) ?? {};
    if (feed) await this.#moderate({request: 'kick', id: feed});
    if (this.#text.connected) await this.#text.request('kick', {username: identity, ...this.#secret}).catch(() => {});
  }

  /** Mutes (or unmutes) a track of somebody for all; they cannot unmute it themselves. */
  async mutePublishedTrack(identity, trackSid, muted) {
    const {feed, trackPublications} = this.remoteParticipants.get(identity);
    await this.#moderate({request: 'moderate', id: feed, mid: trackPublications.get(trackSid).mid, mute: muted});
  }

  /** From now on only those who know the pin come in. */
  async setPin(pin) {
    await this.#moderate({request: 'edit', new_pin: pin});
    this.#target.pin = pin;
    if (this.#text.connected) await this.#text.request('edit', {new_pin: pin, ...this.#secret}).catch(() => {});
  }
  get pin() { return this.#target?.pin; }

  /** Begins or ends the recording of everybody, where the gateway records. */
  async setRecording(record) { await this.#moderate({request: 'enable_recording', record}); }

  /** Ends the room for all. */
  async deleteRoom() {
    if (this.#text.connected) await this.#text.request('destroy', this.#secret).catch(() => {});
    await this.#moderate({request: 'destroy'});
  }

  /** Moderates with this secret from now on. */
  setSecret(secret) { this.#target.secret = secret; }

  #moderate(body) { return this.#uplink.request({...body, ...this.#secret}); }
  get #secret() { return this.#target.secret === undefined ? {} : {secret: this.#target.secret}; }

  // ---- what participants send ----

  async sendData(data, topic, to, kind = 'data') {
    const others = to ?? [...this.remoteParticipants.values()].filter(({isActive}) => isActive).map(({identity}) => identity);
    if (others.length === 0) return;
    const bytes = btoa(Array.from(data, byte => String.fromCharCode(byte)).join(''));
    await this.#text.send(`${envelope}${JSON.stringify({kind, topic, bytes})}}`, others);
  }

  async sendChat(message, to) {
    const text = message.startsWith(envelope) ? `${envelope}${JSON.stringify({kind: 'chat', message})}}` : message;
    const absent = await this.#text.send(text, to);
    const names = (to ?? []).filter(one => !absent.includes(one));
    if (to && names.length === 0) throw new CardeaError(423, 'No such user');
    const sent = {id: String(randomId()), timestamp: Date.now(), message};
    if (to) this.#tellChat({...sent, whisper: true, to: names}, this.localParticipant.identity); // what is to all comes back by itself
    return sent;
  }

  // ---- the way in ----

  async #enter(attempt) {
    const target = this.#target, own = this.localParticipant;
    const session = await Session.open(target.url, {token: target.token, apisecret: target.apisecret, rtcConfig: target.rtcConfig});
    if (this.#attempt !== attempt) {
      session.destroy();
      throw new CardeaError(0, 'Given up');
    }
    this.#session = session;
    try {
      const {pin, token} = target;
      const display = own.name;
      const body = {room: target.id, id: roomId(own.identity), display, pin, token, metadata: own.wireMetadata};
      const joined = await this.#joinOrCreate(session, body);
      this.#privateId = joined.private_id;
      if (joined.description) this.name = joined.description;
      await this.#joinText(session);
      if (this.#attempt !== attempt) throw new CardeaError(0, 'Given up');
      for (const person of joined.attendees ?? []) this.#person(person, attempt.first);
      for (const publisher of joined.publishers) this.#publisher(publisher, attempt.first);
      this.#downlink.begin(session, {room: target.id, pin, token, private_id: this.#privateId});
      if (session.closed) throw new CardeaError(0, 'The connection was lost');
    } catch (error) {
      session.removeAllListeners();
      if (this.#session === session) this.#session = null;
      session.destroy();
      throw error;
    }
    session.on('reconnecting', () => this.#setState(ConnectionState.Reconnecting));
    session.on('reconnected', () => this.#resync().catch(() => this.#comeBack()));
    session.on('closed', () => this.#session === session && this.#comeBack());
    this.#monitor.start();
    this.#listen();
  }

  async #joinOrCreate(session, body) {
    try {
      return await this.#uplink.join(session, body);
    } catch (error) {
      if (error.code !== 426 || this.options.create === false) throw error;
    }
    const {pin, secret} = this.#target;
    const description = String(this.#target.room);
    await this.#uplink.request({request: 'create', ...roomDefaults, description, pin, secret, ...this.options.create})
      .then(() => (this.created = true), error => { if (error.code !== 427) throw error; }); // somebody was quicker
    return this.#uplink.join(session, body);
  }

  async #joinText(session) {
    this.chatError = null;
    if (this.options.text === false) return;
    const text = (this.#text = new TextRoom());
    const {id: room, pin, secret, token} = this.#target;
    const {identity, name} = this.localParticipant;
    text.on('message', message => this.#onMessage(message))
      .on('join', ({username, display}) => this.#writer(username, display, false))
      .on('leave', username => this.#gone(this.remoteParticipants.get(username), 'text'))
      .on('kicked', username => this.#gone(this.remoteParticipants.get(username), 'text'))
      .on('presence', states => this.emit(RoomEvent.PresenceChanged, states))
      .on('announcement', ({text}) => this.emit(RoomEvent.RoomNotice, text))
      .on('down', () => this.#comeBack());
    const {dataChannel, textOptions} = this.options;
    const options = {room, username: identity, display: name, pin, token, dataChannel, ...textOptions};
    const join = () => text.join(session, options);
    try {
      const others = await join().catch(async error => {
        if (error.code !== 417 || this.options.create === false) throw error;
        await text.request('create', {description: String(this.#target.room), history, pin, secret, ...this.options.createText})
          .catch(failure => { if (failure.code !== 418) throw failure; });
        return text.rejoin();
      });
      for (const {username, display} of others) this.#writer(username, display, this.#attempt?.first);
    } catch (error) {
      await text.leave();
      if (error.code === 0 || error.code === 420) throw error; // we are still there: the gateway has not noticed that we went
      this.chatError = error;
    }
  }

  // ---- the way back ----

  /** The session lives: what was missed meanwhile is asked for. */
  async #resync() {
    const {participants} = (await this.#uplink.request({request: 'listparticipants'})).data;
    const here = new Map(participants.map(person => [person.id, person]));
    for (const [feed, person] of [...this.#feeds]) if (!here.has(feed)) this.#gone(person);
    for (const {id, display, metadata, publisher} of participants) {
      if (id === roomId(this.localParticipant.identity)) continue;
      const before = this.#feeds.get(id)?.wireTracks;
      const person = this.#person({id, display, metadata});
      // Which streams are new is not told again: leaving and coming back would be the only way to learn it.
      if (publisher && before !== person.wireTracks) throw new CardeaError(0, 'Out of step');
      if (!publisher) person.unpublishAll();
    }
    if (this.#text.connected && this.#text.way === 'api') await this.#text.rejoin(); // brings what was written meanwhile
    this.#uplink.restart().catch(() => {}); // the network may be another
    this.#downlink.restart().catch(() => {});
    this.#setState(ConnectionState.Connected);
    this.emit(RoomEvent.Reconnected);
  }

  /** The session is lost: comes back with another one, as the same person, with the same tracks. */
  async #comeBack() {
    if (this.state === ConnectionState.Disconnected || this.#attempt?.back) return;
    const attempt = (this.#attempt = {back: true});
    this.#setState(ConnectionState.Reconnecting);
    const old = this.#session;
    this.#session = null;
    this.#hangUp();
    old?.removeAllListeners();
    await old?.destroy();
    const until = Date.now() + rejoinForMs;
    for (let pause = 200; this.#attempt === attempt; pause = Math.min(2 * pause, 5000)) {
      try {
        await this.#enter(attempt);
        await this.localParticipant.republish();
        for (const person of [...this.remoteParticipants.values()]) if (!person.feed && !person.isActive) this.#gone(person);
        this.#attempt = {};
        this.#setState(ConnectionState.Connected);
        this.emit(RoomEvent.Reconnected);
        return;
      } catch (error) {
        const refused = [403, 433, 426].includes(error.code);
        if (this.#attempt !== attempt) return;
        console.warn('cardea: coming back failed:', error.message);
        this.#hangUp();
        const session = this.#session;
        this.#session = null;
        session?.removeAllListeners();
        session?.destroy();
        if (refused || Date.now() > until) return this.#end(refused ? DisconnectReason.JOIN_FAILURE : DisconnectReason.SIGNAL_CLOSE);
      }
      await wait(pause);
    }
  }

  /** Ends the connections; people stay listed until it is known who is still there. */
  #hangUp() {
    this.#monitor.stop();
    this.#uplink.close();
    this.#downlink.close();
    this.#text.close();
    for (const person of this.remoteParticipants.values()) {
      person.unpublishAll();
      person.feed = null;
      person.isActive = false;
    }
    this.#feeds.clear();
  }

  #end(reason) {
    if (this.state === ConnectionState.Disconnected) return;
    const session = this.#session;
    this.#session = null;
    this.#leave(true);
    this.emit(RoomEvent.Disconnected, reason);
    session?.destroy();
  }

  #leave(stopTracks) {
    this.#attempt = null;
    this.#hangUp();
    for (const end of this.#adapting.values()) end();
    this.#adapting.clear();
    this.#blocked.clear();
    this.localParticipant.stopAll(stopTracks);
    for (const person of [...this.remoteParticipants.values()]) this.#gone(person);
    this.activeSpeakers = [];
    this.#listening.forEach(end => end());
    this.#listening = [];
    this.#setState(ConnectionState.Disconnected);
  }

  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.emit(RoomEvent.ConnectionStateChanged, state);
    if (state === ConnectionState.Reconnecting) this.emit(RoomEvent.Reconnecting);
  }

  #listen() {
    if (this.#listening.length) return;
    const listen = (target, name, listener) => {
      target?.addEventListener(name, listener);
      this.#listening.push(() => target?.removeEventListener(name, listener));
    };
    listen(navigator.mediaDevices, 'devicechange', () => this.emit(RoomEvent.MediaDevicesChanged));
    listen(globalThis, 'pagehide', () => { // who closes the tab is gone for the others at once
      const session = this.#session;
      this.#session = null;
      session?.abandon();
      this.#end(DisconnectReason.CLIENT_INITIATED);
    });
    listen(globalThis, 'online', () => {
      this.#uplink.restart().catch(() => {});
      this.#downlink.restart().catch(() => {});
    });
  }

  // ---- what the video room tells ----

  #onVideoRoom(data) {
    for (const publisher of data.publishers ?? []) this.#publisher(publisher);
    if (data.joining) this.#person(data.joining);
    if (data.reason === 'kicked') return this.#end(DisconnectReason.PARTICIPANT_REMOVED);
    if (data.videoroom === 'destroyed') return this.#end(DisconnectReason.ROOM_DELETED);
    const gone = data.kicked ?? data.leaving;
    if (gone && gone !== 'ok') return this.#gone(this.#feeds.get(gone));
    if (data.unpublished && data.unpublished !== 'ok') return this.#feeds.get(data.unpublished)?.unpublishAll();
    if (data.moderation) return this.#moderated(data);
    if (data.id !== undefined && (data.display !== undefined || data.metadata) && this.#feeds.has(data.id)) {
      const {display = this.#feeds.get(data.id).name, metadata} = data;
      this.#person({id: data.id, display, metadata});
    }
  }

  #moderated({id, mid, moderation}) {
    const muted = moderation === 'muted';
    if (id === roomId(this.localParticipant.identity)) this.localParticipant.moderated(mid, muted);
    else this.#feeds.get(id)?.setModerated(mid, muted);
  }

  /** Somebody of the video room: known already, or new. */
  #person({id, display, metadata}, silent = false) {
    const identity = String(metadata?.identity ?? this.#feeds.get(id)?.identity ?? id);
    const person = this.#meet(identity, display ?? identity, silent);
    if (person.feed !== null && person.feed !== id) this.#feeds.delete(person.feed);
    person.feed = id;
    this.#feeds.set(id, person);
    person.rename(display ?? identity);
    if (metadata) {
      person.wireTracks = metadata.tracks;
      person.setMuted(metadata.muted ?? []);
      const own = metadata.identity === undefined ? JSON.stringify(metadata) : metadata.metadata;
      person.describe(own, metadata.attributes ?? {});
    }
    return person;
  }

  #publisher(publisher, silent) {
    if (publisher.id === roomId(this.localParticipant.identity)) return;
    this.#person(publisher, silent).update(publisher.id, publisher.streams ?? [], this.#target.autoSubscribe);
  }

  /** Somebody of the text room. */
  #writer(username, display, silent) {
    if (username === this.localParticipant.identity) return;
    const person = this.#meet(username, display ?? username, silent);
    person.isActive = true;
    this.emit(RoomEvent.ParticipantActive, person);
  }

  #meet(identity, name, silent) {
    let person = this.remoteParticipants.get(identity);
    if (person) return person;
    person = new RemoteParticipant(this, this.#downlink, identity, name);
    this.remoteParticipants.set(identity, person);
    if (!silent) this.emit(RoomEvent.ParticipantConnected, person);
    return person;
  }

  /** They have left the room; `only: 'text'`: the text room, which says nothing about the media of who is in both. */
  #gone(person, only) {
    if (!person) return;
    person.isActive = false;
    if (only === 'text' && person.feed !== null) return;
    person.unpublishAll();
    this.#feeds.delete(person.feed);
    this.remoteParticipants.delete(person.identity);
    this.emit(RoomEvent.ParticipantDisconnected, person);
  }

  /** The connection up has ended while the session goes on: publishes again. */
  async #onUplinkDown() {
    if (this.state !== ConnectionState.Connected) return;
    await this.localParticipant.republish().catch(() => this.#comeBack());
  }

  #onTrack(track, publication) {
    if (track.kind === 'video' && this.options.adaptiveStream)
      this.#adapting.set(track, adapt(track, publication, this.options.adaptiveStream === true ? {} : this.options.adaptiveStream));
    if (track.kind !== 'audio') return;
    const sink = this.getActiveDevice('audiooutput');
    if (sink) track.setSinkId(sink).catch(() => {});
    track.on(TrackEvent.AudioPlaybackFailed, () => {
      for (const element of track.attachedElements) this.#blocked.add(element);
      this.emit(RoomEvent.AudioPlaybackStatusChanged, false);
    });
  }

  #offTrack(track) {
    this.#adapting.get(track)?.();
    this.#adapting.delete(track);
    for (const element of track.attachedElements) this.#blocked.delete(element);
  }

  // ---- what the text room tells ----

  #onMessage({from, display, text, date, whisper, old}) {
    if (text.startsWith(envelope)) {
      const {kind, topic, bytes, message} = JSON.parse(text.slice(envelope.length, -1));
      if (kind === 'chat') return this.#chat({from, display, text: message, date, whisper, old});
      if (old) return;
      return this.#data(from, kind, topic, Uint8Array.from(atob(bytes), char => char.charCodeAt(0)));
    }
    return this.#chat({from, display, text, date, whisper, old});
  }

  #chat({from, display, text, date, whisper, old}) {
    const key = `${from} ${date.getTime()} ${text}`;
    if (old && this.#seen.has(key)) return;
    this.#seen.add(key);
    if (this.#seen.size > remembered) this.#seen.delete(this.#seen.values().next().value);
    this.#tellChat({id: key, timestamp: date.getTime(), message: text, whisper: whisper === true, old, name: display}, from);
  }

  #tellChat(message, identity) {
    const person = this.getParticipantByIdentity(identity);
    this.emit(RoomEvent.ChatMessage, {...message, identity, name: person?.name ?? message.name ?? identity}, person);
    person?.emit(RoomEvent.ChatMessage, message);
  }

  #data(identity, kind, topic, bytes) {
    const person = this.remoteParticipants.get(identity);
    if (kind === 'text') {
      const text = new TextDecoder().decode(bytes);
      const info = {topic, size: bytes.length, timestamp: Date.now()};
      return this.#textHandlers.get(topic)?.({info, readAll: async () => text}, {identity});
    }
    this.emit(RoomEvent.DataReceived, bytes, person, DataPacket_Kind.RELIABLE, topic);
    person?.emit(RoomEvent.DataReceived, bytes, DataPacket_Kind.RELIABLE);
  }
}
