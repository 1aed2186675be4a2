// What the types must allow, and (where it says so) refuse.
import {
  CardeaError, ConnectionQuality, createLocalTracks, DisconnectReason, MediaDeviceFailure, RemoteAudioTrack, Room, RoomEvent, Session,
  TextRoom, Track, TrackEvent, VideoQuality,
} from './cardea.js';

async function wire(): Promise<number> {
  const session = await Session.open('ws://localhost:8188', {reconnectForMs: 1000});
  session.on('closed', reason => console.log(reason.toUpperCase()));
  const handle = await session.attach('cardea.plugin.echotest');
  handle.on('event', ({data, jsep}) => console.log(data.result, jsep?.sdp));
  handle.on('track', ({track}) => console.log(track.kind));
  const {data} = await handle.offer(pc => ({audio: pc.getTransceivers().length > 0}), {receive: ['audio']});
  // @ts-expect-error no such kind
  await handle.offer({}, {receive: ['smell']});
  // @ts-expect-error no such event
  handle.on('evnt', () => {});
  const text = new TextRoom();
  text.on('message', ({from, date}) => console.log(from, date.getTime()));
  await text.join(session, {room: 1, username: 'al', presence: true});
  await session.destroy();
  return data.bitrate;
}

async function rooms() {
  const room = new Room({create: {publishers: 10}, publishDefaults: {simulcast: false}});
  room.on(RoomEvent.Disconnected, reason => console.log(DisconnectReason[reason]))
    .on(RoomEvent.DataReceived, (payload, participant, kind, topic) => console.log(payload.length, participant?.name, topic))
    .on(RoomEvent.ConnectionQualityChanged, (quality, participant) => quality === ConnectionQuality.Lost && participant.name)
    .on(RoomEvent.ChatMessage, ({name, message, whisper}) => console.log(name, message, whisper));
  try {
    await room.connect('wss://localhost/', {room: 'tea', name: 'Ann', pin: '1'});
  } catch (error) {
    if (error instanceof CardeaError) console.log(error.code);
  }
  for (const track of await createLocalTracks({audio: true, video: {resolution: {width: 640, height: 360}}})) {
    track.on(TrackEvent.Ended, one => console.log(one.source));
    const publication = await room.localParticipant.publishTrack(track, {source: Track.Source.Camera, name: 'mytrack', simulcast: true});
    await publication.setMuted(true);
  }
  const camera = room.remoteParticipants.get('bob')?.getTrackPublication(Track.Source.Camera);
  camera?.setVideoQuality(VideoQuality.LOW);
  const element: HTMLVideoElement = camera?.videoTrack?.attach(document.createElement('video')) ?? document.createElement('video');
  const voice = room.remoteParticipants.get('bob')?.getTrackPublication(Track.Source.Microphone)?.audioTrack;
  if (voice instanceof RemoteAudioTrack) voice.setVolume(0.5);
  // @ts-expect-error a name, not a number
  await room.localParticipant.setName(1);
  const devices = await Room.getLocalDevices('audioinput');
  await room.switchActiveDevice('audioinput', devices[devices.length - 1].deviceId);
  console.log(element, MediaDeviceFailure.getFailure(new Error()));
}

await wire();
await rooms();
