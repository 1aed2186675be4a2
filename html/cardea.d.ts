// Types of cardea.js, the client library of the gateway.

/** Any JSON object of the Janus API. */
export type Json = Record<string, unknown>;

// ---- the wire storey ----

/** Events by name: names to the arguments of their listeners. */
export class Emitter<Events extends Record<keyof Events, (...details: never[]) => void>> {
  on<Name extends keyof Events>(name: Name, listener: Events[Name]): this;
  off<Name extends keyof Events>(name: Name, listener: Events[Name]): this;
  once<Name extends keyof Events>(name: Name, listener: Events[Name]): this;
  removeAllListeners(name?: keyof Events): this;
  emit<Name extends keyof Events>(name: Name, ...details: Parameters<Events[Name]>): boolean;
}

/** What the gateway or a plugin refused: `code` and message are its own words. Code 0: it was not reached, or gave no answer. */
export class CardeaError extends Error {
  constructor(code: number, reason: string);
  readonly code: number;
}

export interface SessionOptions {
  /** takes over a session that exists */
  claim?: number;
  apisecret?: string;
  token?: string;
  keepaliveMs?: number;
  reconnectForMs?: number;
  /** false: no long poll where no WebSocket opens */
  fallback?: boolean;
  rtcConfig?: RTCConfiguration;
}

export interface SessionEvents {
  reconnecting: () => void;
  reconnected: () => void;
  closed: (reason: string) => void;
}

/** Where the gateway of this page listens. */
export function defaultUrl(): string;

/** A session with the gateway, over a WebSocket or HTTP. When the connection is lost it reconnects and claims the session. */
export class Session extends Emitter<SessionEvents> {
  static open(url?: string, options?: SessionOptions): Promise<Session>;
  readonly id: number;
  readonly closed: boolean;
  /** Sends one request of the Janus API; resolves with the whole reply. For a plugin message: with its answer or event. */
  request(message: Json): Promise<Json & {data?: Json; plugindata?: {plugin: string; data: Json}; jsep?: RTCSessionDescriptionInit}>;
  attach(plugin: string, options?: Json): Promise<Handle>;
  /** Ends the session and everything in it. */
  destroy(): Promise<void>;
  /** The same while the page goes away, when nothing can be waited for. */
  abandon(): void;
}

export interface PluginMessage {
  data: any;
  jsep?: RTCSessionDescriptionInit;
}

export interface HandleEvents {
  event: (message: PluginMessage) => void;
  track: (event: RTCTrackEvent) => void;
  datachannel: (channel: RTCDataChannel) => void;
  state: (state: RTCPeerConnectionState) => void;
  webrtcup: () => void;
  media: (event: {type: 'audio' | 'video'; mid: string; receiving: boolean}) => void;
  slowlink: (event: {mid: string; media: string; uplink: boolean; lost: number}) => void;
  hangup: (reason: string) => void;
  detached: () => void;
}

export interface OfferOptions {
  /** tracks to add to what is sent */
  tracks?: MediaStreamTrack[];
  /** kinds to receive beyond what is sent */
  receive?: Array<'audio' | 'video'>;
  /** three qualities of the video */
  simulcast?: boolean;
  encodings?: RTCRtpEncodingParameters[];
  iceRestart?: boolean;
  /** opens the data channel `channel` */
  data?: boolean;
}

/** An attachment to a plugin, with at most one peer connection. */
export class Handle extends Emitter<HandleEvents> {
  readonly id: number;
  readonly pc: RTCPeerConnection | null;
  channel?: RTCDataChannel;
  /** Sends a message to the plugin; resolves with its answer, or the event that answers it. */
  request(body: Json, jsep?: RTCSessionDescriptionInit): Promise<PluginMessage>;
  /** Offers media (again), with a message, or one made once the offer's mids are known. */
  offer(body: Json | ((pc: RTCPeerConnection) => Json), options?: OfferOptions): Promise<PluginMessage>;
  /** Answers an offer of the gateway. */
  answer(jsep: RTCSessionDescriptionInit, body: Json, options?: {data?: boolean}): Promise<PluginMessage>;
  hangup(): Promise<void>;
  detach(): Promise<void>;
}

export interface TextMessage {
  from: string;
  display?: string;
  text: string;
  date: Date;
  whisper?: boolean;
  /** from the history */
  old: boolean;
}

export interface TextRoomEvents {
  message: (message: TextMessage) => void;
  join: (person: {username: string; display?: string}) => void;
  leave: (username: string) => void;
  kicked: (username: string) => void;
  announcement: (message: {text: string; date: Date}) => void;
  presence: (states: Record<string, Json>) => void;
  zones: (zones: Json[]) => void;
  'zone-entered': (event: {zone: string; username: string; present: string[]; count: number}) => void;
  'zone-left': (event: {zone: string; username: string; present: string[]; count: number}) => void;
  destroyed: () => void;
  down: (reason: string) => void;
}

export interface TextRoomOptions {
  room: number;
  username: string;
  display?: string;
  pin?: string;
  token?: string;
  history?: boolean;
  presence?: boolean;
  state?: Json;
  /** a peer connection for it, if one comes up */
  dataChannel?: boolean;
}

/** A member of a text room: messages to all or to some, history, presence and zones. */
export class TextRoom extends Emitter<TextRoomEvents> {
  readonly room: number;
  readonly zones: Json[];
  readonly connected: boolean;
  readonly way: 'channel' | 'api';
  /** Joins; resolves with those who were there before. */
  join(session: Session, options: TextRoomOptions): Promise<Array<{username: string; display?: string}>>;
  rejoin(): Promise<Array<{username: string; display?: string}>>;
  /** To all, or to some usernames; resolves with those of them who are not here. */
  send(text: string, to?: string[]): Promise<string[]>;
  /** Shows a state of one's own to those who watch. */
  show(state: Json): Promise<unknown>;
  request(verb: string, body?: Json): Promise<any>;
  leave(): Promise<void>;
  close(): void;
}

// ---- the words of the rooms storey ----

export declare const RoomEvent: {
  readonly Connected: 'connected';
  readonly Reconnecting: 'reconnecting';
  readonly Reconnected: 'reconnected';
  readonly Disconnected: 'disconnected';
  readonly ConnectionStateChanged: 'connectionStateChanged';
  readonly ParticipantConnected: 'participantConnected';
  readonly ParticipantDisconnected: 'participantDisconnected';
  /** they can be written to */
  readonly ParticipantActive: 'participantActive';
  readonly ParticipantNameChanged: 'participantNameChanged';
  readonly ParticipantMetadataChanged: 'participantMetadataChanged';
  readonly ParticipantAttributesChanged: 'participantAttributesChanged';
  readonly TrackPublished: 'trackPublished';
  readonly TrackUnpublished: 'trackUnpublished';
  readonly TrackSubscribed: 'trackSubscribed';
  readonly TrackUnsubscribed: 'trackUnsubscribed';
  readonly TrackSubscriptionFailed: 'trackSubscriptionFailed';
  readonly TrackMuted: 'trackMuted';
  readonly TrackUnmuted: 'trackUnmuted';
  /** a moderator has muted one of our tracks, or lets it be heard again */
  readonly TrackModerated: 'trackModerated';
  readonly LocalTrackPublished: 'localTrackPublished';
  readonly LocalTrackUnpublished: 'localTrackUnpublished';
  readonly ActiveSpeakersChanged: 'activeSpeakersChanged';
  readonly ConnectionQualityChanged: 'connectionQualityChanged';
  readonly DataReceived: 'dataReceived';
  readonly ChatMessage: 'chatMessage';
  /** an announcement to the whole room */
  readonly RoomNotice: 'roomNotice';
  /** states that changed, by identity: of rooms joined with textOptions {presence: true} */
  readonly PresenceChanged: 'presenceChanged';
  readonly MediaDevicesChanged: 'mediaDevicesChanged';
  readonly MediaDevicesError: 'mediaDevicesError';
  readonly ActiveDeviceChanged: 'activeDeviceChanged';
  readonly AudioPlaybackStatusChanged: 'audioPlaybackChanged';
};

export declare const ParticipantEvent: {
  readonly TrackPublished: 'trackPublished';
  readonly TrackUnpublished: 'trackUnpublished';
  readonly TrackSubscribed: 'trackSubscribed';
  readonly TrackUnsubscribed: 'trackUnsubscribed';
  readonly TrackMuted: 'trackMuted';
  readonly TrackUnmuted: 'trackUnmuted';
  readonly TrackModerated: 'trackModerated';
  readonly LocalTrackPublished: 'localTrackPublished';
  readonly LocalTrackUnpublished: 'localTrackUnpublished';
  readonly ConnectionQualityChanged: 'connectionQualityChanged';
  readonly DataReceived: 'dataReceived';
  readonly ChatMessage: 'chatMessage';
  readonly MediaDevicesError: 'mediaDevicesError';
  readonly ParticipantNameChanged: 'participantNameChanged';
  readonly ParticipantMetadataChanged: 'participantMetadataChanged';
  readonly IsSpeakingChanged: 'isSpeakingChanged';
  readonly AttributesChanged: 'attributesChanged';
};

export declare const TrackEvent: {
  readonly Muted: 'muted';
  readonly Unmuted: 'unmuted';
  readonly Restarted: 'restarted';
  readonly Ended: 'ended';
  readonly ElementAttached: 'elementAttached';
  readonly ElementDetached: 'elementDetached';
  readonly AudioPlaybackFailed: 'audioPlaybackFailed';
  readonly StatsUpdated: 'statsUpdated';
};

export declare const ConnectionState: {
  readonly Disconnected: 'disconnected';
  readonly Connecting: 'connecting';
  readonly Connected: 'connected';
  readonly Reconnecting: 'reconnecting';
};
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

export declare const ConnectionQuality: {
  readonly Excellent: 'excellent';
  readonly Good: 'good';
  readonly Poor: 'poor';
  readonly Lost: 'lost';
  readonly Unknown: 'unknown';
};
export type ConnectionQuality = (typeof ConnectionQuality)[keyof typeof ConnectionQuality];

export declare enum DisconnectReason {
  UNKNOWN_REASON = 0,
  CLIENT_INITIATED = 1,
  DUPLICATE_IDENTITY = 2,
  SERVER_SHUTDOWN = 3,
  PARTICIPANT_REMOVED = 4,
  ROOM_DELETED = 5,
  STATE_MISMATCH = 6,
  JOIN_FAILURE = 7,
  MIGRATION = 8,
  SIGNAL_CLOSE = 9,
}
export declare enum DataPacket_Kind {
  RELIABLE = 0,
  LOSSY = 1,
}
export declare enum VideoQuality {
  LOW = 0,
  MEDIUM = 1,
  HIGH = 2,
  OFF = 3,
}

export interface VideoResolution {
  width: number;
  height: number;
  frameRate?: number;
}
export interface VideoEncoding {
  maxBitrate: number;
  maxFramerate?: number;
}
export interface VideoPreset {
  readonly width: number;
  readonly height: number;
  readonly encoding: VideoEncoding;
  readonly resolution: VideoResolution;
}
export declare const VideoPresets: Readonly<
  Record<'h90' | 'h180' | 'h216' | 'h360' | 'h540' | 'h720' | 'h1080' | 'h1440' | 'h2160', VideoPreset>>;
export declare const ScreenSharePresets: Readonly<Record<'h720fps5' | 'h720fps15' | 'h1080fps15' | 'h1080fps30', VideoPreset>>;

export declare const MediaDeviceFailure: {
  readonly PermissionDenied: 'PermissionDenied';
  readonly NotFound: 'NotFound';
  readonly DeviceInUse: 'DeviceInUse';
  /** the page is neither https:// nor on localhost */
  readonly Insecure: 'Insecure';
  readonly Other: 'Other';
  getFailure(error: unknown): 'PermissionDenied' | 'NotFound' | 'DeviceInUse' | 'Insecure' | 'Other' | undefined;
};

export interface AudioCaptureOptions {
  deviceId?: string;
  echoCancellation?: boolean;
  noiseSuppression?: boolean;
  autoGainControl?: boolean;
}
export interface VideoCaptureOptions {
  deviceId?: string;
  facingMode?: 'user' | 'environment';
  resolution?: VideoResolution;
}
export interface ScreenShareCaptureOptions {
  /** the sound of the tab or screen too */
  audio?: boolean;
  video?: boolean | MediaTrackConstraints;
  resolution?: VideoResolution;
  contentHint?: 'detail' | 'text' | 'motion';
}
export interface TrackPublishOptions {
  name?: string;
  source?: Track.Source;
  /** three qualities of a camera; on unless false */
  simulcast?: boolean;
  videoEncoding?: VideoEncoding;
  screenShareEncoding?: VideoEncoding;
  /** SVC instead, such as "L3T3_KEY" */
  scalabilityMode?: string;
  encodings?: RTCRtpEncodingParameters[];
  audioBitrate?: number;
}

// ---- tracks ----

/** What the statistics say of a track, over the last seconds. */
export interface TrackStats {
  kind: 'audio' | 'video';
  /** bit/s */
  bitrate: number;
  packets: number;
  /** 0 to 1 */
  loss: number;
  jitterMs?: number;
  delayMs?: number | null;
  rttMs?: number | null;
  width?: number;
  height?: number;
  fps?: number;
  freezes?: number;
  freezeMs?: number;
  codec?: string;
  /** what comes of a simulcast or SVC stream */
  layer?: number;
  layers?: Array<{rid?: string; bitrate: number; width?: number; height?: number}>;
  limitedBy?: string;
}
export interface ConnectionStats {
  rttMs: number | null;
  bitrateIn: number;
  bitrateOut: number;
  available?: number;
  path?: string;
  protocol?: string;
  address?: string;
}
export interface Facts {
  connection: ConnectionStats;
  /** by mid */
  sent: Map<string, TrackStats>;
  received: Map<string, TrackStats>;
}
/** Digests the statistics of a peer connection. */
export class Digest {
  take(pc: RTCPeerConnection | null): Promise<Facts>;
}

export interface TrackEvents {
  muted: (track: Track) => void;
  unmuted: (track: Track) => void;
  restarted: (track: Track) => void;
  ended: (track: Track) => void;
  elementAttached: (element: HTMLMediaElement) => void;
  elementDetached: (element: HTMLMediaElement) => void;
  audioPlaybackFailed: (error: Error) => void;
  statsUpdated: (stats: TrackStats) => void;
}

/** What local and remote tracks share. */
export abstract class Track extends Emitter<TrackEvents> {
  readonly kind: Track.Kind;
  source: Track.Source;
  sid?: string;
  isMuted: boolean;
  attachedElements: HTMLMediaElement[];
  stats: TrackStats | null;
  readonly mediaStreamTrack: MediaStreamTrack;
  readonly mediaStream: MediaStream;
  readonly currentBitrate: number;
  abstract readonly isLocal: boolean;
  /** Plays the track in a new element, or in the one given. */
  attach(): HTMLMediaElement;
  attach<Element extends HTMLMediaElement>(element: Element): Element;
  detach(): HTMLMediaElement[];
  detach<Element extends HTMLMediaElement>(element: Element): Element;
  stop(): void;
}
export namespace Track {
  const Kind: {readonly Audio: 'audio'; readonly Video: 'video'; readonly Unknown: 'unknown'};
  type Kind = (typeof Kind)[keyof typeof Kind];
  const Source: {
    readonly Camera: 'camera';
    readonly Microphone: 'microphone';
    readonly ScreenShare: 'screen_share';
    readonly ScreenShareAudio: 'screen_share_audio';
    readonly Unknown: 'unknown';
  };
  type Source = (typeof Source)[keyof typeof Source];
}

/** A track of this machine. Muting a camera ends its capture; a microphone stays open, and is silent. */
export class LocalTrack extends Track {
  readonly isLocal: true;
  readonly sender: RTCRtpSender | null;
  readonly deviceId?: string;
  mute(): Promise<this>;
  unmute(): Promise<this>;
  /** Captures again, with other constraints. */
  restartTrack(options?: AudioCaptureOptions | VideoCaptureOptions): Promise<this>;
  /** Sends another track of the browser instead, without a negotiation. */
  replaceTrack(track: MediaStreamTrack): Promise<this>;
  setDeviceId(deviceId: string): Promise<boolean>;
}
export class LocalAudioTrack extends LocalTrack {}
export class LocalVideoTrack extends LocalTrack {}

/** A track of another. */
export class RemoteTrack extends Track {
  readonly isLocal: false;
  readonly receiver: RTCRtpReceiver | null;
  getRTCStatsReport(): Promise<RTCStatsReport | undefined>;
}
export class RemoteAudioTrack extends RemoteTrack {
  setVolume(volume: number): void;
  getVolume(): number;
  setSinkId(deviceId: string): Promise<void>;
}
export class RemoteVideoTrack extends RemoteTrack {}

export function createLocalTracks(
  options?: {audio?: boolean | AudioCaptureOptions; video?: boolean | VideoCaptureOptions}): Promise<LocalTrack[]>;
export function createLocalAudioTrack(options?: AudioCaptureOptions): Promise<LocalAudioTrack>;
export function createLocalVideoTrack(options?: VideoCaptureOptions): Promise<LocalVideoTrack>;
export function createLocalScreenTracks(options?: ScreenShareCaptureOptions): Promise<LocalTrack[]>;

// ---- publications ----

/** What a participant publishes, whether it is subscribed to or not. */
export abstract class TrackPublication {
  readonly trackSid: string;
  readonly kind: Track.Kind;
  readonly source: Track.Source;
  readonly trackName: string;
  readonly isMuted: boolean;
  /** A moderator has muted it: only a moderator can unmute it. */
  readonly isModerated: boolean;
  readonly isSubscribed: boolean;
  readonly isLocal: boolean;
  readonly track?: Track;
  readonly audioTrack?: Track;
  readonly videoTrack?: Track;
}
export class LocalTrackPublication extends TrackPublication {
  readonly track: LocalTrack;
  mute(): Promise<void>;
  unmute(): Promise<void>;
  setMuted(muted: boolean): Promise<void>;
}
export class RemoteTrackPublication extends TrackPublication {
  readonly track?: RemoteTrack;
  readonly audioTrack?: RemoteAudioTrack;
  readonly videoTrack?: RemoteVideoTrack;
  readonly simulcasted: boolean;
  readonly isDesired: boolean;
  readonly isEnabled: boolean;
  readonly videoQuality: VideoQuality;
  setSubscribed(wanted: boolean): void;
  /** false: nothing is sent of it until it is enabled again; no negotiation. */
  setEnabled(enabled: boolean): void;
  setVideoQuality(quality: VideoQuality): void;
  setVideoDimensions(size: {width: number; height: number}): void;
}

// ---- participants ----

export interface ChatMessage {
  id: string;
  timestamp: number;
  message: string;
}
export interface ReceivedChatMessage extends ChatMessage {
  identity: string;
  name: string;
  whisper?: boolean;
  /** to whom, of whispers of one's own */
  to?: string[];
  /** from the history */
  old?: boolean;
}

export interface ParticipantEvents {
  trackPublished: (publication: RemoteTrackPublication) => void;
  trackUnpublished: (publication: RemoteTrackPublication) => void;
  trackSubscribed: (track: RemoteTrack, publication: RemoteTrackPublication) => void;
  trackUnsubscribed: (track: RemoteTrack, publication: RemoteTrackPublication) => void;
  trackMuted: (publication: TrackPublication) => void;
  trackUnmuted: (publication: TrackPublication) => void;
  trackModerated: (publication: LocalTrackPublication, muted: boolean) => void;
  localTrackPublished: (publication: LocalTrackPublication) => void;
  localTrackUnpublished: (publication: LocalTrackPublication) => void;
  connectionQualityChanged: (quality: ConnectionQuality) => void;
  dataReceived: (payload: Uint8Array, kind: DataPacket_Kind) => void;
  chatMessage: (message: ChatMessage) => void;
  mediaDevicesError: (error: Error, kind?: MediaDeviceKind) => void;
  participantNameChanged: (name: string) => void;
  participantMetadataChanged: (before: string | undefined) => void;
  isSpeakingChanged: (speaking: boolean) => void;
  attributesChanged: (changed: Record<string, string>) => void;
}

export class Participant extends Emitter<ParticipantEvents> {
  readonly identity: string;
  readonly sid: string;
  readonly name?: string;
  readonly metadata?: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly audioLevel: number;
  readonly isSpeaking: boolean;
  readonly lastSpokeAt?: Date;
  readonly joinedAt: Date;
  readonly connectionQuality: ConnectionQuality;
  readonly isLocal: boolean;
  readonly isCameraEnabled: boolean;
  readonly isMicrophoneEnabled: boolean;
  readonly isScreenShareEnabled: boolean;
  readonly trackPublications: Map<string, TrackPublication>;
  readonly audioTrackPublications: Map<string, TrackPublication>;
  readonly videoTrackPublications: Map<string, TrackPublication>;
  getTrackPublications(): TrackPublication[];
  getTrackPublication(source: Track.Source): TrackPublication | undefined;
  getTrackPublicationByName(name: string): TrackPublication | undefined;
}

export class RemoteParticipant extends Participant {
  readonly isLocal: false;
  readonly trackPublications: Map<string, RemoteTrackPublication>;
  readonly audioTrackPublications: Map<string, RemoteTrackPublication>;
  readonly videoTrackPublications: Map<string, RemoteTrackPublication>;
  /** They can be written to: they are in the text room too. */
  readonly isActive: boolean;
  getTrackPublications(): RemoteTrackPublication[];
  getTrackPublication(source: Track.Source): RemoteTrackPublication | undefined;
  getTrackPublicationByName(name: string): RemoteTrackPublication | undefined;
  /** How loud they are here: 0 to 1. */
  setVolume(volume: number): void;
  getVolume(): number;
}

export interface DataPublishOptions {
  topic?: string;
  destinationIdentities?: string[];
  reliable?: boolean;
}

export class LocalParticipant extends Participant {
  readonly isLocal: true;
  readonly trackPublications: Map<string, LocalTrackPublication>;
  readonly audioTrackPublications: Map<string, LocalTrackPublication>;
  readonly videoTrackPublications: Map<string, LocalTrackPublication>;
  readonly lastCameraError?: Error;
  readonly lastMicrophoneError?: Error;
  getTrackPublications(): LocalTrackPublication[];
  getTrackPublication(source: Track.Source): LocalTrackPublication | undefined;
  getTrackPublicationByName(name: string): LocalTrackPublication | undefined;
  setCameraEnabled(enabled: boolean, options?: VideoCaptureOptions, publish?: TrackPublishOptions): Promise<LocalTrackPublication | undefined>;
  setMicrophoneEnabled(
    enabled: boolean, options?: AudioCaptureOptions, publish?: TrackPublishOptions): Promise<LocalTrackPublication | undefined>;
  setScreenShareEnabled(
    enabled: boolean, options?: ScreenShareCaptureOptions, publish?: TrackPublishOptions): Promise<LocalTrackPublication | undefined>;
  /** Both, with one question of the browser. */
  enableCameraAndMicrophone(): Promise<void>;
  publishTrack(track: LocalTrack | MediaStreamTrack, options?: TrackPublishOptions): Promise<LocalTrackPublication>;
  unpublishTrack(track: LocalTrack | MediaStreamTrack, stop?: boolean): Promise<LocalTrackPublication | undefined>;
  unpublishTracks(tracks: Array<LocalTrack | MediaStreamTrack>): Promise<Array<LocalTrackPublication | undefined>>;
  /** Sends bytes to all or to some. Not kept for those who come later. */
  publishData(data: Uint8Array, options?: DataPublishOptions): Promise<void>;
  /** Writes to all, or to some; what is to all is kept for those who come later. */
  sendChatMessage(message: string, options?: {destinationIdentities?: string[]}): Promise<ChatMessage>;
  /** Sends a text under a topic, received by Room.registerTextStreamHandler. */
  sendText(
    text: string, options?: {topic?: string; destinationIdentities?: string[]}): Promise<{topic: string; timestamp: number; size: number}>;
  setName(name: string): Promise<void>;
  setMetadata(metadata: string): Promise<void>;
  /** Texts by name that all see; '' takes one away. */
  setAttributes(attributes: Record<string, string>): Promise<void>;
}

// ---- the room ----

export interface RoomOptions {
  /** asks for no more than the elements show */
  adaptiveStream?: boolean | {pixelDensity?: number | 'screen'};
  /** taken for the sake of programs that set it; the gateway decides by itself which layers are sent on */
  dynacast?: boolean;
  audioCaptureDefaults?: AudioCaptureOptions;
  videoCaptureDefaults?: VideoCaptureOptions;
  publishDefaults?: TrackPublishOptions;
  rtcConfig?: RTCConfiguration;
  /** settings of a room that is not there yet (of the video room's "create"), or false not to make it */
  create?: Json | false;
  createText?: Json;
  /** false: no chat and no data */
  text?: boolean;
  /** more for joining the text room: presence, state */
  textOptions?: Partial<TextRoomOptions>;
  /** chat and data over a data channel rather than with the signalling */
  dataChannel?: boolean;
}

/** What to join. */
export interface RoomTarget {
  /** a number of the Janus API, or any name */
  room: string | number;
  name?: string;
  /** the same person again after a reload; random if left out */
  identity?: string;
  pin?: string;
  /** moderates with it; the secret of a room that is made */
  secret?: string;
  token?: string;
  apisecret?: string;
  metadata?: string;
  attributes?: Record<string, string>;
}
export function targetOf(given: string | number | RoomTarget): RoomTarget;
/** The video room's number of a name. */
export function roomId(name: string | number): number;

export interface RoomEvents {
  connected: () => void;
  reconnecting: () => void;
  reconnected: () => void;
  disconnected: (reason: DisconnectReason) => void;
  connectionStateChanged: (state: ConnectionState) => void;
  participantConnected: (participant: RemoteParticipant) => void;
  participantDisconnected: (participant: RemoteParticipant) => void;
  participantActive: (participant: RemoteParticipant) => void;
  participantNameChanged: (name: string, participant: Participant) => void;
  participantMetadataChanged: (before: string | undefined, participant: Participant) => void;
  participantAttributesChanged: (changed: Record<string, string>, participant: Participant) => void;
  trackPublished: (publication: RemoteTrackPublication, participant: RemoteParticipant) => void;
  trackUnpublished: (publication: RemoteTrackPublication, participant: RemoteParticipant) => void;
  trackSubscribed: (track: RemoteTrack, publication: RemoteTrackPublication, participant: RemoteParticipant) => void;
  trackUnsubscribed: (track: RemoteTrack, publication: RemoteTrackPublication, participant: RemoteParticipant) => void;
  trackSubscriptionFailed: (trackSid: string, participant: RemoteParticipant, reason: Error) => void;
  trackMuted: (publication: TrackPublication, participant: Participant) => void;
  trackUnmuted: (publication: TrackPublication, participant: Participant) => void;
  trackModerated: (publication: LocalTrackPublication, muted: boolean, participant: LocalParticipant) => void;
  localTrackPublished: (publication: LocalTrackPublication, participant: LocalParticipant) => void;
  localTrackUnpublished: (publication: LocalTrackPublication, participant: LocalParticipant) => void;
  activeSpeakersChanged: (speakers: Participant[]) => void;
  connectionQualityChanged: (quality: ConnectionQuality, participant: Participant) => void;
  dataReceived: (payload: Uint8Array, participant?: RemoteParticipant, kind?: DataPacket_Kind, topic?: string) => void;
  chatMessage: (message: ReceivedChatMessage, participant?: Participant) => void;
  roomNotice: (text: string) => void;
  presenceChanged: (states: Record<string, any>) => void;
  mediaDevicesChanged: () => void;
  mediaDevicesError: (error: Error, kind?: MediaDeviceKind) => void;
  activeDeviceChanged: (kind: MediaDeviceKind, deviceId: string) => void;
  audioPlaybackChanged: (playing: boolean) => void;
}

/** A room: people, what they publish and what they write. */
export class Room extends Emitter<RoomEvents> {
  constructor(options?: RoomOptions);
  /** Cameras, microphones and loudspeakers, with their names once the person has allowed it. */
  static getLocalDevices(kind?: MediaDeviceKind, requestPermissions?: boolean): Promise<MediaDeviceInfo[]>;
  readonly state: ConnectionState;
  readonly name: string;
  readonly metadata: string;
  /** The room's number in the Janus API. */
  readonly sid?: number;
  readonly localParticipant: LocalParticipant;
  readonly remoteParticipants: Map<string, RemoteParticipant>;
  readonly participants: Map<string, RemoteParticipant>;
  readonly activeSpeakers: Participant[];
  readonly numParticipants: number;
  readonly options: RoomOptions;
  /** The room was not there: this client has made it. */
  readonly created: boolean;
  readonly chatError: Error | null;
  readonly textRoom: TextRoom;
  readonly canPlaybackAudio: boolean;
  readonly pin?: string;
  getSid(): Promise<number | undefined>;
  getParticipantByIdentity(identity: string): Participant | undefined;
  /** Warms the way to the gateway up. */
  prepareConnection(url?: string, token?: unknown): Promise<void>;
  /** Enters a room: with a token, the room's name, or a description of what to join. */
  connect(url: string | undefined, token: string | number | RoomTarget, options?: {autoSubscribe?: boolean; rtcConfig?: RTCConfiguration}): Promise<void>;
  /** Leaves; nothing is left behind. */
  disconnect(stopTracks?: boolean): Promise<void>;
  /** Plays what the browser has held back; to be called when a person clicks. */
  startAudio(): Promise<void>;
  switchActiveDevice(kind: MediaDeviceKind, deviceId: string): Promise<boolean>;
  getActiveDevice(kind: MediaDeviceKind): string | undefined;
  getStats(): Promise<{up: Facts; down: Facts}>;
  registerTextStreamHandler(
    topic: string,
    handler: (reader: {info: {topic: string; size: number; timestamp: number}; readAll(): Promise<string>}, from: {identity: string}) => void): void;
  unregisterTextStreamHandler(topic: string): void;
  /** Sends somebody away. This and what follows is for those who know the room's secret, if it has one. */
  removeParticipant(identity: string): Promise<void>;
  mutePublishedTrack(identity: string, trackSid: string, muted: boolean): Promise<void>;
  /** From now on only those who know the pin come in. */
  setPin(pin: string): Promise<void>;
  setSecret(secret: string): void;
  setRecording(record: boolean): Promise<void>;
  /** Ends the room for all. */
  deleteRoom(): Promise<void>;
}
