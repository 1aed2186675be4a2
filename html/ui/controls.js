// The buttons of a call: microphone, camera, screen, hand, leaving. Those that a page does not have are left out.
import {RoomEvent, Track} from '../cardea.js';
import {$, face, toast} from './dom.js';
import {explain} from './explain.js';
import {t} from './words.js';

const told = ['LocalTrackPublished', 'LocalTrackUnpublished', 'TrackMuted', 'TrackUnmuted', 'ParticipantAttributesChanged', 'Connected',
  'Reconnected'].map(name => RoomEvent[name]);

export class Controls {
  #room = null;
  #actions = {
    mic: own => own.setMicrophoneEnabled(!own.isMicrophoneEnabled),
    cam: own => own.setCameraEnabled(!own.isCameraEnabled),
    screen: own => own.setScreenShareEnabled(!own.getTrackPublication(Track.Source.ScreenShare), {audio: true}),
    hand: own => own.setAttributes({hand: own.attributes.hand ? '' : String(Date.now())}),
    leave: () => this.#room.disconnect(),
  };

  constructor() {
    for (const name of Object.keys(this.#actions)) {
      const button = $(`#${name}`);
      if (button) button.onclick = () => this.run(name);
    }
  }

  follow(room) {
    this.#room = room;
    for (const event of told) room.on(event, () => this.refresh());
    this.refresh();
  }

  async run(name) {
    const button = $(`#${name}`);
    try {
      button?.classList.add('waiting');
      await this.#actions[name](this.#room.localParticipant);
    } catch (error) {
      const refused = name === 'screen' && error.name === 'NotAllowedError'; // the choice of a screen was cancelled
      if (!refused) toast(explain(error), 'warn', 8000);
    }
    button?.classList.remove('waiting');
    this.refresh();
  }

  /** The buttons as things are. */
  refresh() {
    const own = this.#room.localParticipant;
    const {isMicrophoneEnabled: mic, isCameraEnabled: cam, isScreenShareEnabled: screen, attributes: {hand}} = own;
    const faces = {
      mic: [mic ? 'mic' : 'mic-off', `${mic ? t('Microphone on') : t('Microphone off')} (M)`, !mic],
      cam: [cam ? 'cam' : 'cam-off', `${cam ? t('Camera on') : t('Camera off')} (V)`, !cam],
      screen: ['screen', `${screen ? t('Stop sharing') : t('Share your screen')} (S)`, screen],
      hand: ['hand', `${hand ? t('Lower your hand') : t('Raise your hand')} (H)`, Boolean(hand)],
      leave: ['leave', t('Leave')],
    };
    for (const [name, given] of Object.entries(faces)) if ($(`#${name}`)) face($(`#${name}`), ...given);
    if ($('#screen') && !navigator.mediaDevices?.getDisplayMedia) $('#screen').hidden = true;
  }
}

/** What every call tells in passing: trouble with devices, moderation, a connection that is lost and comes back. */
export function tellOf(room) {
  room.on(RoomEvent.ConnectionStateChanged, state => {
    const away = state === 'reconnecting';
    $('#state').textContent = away ? t('Connection lost: coming back…') : '';
    document.body.classList.toggle('reconnecting', away);
  }).on(RoomEvent.Reconnected, () => toast(t('Connected again')))
    .on(RoomEvent.ActiveDeviceChanged, kind => kind !== 'audiooutput' &&
      toast(kind === 'audioinput' ? t('Now using another microphone') : t('Now using another camera')))
    .on(RoomEvent.MediaDevicesError, error => toast(explain(error), 'warn', 8000))
    .on(RoomEvent.TrackModerated, (publication, muted) => toast(muted
      ? t('The host has muted you. Raise your hand to ask for the word.') : t('You may be heard again'), 'note', 8000))
    .on(RoomEvent.ParticipantAttributesChanged, ({hand}, person) => hand && !person.isLocal &&
      toast(t('{name} raises a hand', {name: person.name})))
    .on(RoomEvent.AudioPlaybackStatusChanged, () => { if ($('#unblock')) $('#unblock').hidden = room.canPlaybackAudio; });
  if ($('#unblock')) $('#unblock').onclick = () => room.startAudio();
}

/** Runs an action at its key, unless somebody writes. `keys`: [key, action name, words]. */
export function shortcuts(keys, run) {
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog, [role=menu]')) return;
    const [, name] = keys.find(([key]) => key === event.key.toLowerCase()) ?? [];
    if (!name) return;
    event.preventDefault();
    run(name);
  });
}
