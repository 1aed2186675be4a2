// Lobby: rooms with who is in them, to move between with one click. Where everybody is stands in the presence of one text room, so
// that people are known before they send or receive anything. Parameters: name, auto=1 comes in at once, room=... steps into that room.
import {Room, RoomEvent, Session, TextRoom, roomId} from './cardea.js';
import {Chat} from './ui/chat.js';
import {Controls, shortcuts, tellOf} from './ui/controls.js';
import {$, ask, busy, el, explain, memory, parameters, t, toast} from './ui/shell.js';
import {Stage} from './ui/stage.js';

const always = ['lounge', 'workshop', 'quiet'];
const mark = '# '; // how the descriptions of the lobby's rooms begin
const lookEveryMs = 2000;

let session, text, videoRooms, looking, name;
const own = String(crypto.getRandomValues(new Uint32Array(1))[0]);
const people = new Map(); // username -> {nickname, place}
const counts = new Map(); // name of a room -> how many the gateway counts in it
let room, stage, chat, moving = Promise.resolve();

const controls = new Controls();

// ---- the lobby itself ----

async function comeIn() {
  $('#error').hidden = true;
  name = $('#name').value.trim();
  memory.set('name', name);
  await enterLobby();
  $('#door').hidden = true;
  $('#inside').hidden = false;
  looking = setInterval(look, lookEveryMs);
}

async function enterLobby() {
  session = await Session.open();
  session.on('closed', comeBack);
  window.addEventListener('pagehide', () => session.abandon());
  videoRooms = await session.attach('cardea.plugin.videoroom');
  text = new TextRoom();
  text.on('presence', states => {
    for (const [username, state] of Object.entries(states)) people.set(username, {...people.get(username), ...state});
    draw();
  }).on('leave', username => { people.delete(username); draw(); }).on('zones', () => {});
  const options = {
    room: roomId('cardea-lobby'), username: own, display: name, presence: true, history: false,
    state: {nickname: name, ...(room && {place: room.name.slice(mark.length)})},
  };
  await text.join(session, options).catch(async error => {
    if (error.code !== 417) throw error;
    await text.request('create', {description: 'Lobby', is_private: true}).catch(failure => { if (failure.code !== 418) throw failure; });
    await text.rejoin();
  });
  await look();
}

/** The gateway was lost: tries until it is there again. The call has a way back of its own. */
async function comeBack() {
  $('#state').textContent = t('Connection lost: coming back…');
  people.clear();
  for (let pause = 300; ; pause = Math.min(2 * pause, 5000)) {
    try {
      await enterLobby();
      $('#state').textContent = '';
      return;
    } catch {
      await new Promise(resolve => setTimeout(resolve, pause));
    }
  }
}

async function look() {
  if (session.closed) return;
  const {data: {list}} = await videoRooms.request({request: 'list'}).catch(() => ({data: {list: []}}));
  counts.clear();
  for (const {description, num_participants: count} of list)
    if (description.startsWith(mark)) counts.set(description.slice(mark.length), count);
  draw();
}

// Cards stay where they are while what they say changes: a click must not be lost to a list that is drawn anew.
const cards = new Map(); // name of a room -> {item, button, count, inside}

function cardOf(place) {
  if (cards.has(place)) return cards.get(place);
  const count = el('span', {className: 'count'}), inside = el('ul', {className: 'around'});
  const button = el('button', {type: 'button', className: 'roomcard', dataset: {room: place}}, el('strong', {textContent: place}), count);
  button.onclick = () => step(place);
  const card = {item: el('li', {}, button, inside), button, count, inside};
  cards.set(place, card);
  return card;
}

function draw() {
  const names = new Set([...always, ...counts.keys()]);
  const label = ([username, {nickname}]) =>
    el('li', {dataset: {username}, textContent: username === own ? `${nickname} (${t('you')})` : nickname});
  for (const place of names) {
    const {item, button, count, inside} = cardOf(place);
    if (!item.isConnected) $('#rooms').append(item);
    const here = [...people].filter(([, person]) => person.place === place);
    count.textContent = Math.max(here.length, counts.get(place) ?? 0);
    button.setAttribute('aria-current', room && room.name === mark + place ? 'location' : 'false');
    inside.replaceChildren(...here.map(label));
  }
  for (const [place, {item}] of cards) {
    if (names.has(place)) continue;
    item.remove();
    cards.delete(place);
  }
  $('#around').replaceChildren(...[...people].filter(([, {place}]) => !place).map(label));
}

// ---- rooms ----

/** Moves to that room, or (null) out of the one that one is in; one move after the other. */
function step(place) {
  moving = moving.then(() => move(place)).catch(error => {
    toast(explain(error), 'warn', 8000);
    $('#nowhere').hidden = false;
    return move(null);
  });
  return moving;
}

async function move(place) {
  if (room && place && room.name === mark + place) return;
  const before = room;
  room = undefined;
  await before?.disconnect();
  $('#nowhere').hidden = Boolean(place);
  $('#nowhere').textContent = t('You are in the lobby. Choose a room to step in.');
  await text.show({place});
  if (!place) return draw();
  const next = new Room({adaptiveStream: true});
  window.room = next;
  chat = new Chat($('#chat'), next);
  chat.onunread = count => {
    $('#unread').hidden = count === 0;
    $('#unread').textContent = count;
  };
  next.on(RoomEvent.Disconnected, () => left(next));
  tellOf(next);
  await next.connect(undefined, {room: mark + place, name, identity: own});
  room = next;
  controls.follow(next);
  stage = new Stage($('#stage'), next);
  $('#stage').hidden = $('#controls').hidden = false;
  draw();
  await next.localParticipant.enableCameraAndMicrophone().catch(() => {}); // the room tells why; one may listen
}

function left(gone) {
  stage?.close();
  stage = undefined;
  $('#chat').replaceChildren();
  $('#side').hidden = $('#stage').hidden = $('#controls').hidden = true;
  if (room !== gone) return; // moved on
  room = undefined;
  step(null);
}

$('#leave').onclick = () => step(null);
$('#talk').onclick = () => {
  $('#side').hidden = !$('#side').hidden;
  $('#talk').setAttribute('aria-pressed', !$('#side').hidden);
  if (!$('#side').hidden) {
    chat.seen();
    chat.text.focus();
  }
};
$('#make').onclick = async () => {
  const field = el('input', {name: 'room', required: true, maxLength: 30, 'aria-label': t('Name of the room')});
  const answer = await ask(t('New room'), [field], t('Make it'));
  if (answer?.room.trim()) step(answer.room.trim());
};
shortcuts([['m', 'mic'], ['v', 'cam'], ['s', 'screen']], action => room && controls.run(action));
$('#join').onsubmit = event => {
  event.preventDefault();
  busy($('#enter'), comeIn);
};
$('#name').value = parameters.get('name') ?? memory.get('name') ?? '';
if (parameters.has('auto')) {
  await busy($('#enter'), comeIn);
  if (parameters.has('room')) step(parameters.get('room'));
}
