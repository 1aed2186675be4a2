// The client library of the gateway: this one module is all that a page imports. Two storeys:
//
//   wire:   Session, Handle: the Janus API with promises.
//     const session = await Session.open('ws://localhost:8188');
//     const handle = await session.attach('cardea.plugin.videoroom');
//     const {data} = await handle.request({request: 'join', room: 1234, ptype: 'publisher'});
//     await handle.offer({request: 'publish'}, {tracks: stream.getTracks()});
//     handle.on('event', ({data, jsep}) => ...);
//
//   rooms:  Room and what is in it, in the shape of the field's client SDKs.
//     const room = new Room({adaptiveStream: true});
//     room.on(RoomEvent.TrackSubscribed, track => document.body.append(track.attach()));
//     await room.connect('ws://localhost:8188', {room: 'tea', name: 'Ann'});
//     await room.localParticipant.enableCameraAndMicrophone();
export * from './lib/constants.js';
export {Emitter} from './lib/emitter.js';
export {CardeaError} from './lib/error.js';
export {Handle} from './lib/handle.js';
export {LocalParticipant} from './lib/local_participant.js';
export {Participant, RemoteParticipant} from './lib/participant.js';
export {LocalTrackPublication, RemoteTrackPublication, TrackPublication} from './lib/publication.js';
export {Room} from './lib/room.js';
export {defaultUrl, Session} from './lib/session.js';
export {Digest} from './lib/stats.js';
export {roomId, targetOf} from './lib/target.js';
export {TextRoom} from './lib/text_room.js';
export {
  LocalAudioTrack, LocalTrack, LocalVideoTrack, RemoteAudioTrack, RemoteTrack, RemoteVideoTrack, Track,
} from './lib/track.js';
export {createLocalAudioTrack, createLocalScreenTracks, createLocalTracks, createLocalVideoTrack} from './lib/create_tracks.js';
