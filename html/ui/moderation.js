// What those who have the room's secret (or are in a room without one) may do about somebody.
import {Track} from '../cardea.js';
import {ask, toast} from './dom.js';
import {explain} from './explain.js';
import {t} from './words.js';

const told = work => work.catch(error => toast(explain(error), 'warn', 8000));

/** Entries for the menu about a person. */
export function moderationMenu(room, person) {
  if (person.isLocal) return [];
  const {name, identity} = person;
  const entryFor = (source, off, on, icon) => {
    const publication = person.getTrackPublication(source);
    if (!publication || (publication.isMuted && !publication.isModerated)) return null;
    const {isModerated, trackSid} = publication;
    return [isModerated ? on : off, isModerated ? icon : `${icon}-off`, () => told(room.mutePublishedTrack(identity, trackSid, !isModerated))];
  };
  return [
    entryFor(Track.Source.Microphone, t('Mute for all'), t('Let speak again'), 'mic'),
    entryFor(Track.Source.Camera, t('Stop the camera for all'), t('Let the camera be seen'), 'cam'),
    [t('Send out'), 'door', async () => {
      if (await ask(t('Send {name} out of the room?', {name}), [], t('Send out'))) told(room.removeParticipant(identity));
    }],
  ];
}
