// Tracks before there is a room: for a page where people look at themselves first.
import {capture, captureBoth, captureScreen} from './devices.js';
import {Track, localTrack} from './track.js';

const {Camera, Microphone, ScreenShare, ScreenShareAudio} = Track.Source;
const optionsOf = wanted => (wanted === true ? {} : wanted);

export async function createLocalAudioTrack(options = {}) { return localTrack(await capture('audio', options), Microphone, options); }
export async function createLocalVideoTrack(options = {}) { return localTrack(await capture('video', options), Camera, options); }

/** Microphone and camera, with one question of the browser: {audio, video}, true or constraints each. */
export async function createLocalTracks({audio = true, video = true} = {}) {
  if (!audio && !video) return [];
  if (!video) return [await createLocalAudioTrack(optionsOf(audio))];
  if (!audio) return [await createLocalVideoTrack(optionsOf(video))];
  const tracks = await captureBoth({audio: optionsOf(audio), video: optionsOf(video)});
  return tracks.map(track => (track.kind === 'audio' ? localTrack(track, Microphone, optionsOf(audio)) : localTrack(track, Camera, optionsOf(video))));
}

/** A screen, with its sound if that is wanted: {audio: true}. */
export async function createLocalScreenTracks(options = {}) {
  const tracks = await captureScreen(options);
  return tracks.map(track => localTrack(track, track.kind === 'video' ? ScreenShare : ScreenShareAudio));
}
