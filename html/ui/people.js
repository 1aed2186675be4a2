// The list of people: who is here, hands in the order in which they were raised, and what may be done about each.
import {el, face, icon} from './dom.js';
import {tileEvents} from './tile.js';
import {t} from './words.js';

export class People {
  #list = el('ul');
  #room;
  #onMenu;

  /** @param {({person}, button: Element) => void} onMenu */
  constructor(element, room, onMenu) {
    this.#room = room;
    this.#onMenu = onMenu;
    element.append(this.#list);
    for (const event of tileEvents) room.on(event, () => this.update());
  }

  update() {
    if (!this.#list.isConnected || this.#list.closest('[hidden]')) return;
    const hand = ({attributes}) => Number(attributes.hand ?? Infinity);
    const people = [this.#room.localParticipant, ...this.#room.remoteParticipants.values()].sort((a, b) => hand(a) - hand(b) || 0);
    this.#list.replaceChildren(...people.map(person => this.#line(person)));
  }

  #line(person) {
    const button = el('button', {type: 'button', className: 'round small', dataset: {icon: 'more'}}, icon('more'));
    face(button, 'more', t('More about {name}', {name: person.name ?? person.identity}));
    button.onclick = () => this.#onMenu({person}, button);
    return el('li', {dataset: {identity: person.identity}},
      el('span', {textContent: `${person.name || person.identity}${person.isLocal ? ` (${t('you')})` : ''}`}),
      person.attributes.hand ? el('span', {role: 'img', 'aria-label': t('Hand raised')}, '✋') : null,
      icon(person.isMicrophoneEnabled ? 'mic' : 'mic-off'), icon(person.isCameraEnabled ? 'cam' : 'cam-off'), button);
  }
}
