// The chat of a room: what was written before, to all or to one, with a count of what was not seen.
import {RoomEvent} from '../cardea.js';
import {el, toast} from './dom.js';
import {explain} from './explain.js';
import {t} from './words.js';

const maxLines = 500;

export class Chat {
  #room;
  #unread = 0;
  #last = null; // {identity, at} of the line before, to leave out its name
  onunread = () => {};

  /** @param {Element} element is filled: a log, and a form below it */
  constructor(element, room) {
    this.#room = room;
    this.element = element;
    this.log = el('div', {className: 'log', role: 'log', tabIndex: 0, 'aria-label': t('Messages')});
    this.to = el('select', {'aria-label': t('To whom')}, el('option', {value: '', textContent: t('To all')}));
    this.text = el('textarea', {rows: 1, maxLength: 4000, placeholder: t('Write a message'), 'aria-label': t('Write a message')});
    this.form = el('form', {className: 'write'}, this.to, this.text, el('button', {className: 'main', textContent: t('Send')}));
    this.text.id = 'text';
    element.append(this.log, this.form);
    this.form.onsubmit = event => {
      event.preventDefault();
      this.#send();
    };
    this.text.onkeydown = event => {
      event.stopPropagation(); // no shortcut while one writes
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    };
    room.on(RoomEvent.ChatMessage, message => this.#show(message))
      .on(RoomEvent.RoomNotice, text => this.note(text))
      .on(RoomEvent.ParticipantConnected, ({name}) => this.note(t('{name} is here', {name})))
      .on(RoomEvent.ParticipantDisconnected, ({name}) => this.note(t('{name} has left', {name})));
    for (const event of ['Connected', 'Reconnected', 'ParticipantActive', 'ParticipantDisconnected', 'ParticipantNameChanged'])
      room.on(RoomEvent[event], () => this.#people());
  }

  get visible() { return this.log.getClientRects().length > 0; }

  /** A message to one of them. */
  whisper(identity) {
    this.to.value = identity;
    this.text.focus();
  }

  note(text) {
    this.#last = null;
    this.#add(el('p', {className: 'notice', textContent: text}));
  }

  /** What waits is seen. */
  seen() {
    this.#unread = 0;
    this.onunread(0);
    this.log.scrollTop = this.log.scrollHeight;
  }

  #people() {
    const {value} = this.to;
    const others = [...this.#room.remoteParticipants.values()].filter(({isActive}) => isActive);
    this.to.replaceChildren(el('option', {value: '', textContent: t('To all')}),
      ...others.map(({identity, name}) => el('option', {value: identity, textContent: t('Only {name}', {name})})));
    this.to.value = others.some(({identity}) => identity === value) ? value : '';
  }

  // What was typed stays until it has arrived.
  async #send() {
    const message = this.text.value.trim();
    if (!message || this.sending) return;
    this.sending = true;
    try {
      await this.#room.localParticipant.sendChatMessage(message, this.to.value ? {destinationIdentities: [this.to.value]} : {});
      if (this.text.value.trim() === message) this.text.value = '';
    } catch (error) {
      toast(explain(this.#room.chatError ?? error), 'warn');
    } finally {
      this.sending = false;
    }
  }

  #show({identity, name, message, timestamp, whisper, to, old}) {
    const own = identity === this.#room.localParticipant.identity;
    const time = new Date(timestamp);
    const line = el('p', {className: whisper ? 'whisper' : ''});
    line.classList.toggle('own', own);
    const goesOn = !whisper && this.#last?.identity === identity && timestamp - this.#last.at < 120_000;
    if (!goesOn) {
      const names = to?.map(one => this.#room.getParticipantByIdentity(one)?.name ?? one).join(', ');
      const who = whisper ? (names ? t('{name} whispers to {names}', {name, names}) : t('{name} whispers', {name})) : name;
      line.append(el('span', {className: 'who'}, el('strong', {textContent: who}),
        el('time', {dateTime: time.toISOString(), textContent: time.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'})})));
    }
    line.append(el('span', {className: 'said'}, ...withLinks(message)));
    this.#last = whisper ? null : {identity, at: timestamp};
    this.#add(line);
    if (!own && !old && !this.visible) this.onunread(++this.#unread, `${name}: ${message}`);
  }

  #add(line) {
    const {log} = this;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    log.append(line);
    if (log.children.length > maxLines) log.firstChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
}

/** The text with its addresses made links. */
function withLinks(text) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, n) =>
    (n % 2 ? el('a', {href: part, target: '_blank', rel: 'noopener noreferrer', textContent: part}) : part));
}
