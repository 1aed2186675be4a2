// A tile: one person's camera, or a screen that they share, with name, meter and state.
import {RoomEvent, Track} from '../cardea.js';
import {el, face, icon} from './dom.js';
import {t} from './words.js';

const initials = name => name.trim().split(/\s+/).slice(0, 2).map(word => [...word][0] ?? '').join('').toUpperCase() || '?';
// One of twelve colours by name, the same on every screen.
const colour = name => [...name].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 12, 7);

export class Tile {
  #audio = null;
  #shownVideo = null;

  /** @param {Participant} person  @param {string} source of what it shows: Track.Source.Camera or ScreenShare */
  constructor(person, source, {onMenu} = {}) {
    this.person = person;
    this.source = source;
    this.isScreen = source === Track.Source.ScreenShare;
    this.key = `${person.identity}/${source}`;
    this.video = el('video', {autoplay: true, playsInline: true, muted: true, hidden: true});
    this.avatar = el('span', {className: 'avatar', 'aria-hidden': 'true'});
    this.name = el('span', {className: 'name'});
    this.facts = el('span', {className: 'facts', hidden: true});
    this.hand = el('span', {className: 'hand', role: 'img', hidden: true, 'aria-label': t('Hand raised')}, '✋');
    this.quiet = el('span', {className: 'quiet', role: 'img', hidden: true, 'aria-label': t('Microphone off')}, icon('mic-off'));
    this.quality = el('span', {className: 'quality', role: 'img', hidden: true});
    this.meter = el('meter', {className: 'level', min: 0, max: 1, value: 0, 'aria-label': t('Loudness')});
    this.element = el('figure', {className: 'tile', tabIndex: -1, dataset: {key: this.key, source}},
      this.avatar, this.video, this.facts,
      el('figcaption', {}, this.quiet, this.name, this.hand, this.quality, this.isScreen ? null : this.meter));
    this.element.classList.toggle('own', person.isLocal);
    this.element.classList.toggle('screen', this.isScreen);
    if (onMenu) {
      const button = el('button', {type: 'button', className: 'round small', dataset: {icon: 'more'}}, icon('more'));
      face(button, 'more', t('More about {name}', {name: person.name ?? person.identity}));
      button.onclick = () => onMenu(this, button);
      this.element.append(button);
      this.menuButton = button;
    }
    this.update();
  }

  /** Shows the person as they are now. */
  update() {
    const {person} = this;
    const name = person.name || person.identity;
    const publication = person.getTrackPublication(this.source);
    const video = publication && !publication.isMuted ? publication.videoTrack : undefined;
    if (video !== this.#shownVideo) {
      this.#shownVideo?.detach(this.video);
      video?.attach(this.video);
      this.#shownVideo = video;
    }
    this.video.hidden = !video;
    this.avatar.hidden = Boolean(video);
    this.avatar.textContent = initials(name);
    this.avatar.dataset.colour = colour(name);
    this.name.textContent = this.isScreen ? t("{name}'s screen", {name}) : name;
    this.element.classList.toggle('ownname', person.isLocal);
    this.#play(person);
    if (this.isScreen) return;
    this.quiet.hidden = person.isMicrophoneEnabled;
    this.hand.hidden = !person.attributes.hand;
    const quality = person.connectionQuality;
    this.quality.hidden = quality !== 'poor' && quality !== 'lost';
    this.quality.className = `quality ${quality}`;
    this.quality.setAttribute('aria-label', quality === 'lost' ? t('Connection lost') : t('Poor connection'));
    this.quality.title = this.quality.getAttribute('aria-label');
  }

  /** The levels, several times a second. */
  listen() {
    if (this.isScreen) return;
    this.element.classList.toggle('talking', this.person.isSpeaking);
    this.meter.value = Math.min(1, Math.sqrt(this.person.audioLevel) * 1.4);
  }

  showFacts(shown) {
    const stats = this.person.getTrackPublication(this.source)?.track?.stats;
    this.facts.hidden = !shown || !stats;
    if (this.facts.hidden) return;
    const {width, height, fps, bitrate, codec, loss, delayMs, rttMs, layer} = stats;
    this.facts.textContent = [
      width && `${width}×${height} ${fps}/s`, `${Math.round(bitrate / 1000)} kbit/s`, codec,
      loss > 0 && t('{n} % lost', {n: (100 * loss).toFixed(1)}),
      delayMs && `${delayMs} ms`, rttMs && `↔ ${rttMs} ms`, layer !== undefined && t('layer {n}', {n: layer}),
    ].filter(Boolean).join(' · ');
  }

  remove() {
    this.#shownVideo?.detach(this.video);
    this.#audio?.track.detach(this.#audio.element);
    this.#audio?.element.remove();
    this.element.remove();
  }

  // Sound has an element of its own: a muted picture stays muted, and the browser may hold the two back separately.
  #play(person) {
    if (person.isLocal) return;
    const source = this.isScreen ? Track.Source.ScreenShareAudio : Track.Source.Microphone;
    const track = person.getTrackPublication(source)?.audioTrack;
    if (track === this.#audio?.track) return;
    this.#audio?.track.detach(this.#audio.element);
    this.#audio?.element.remove();
    this.#audio = null;
    if (!track) return;
    const element = el('audio', {autoplay: true});
    this.element.append(element);
    track.attach(element);
    this.#audio = {track, element};
  }
}

/** What makes a tile look otherwise. */
export const tileEvents = [
  'TrackPublished', 'TrackUnpublished', 'TrackSubscribed', 'TrackUnsubscribed', 'TrackMuted', 'TrackUnmuted', 'LocalTrackPublished',
  'LocalTrackUnpublished', 'ParticipantConnected', 'ParticipantDisconnected', 'ParticipantNameChanged', 'ParticipantAttributesChanged',
  'ConnectionQualityChanged', 'Reconnected',
].map(name => RoomEvent[name]);
