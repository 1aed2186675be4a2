// The text room page: chat over a data channel, or with API messages alone where no peer connection comes up. Parameters: room, name,
// auto=1 joins at once, api=1 makes no peer connection.
import {Session, TextRoom, roomId} from './cardea.js';
import {$, busy, el, explain, memory, parameters, t, toast} from './ui/shell.js';

let session, text, own;
const people = new Map(); // username -> what it is called

const room = () => roomId($('#room').value);
const nameOf = username => people.get(username) ?? username;

async function join() {
  $('#error').hidden = true;
  own = $('#name').value.trim();
  memory.set('name', own);
  session = await Session.open();
  session.on('reconnecting', () => ($('#state').textContent = t('Connection lost: coming back…')));
  session.on('reconnected', () => { text.rejoin().then(present).catch(() => session.destroy()); way(); });
  session.on('closed', left);
  text = new TextRoom();
  listen();
  people.set(own, own);
  const dataChannel = parameters.get('api') !== '1';
  const options = {room: room(), username: own, display: own, pin: $('#pin').value || undefined, dataChannel};
  try {
    present(await text.join(session, options));
  } catch (error) {
    await session.destroy();
    $('#error').textContent = explain(error);
    $('#error').hidden = false;
    return;
  }
  $('#lobby').hidden = true;
  $('#inside').hidden = false;
  $('#text').focus();
  way();
}

const way = () => ($('#state').textContent = text.way === 'channel' ? t('connected by data channel') : t('connected by WebSocket alone'));

function present(participants) {
  people.clear();
  people.set(own, own);
  for (const {username, display} of participants) people.set(username, display ?? username);
  list();
}

function listen() {
  text.on('message', show)
    .on('announcement', message => note(message.text))
    .on('join', ({username, display}) => {
      people.set(username, display ?? username);
      list();
      note(t('{name} is here', {name: nameOf(username)}));
    })
    .on('leave', username => gone(username, t('{name} has left', {name: nameOf(username)})))
    .on('kicked', username => gone(username, t('{name} was sent away', {name: nameOf(username)})))
    .on('destroyed', () => session.destroy())
    .on('down', () => session.destroy());
}

function gone(username, words) {
  note(words);
  people.delete(username);
  list();
  if (username === own) session.destroy();
}

function list() {
  const others = [...people].filter(([username]) => username !== own);
  const {value} = $('#to');
  $('#to').replaceChildren(new Option(t('To all'), ''),
    ...others.map(([username, name]) => new Option(t('Only {name}', {name}), username)));
  $('#to').value = people.has(value) ? value : '';
  $('#people').replaceChildren(el('ul', {}, ...[...people].map(([username, name]) => el('li', {dataset: {username}},
    el('span', {textContent: username === own ? `${name} (${t('you')})` : name})))));
}

function line(className, ...content) {
  const log = $('#messages');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  log.append(el('p', {className}, ...content));
  if (atEnd) log.scrollTop = log.scrollHeight;
}
const note = words => line('notice', words);

/** A line: who, when, what. `display` comes with history, of people who may be gone. */
function show({from, display, date, text, whisper, to}) {
  const name = display ?? nameOf(from);
  const who = !whisper ? name : to ? t('{name} whispers to {names}', {name, names: nameOf(to)}) : t('{name} whispers', {name});
  line(`${whisper ? 'whisper' : ''} ${from === own ? 'own' : ''}`.trim(),
    el('span', {className: 'who'}, el('strong', {textContent: who}),
      el('time', {textContent: date.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'})})),
    el('span', {className: 'said', textContent: text}));
}

// What was typed stays until it has arrived.
async function send() {
  const words = $('#text').value.trim(), to = $('#to').value;
  if (!words) return;
  try {
    const absent = await text.send(words, to ? [to] : undefined);
    $('#text').value = '';
    if (!to) return; // it comes back as everybody's
    if (absent.length) note(t('{name} is not here', {name: nameOf(to)}));
    else show({from: own, text: words, date: new Date(), whisper: true, to});
  } catch (error) {
    toast(explain(error), 'warn');
  }
}

function left() {
  text?.close();
  people.clear();
  $('#state').textContent = '';
  $('#inside').hidden = true;
  $('#lobby').hidden = false;
}

$('#chat').append(
  el('div', {id: 'messages', className: 'log', role: 'log', tabIndex: 0, 'aria-label': t('Messages')}),
  el('form', {id: 'write', className: 'write'}, el('select', {id: 'to', 'aria-label': t('To whom')}),
    el('input', {id: 'text', maxLength: 4000, autocomplete: 'off', placeholder: t('Write a message'), 'aria-label': t('Write a message')}),
    el('button', {className: 'main', textContent: t('Send')})));
$('#write').onsubmit = event => {
  event.preventDefault();
  send();
};
$('#join').onsubmit = event => {
  event.preventDefault();
  busy($('#enter'), join);
};
$('#leave').onclick = () => session.destroy();
$('#room').value = parameters.get('room') ?? $('#room').value;
$('#name').value = parameters.get('name') ?? memory.get('name') ?? '';
if (parameters.has('auto')) busy($('#enter'), join);
