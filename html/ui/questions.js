// Questions to the teacher: chat messages with a mark, so that other clients read them too. Who teaches ticks off what was answered;
// which those are stands in the teacher's attributes, for those who come later.
import {RoomEvent, roomId} from '../cardea.js';
import {el, toast} from './dom.js';
import {explain} from './explain.js';
import {t} from './words.js';

const mark = '❓ ';
const kept = 40;
const shortOf = id => roomId(`question ${id}`).toString(36);

export class Questions {
  #room;
  #mentor;
  #asked = new Map(); // short id -> {name, text}
  #list = el('ul');

  constructor(element, room, mentor) {
    this.#room = room;
    this.#mentor = mentor;
    const text = el('input', {maxLength: 500, required: true, placeholder: t('Ask a question'), 'aria-label': t('Ask a question')});
    const form = el('form', {className: 'write'}, text, el('button', {className: 'main', textContent: t('Ask')}));
    form.onsubmit = event => {
      event.preventDefault();
      room.localParticipant.sendChatMessage(mark + text.value.trim())
        .then(() => (text.value = ''), error => toast(explain(room.chatError ?? error), 'warn'));
    };
    element.append(this.#list, form);
    room.on(RoomEvent.ChatMessage, ({id, name, message}) => {
      if (!message.startsWith(mark)) return;
      this.#asked.set(shortOf(id), {name, text: message.slice(mark.length)});
      this.update();
    });
  }

  update() {
    const mentor = this.#mentor();
    const answered = new Set(mentor?.attributes.answered?.split(' '));
    this.#list.replaceChildren(...[...this.#asked].map(([id, {name, text}]) => {
      const done = answered.has(id);
      const line = el('li', {className: done ? 'done' : '', dataset: {question: id}},
        el('strong', {textContent: name}), el('span', {textContent: text}));
      if (done) line.append(el('span', {className: 'faint', textContent: t('answered')}));
      else if (mentor?.isLocal) {
        const button = el('button', {type: 'button', textContent: t('Answered')});
        button.onclick = () => mentor.setAttributes({answered: [...answered, id].slice(-kept).join(' ')}).then(() => this.update());
        line.append(button);
      }
      return line;
    }));
  }
}
