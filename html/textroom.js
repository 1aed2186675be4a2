// The text room page: chat over a data channel, or with API messages alone where no peer connection comes up. Parameters: room, name,
// auto=1 joins at once, api=1 makes no peer connection.
import {CardeaError, Session} from './cardea.js';
import {$, fail, parameters, say} from './ui.js';

const channelTimeoutMs = 5000;

let session, handle, room, own;
const people = new Map(); // username -> what it is called

/** Asks over the data channel: answers are found by their transaction, the rest are events. */
class ChannelLink {
  #channel;
  #waiting = new Map();
  #last = 0;

  constructor(channel, onEvent) {
    this.#channel = channel;
    channel.onmessage = ({data}) => {
      const message = JSON.parse(data);
      const waiting = this.#waiting.get(message.transaction);
      if (!waiting) return onEvent(message);
      this.#waiting.delete(message.transaction);
      if (message.textroom === 'error') waiting.reject(new CardeaError(message.error_code, message.error));
      else waiting.resolve(message);
    };
  }

  ask(verb, body) {
    return new Promise((resolve, reject) => {
      const transaction = String(++this.#last);
      this.#waiting.set(transaction, {resolve, reject});
      this.#channel.send(JSON.stringify({textroom: verb, transaction, ...body}));
    });
  }

  close(reason) {
    for (const {reject} of this.#waiting.values()) reject(new CardeaError(0, reason));
    this.#waiting.clear();
  }
}

/** The same over the session. */
class ApiLink {
  #end;
  constructor(onEvent) { this.#end = handle.on('event', ({data}) => onEvent(data)); }
  async ask(verb, body) { return (await handle.request({request: verb, ...body})).data; }
  close() { this.#end(); }
}

let link;

/** A data channel that is open, or nothing if it does not come up. */
async function openChannel() {
  try {
    const {jsep} = await handle.request({request: 'setup'});
    await handle.answer(jsep, {request: 'ack'}, {data: true});
    const {channel} = handle;
    if (channel.readyState === 'open') return channel;
    return await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('the data channel did not open')), channelTimeoutMs);
      handle.on('hangup', reason => reject(new Error(reason)));
      channel.onopen = () => resolve(channel);
    });
  } catch (error) {
    console.warn('chatting without a peer connection:', error.message);
    await handle.hangup().catch(() => {});
    return null;
  }
}

async function join() {
  room = Number($('#room').value);
  own = $('#name').value;
  const pin = $('#pin').value || undefined;
  session = await Session.open();
  session.on('reconnecting', () => say('reconnecting…'));
  session.on('reconnected', () => say('connected again'));
  session.on('closed', reason => { say(reason); left(); });
  handle = await session.attach('cardea.plugin.textroom');
  const channel = parameters.get('api') === '1' ? null : await openChannel();
  link = channel ? new ChannelLink(channel, onEvent) : new ApiLink(onEvent);
  if (channel) handle.on('hangup', reason => { say(`connection lost: ${reason}`); session.destroy(); });

  const {participants} = await link.ask('join', {room, username: own, display: own, pin});
  for (const person of participants) add(person);
  $('#join').hidden = true;
  $('#inside').hidden = false;
  $('#text').focus();
  say(channel ? 'connected by data channel' : 'connected by WebSocket alone');
}

function onEvent(event) {
  if (event.room !== room) return;
  switch (event.textroom) {
    case 'message': return show(event);
    case 'announcement': return show({...event, notice: true});
    case 'join':
      add(event);
      return show({notice: true, text: `${nameOf(event.username)} is here`});
    case 'leave':
    case 'kicked':
      show({notice: true, text: `${nameOf(event.username)} ${event.textroom === 'kicked' ? 'was sent away' : 'has left'}`});
      remove(event.username);
      if (event.username === own) session.destroy();
      return;
    case 'destroyed':
      say('the room was closed');
      return session.destroy();
  }
}

function nameOf(username) { return people.get(username) ?? username; }

function add({username, display}) {
  remove(username);
  people.set(username, display ?? username);
  const button = Object.assign(document.createElement('button'), {type: 'button', textContent: display ?? username});
  button.onclick = () => { $('#to').value = username === own ? '' : username; $('#text').focus(); };
  const item = document.createElement('li');
  item.dataset.username = username;
  item.append(button);
  $('#people').append(item);
  if (username !== own) $('#to').add(new Option(display ?? username, username));
}

function remove(username) {
  people.delete(username);
  for (const item of [...$('#people').children]) if (item.dataset.username === username) item.remove();
  for (const option of [...$('#to').options]) if (option.value === username) option.remove();
}

/** A line: who, when, what. `display` comes with history, of people who may be gone. */
function show({from, display, date, text, whisper, to, notice}) {
  const line = document.createElement('p');
  const time = document.createElement('time');
  // "+0100": without a colon not every browser reads it
  const at = date ? new Date(date.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) : new Date();
  time.textContent = at.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'});
  line.append(time);
  if (whisper) line.className = 'whisper';
  if (notice) line.className = 'notice';
  if (from) {
    const who = document.createElement('strong');
    who.textContent = `${display ?? nameOf(from)}${whisper ? ` whispers${to ? ` to ${nameOf(to)}` : ''}` : ''}: `;
    line.append(who);
  }
  line.append(text);
  const log = $('#messages');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(line);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function send() {
  const text = $('#text').value.trim();
  const to = $('#to').value;
  if (!text) return;
  $('#text').value = '';
  const {sent} = await link.ask('message', {room, text, ...(to && {to})});
  if (!to) return; // it comes back as everybody's
  if (sent[to]) show({from: own, text, whisper: true, to});
  else show({notice: true, text: `${nameOf(to)} is not here`});
}

function left() {
  link?.close('left');
  link = undefined;
  for (const username of [...people.keys()]) remove(username);
  $('#inside').hidden = true;
  $('#join').hidden = false;
}

$('#join').onsubmit = event => {
  event.preventDefault();
  $('#error').hidden = true;
  join().catch(error => {
    fail(error);
    session?.destroy();
  });
};
$('#write').onsubmit = event => {
  event.preventDefault();
  send().catch(fail);
};
$('#leave').onclick = () => session.destroy();

if (parameters.has('room')) $('#room').value = parameters.get('room');
if (parameters.has('name')) $('#name').value = parameters.get('name');
if (parameters.has('auto')) join().catch(fail);
