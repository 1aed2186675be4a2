// The words of the rooms storey, as the field's client SDKs have them.

/** What a Room (and, without "local", a Participant) tells. */
export const RoomEvent = Object.freeze({
  Connected: 'connected', Reconnecting: 'reconnecting', Reconnected: 'reconnected', Disconnected: 'disconnected',
  ConnectionStateChanged: 'connectionStateChanged',
  ParticipantConnected: 'participantConnected', ParticipantDisconnected: 'participantDisconnected',
  ParticipantActive: 'participantActive',
  ParticipantNameChanged: 'participantNameChanged', ParticipantMetadataChanged: 'participantMetadataChanged',
  ParticipantAttributesChanged: 'participantAttributesChanged',
  TrackPublished: 'trackPublished', TrackUnpublished: 'trackUnpublished',
  TrackSubscribed: 'trackSubscribed', TrackUnsubscribed: 'trackUnsubscribed', TrackSubscriptionFailed: 'trackSubscriptionFailed',
  TrackMuted: 'trackMuted', TrackUnmuted: 'trackUnmuted', TrackModerated: 'trackModerated',
  LocalTrackPublished: 'localTrackPublished', LocalTrackUnpublished: 'localTrackUnpublished',
  ActiveSpeakersChanged: 'activeSpeakersChanged', ConnectionQualityChanged: 'connectionQualityChanged',
  DataReceived: 'dataReceived', ChatMessage: 'chatMessage', RoomNotice: 'roomNotice', PresenceChanged: 'presenceChanged',
  MediaDevicesChanged: 'mediaDevicesChanged', MediaDevicesError: 'mediaDevicesError', ActiveDeviceChanged: 'activeDeviceChanged',
  AudioPlaybackStatusChanged: 'audioPlaybackChanged',
});

export const ParticipantEvent = Object.freeze({
  ...Object.fromEntries(['TrackPublished', 'TrackUnpublished', 'TrackSubscribed', 'TrackUnsubscribed',
    'TrackMuted', 'TrackUnmuted', 'TrackModerated', 'LocalTrackPublished', 'LocalTrackUnpublished',
    'ConnectionQualityChanged', 'DataReceived', 'ChatMessage', 'MediaDevicesError', 'ParticipantNameChanged',
    'ParticipantMetadataChanged'].map(name => [name, RoomEvent[name]])),
  IsSpeakingChanged: 'isSpeakingChanged', AttributesChanged: 'attributesChanged',
});

export const TrackEvent = Object.freeze({
  Muted: 'muted', Unmuted: 'unmuted', Restarted: 'restarted', Ended: 'ended', ElementAttached: 'elementAttached',
  ElementDetached: 'elementDetached', AudioPlaybackFailed: 'audioPlaybackFailed', StatsUpdated: 'statsUpdated',
});

export const ConnectionState = Object.freeze({
  Disconnected: 'disconnected', Connecting: 'connecting', Connected: 'connected', Reconnecting: 'reconnecting',
});

export const ConnectionQuality = Object.freeze({
  Excellent: 'excellent', Good: 'good', Poor: 'poor', Lost: 'lost', Unknown: 'unknown',
});

const reasons = ['UNKNOWN_REASON', 'CLIENT_INITIATED', 'DUPLICATE_IDENTITY', 'SERVER_SHUTDOWN', 'PARTICIPANT_REMOVED', 'ROOM_DELETED',
  'STATE_MISMATCH', 'JOIN_FAILURE', 'MIGRATION', 'SIGNAL_CLOSE'];
/** Why a room ended: numbers by name and names by number. */
export const DisconnectReason = Object.freeze(Object.fromEntries(reasons.flatMap((name, n) => [[name, n], [n, name]])));

export const DataPacket_Kind = Object.freeze({RELIABLE: 0, LOSSY: 1});

export const VideoQuality = Object.freeze({LOW: 0, MEDIUM: 1, HIGH: 2, OFF: 3});

const preset = (width, height, maxBitrate, maxFramerate = 30) => Object.freeze({
  width, height, encoding: {maxBitrate, maxFramerate}, resolution: {width, height, frameRate: maxFramerate},
});
/** Usual sizes of a picture, with the bitrate they take. */
export const VideoPresets = Object.freeze({
  h90: preset(160, 90, 90_000, 20), h180: preset(320, 180, 160_000, 20), h216: preset(384, 216, 180_000, 20),
  h360: preset(640, 360, 450_000, 20), h540: preset(960, 540, 800_000, 25), h720: preset(1280, 720, 1_700_000),
  h1080: preset(1920, 1080, 3_000_000), h1440: preset(2560, 1440, 5_000_000), h2160: preset(3840, 2160, 8_000_000),
});
export const ScreenSharePresets = Object.freeze({
  h720fps5: preset(1280, 720, 800_000, 5), h720fps15: preset(1280, 720, 1_500_000, 15),
  h1080fps15: preset(1920, 1080, 2_500_000, 15), h1080fps30: preset(1920, 1080, 5_000_000),
});

/** Why there is no camera or microphone. */
export const MediaDeviceFailure = Object.freeze({
  PermissionDenied: 'PermissionDenied', NotFound: 'NotFound', DeviceInUse: 'DeviceInUse', Insecure: 'Insecure', Other: 'Other',
  getFailure(error) {
    switch (error?.name) {
      case 'NotAllowedError':
      case 'PermissionDeniedError': return 'PermissionDenied';
      case 'NotFoundError':
      case 'DevicesNotFoundError':
      case 'OverconstrainedError': return 'NotFound';
      case 'NotReadableError':
      case 'AbortError':
      case 'TrackStartError': return 'DeviceInUse';
      case 'InsecureError': return 'Insecure';
    }
    return error && 'Other';
  },
});
