// Meet: a conference. Parameters: room, name, auto=1 joins at once, simulcast=0, camera=0, mic=0; a pin comes as #pin=... so that it
// is in no server's log.
import {DisconnectReason, Room, RoomEvent, Track} from './cardea.js';
import {Chat} from './ui/chat.js';
import {Controls, shortcuts, tellOf} from './ui/controls.js';
import {moderationMenu} from './ui/moderation.js';
import {People} from './ui/people.js';
import {Preview} from './ui/preview.js';
import {openSettings} from './ui/settings.js';
import {$, ask, busy, copy, el, explain, face, fail, memory, openMenu, parameters, show, t, toast} from './ui/shell.js';
import {SidePanel} from './ui/side.js';
import {Stage} from './ui/stage.js';

const reactions = ['👍', '👏', '❤️', '😂', '😮', '🎉'];

const preview = new Preview($('#preview'));
const controls = new Controls();
let room, stage, chat, side;

// ---- before joining ----

const newName = () => `${['calm', 'bright', 'quick', 'kind', 'warm'].at(Math.random() * 5)}-${Math.random().toString(36).slice(2, 8)}`;
const pinOfLink = new URLSearchParams(location.hash.slice(1)).get('pin');
$('#room').value = parameters.get('room') ?? newName();
$('#name').value = parameters.get('name') ?? memory.get('name') ?? '';
$('#pin').value = pinOfLink ?? '';
$('#pinlabel').hidden = !pinOfLink;
// A link that was pasted whole, even twice, is a room as well.
$('#room').onchange = () => ($('#room').value = roomOf($('#room').value));
(parameters.has('room') ? $('#name') : $('#room')).focus();

function roomOf(text) {
  const links = text.trim().match(/https?:\/\/\S+?(?=https?:\/\/|\s|$)/g);
  return links ? new URL(links.at(-1)).searchParams.get('room') ?? text.trim() : text.trim();
}

async function join() {
  $('#error').hidden = true;
  const name = $('#name').value.trim(), where = roomOf($('#room').value);
  memory.set('name', name);
  const tracks = preview.take();
  room = new Room({
    adaptiveStream: true, dynacast: true, publishDefaults: {simulcast: parameters.get('simulcast') !== '0'},
    audioCaptureDefaults: {deviceId: preview.chosen.audioinput}, videoCaptureDefaults: {deviceId: preview.chosen.videoinput},
  });
  window.room = room; // for those who look at it in the console
  follow(room);
  const secret = memory.get(`host-${where}`) ?? Array.from(crypto.getRandomValues(new Uint8Array(12)), n => n.toString(36)).join('');
  try {
    await room.connect(undefined, {room: where, name, pin: $('#pin').value || undefined, secret});
  } catch (error) {
    room = undefined;
    if ([429, 433, 413, 419].includes(error.code)) $('#pinlabel').hidden = false;
    preview.over = false;
    await preview.start(preview.wanted);
    throw error;
  }
  if (room.created) memory.set(`host-${where}`, secret);
  parameters.set('room', where); // the address is the invitation, and a reload comes back
  history.replaceState(null, '', `?${parameters}${location.hash}`);
  if (preview.chosen.audiooutput) room.switchActiveDevice('audiooutput', preview.chosen.audiooutput).catch(() => {});
  begin();
  for (const [kind, source] of [['audio', Track.Source.Microphone], ['video', Track.Source.Camera]]) {
    if (tracks[kind]) await room.localParticipant.publishTrack(tracks[kind], {source}).catch(fail);
  }
  refresh();
}

// ---- in the meeting ----

function begin() {
  $('#lobby').hidden = $('#after').hidden = true;
  $('#meeting').hidden = false;
  document.body.classList.add('inside');
  $('#title').textContent = room.name;
  stage = new Stage($('#stage'), room, {onMenu: tileMenu});
  chat.onunread = (count, text) => {
    $('#unread').hidden = count === 0;
    $('#unread').textContent = count > 99 ? '99+' : count;
    document.title = count ? `(${count}) ${room.name}` : room.name;
    if (text) toast(text);
  };
  document.title = room.name;
  refresh();
}

/** Everything that the room tells is shown. */
function follow(room) {
  chat = new Chat(emptied($('#chat')), room);
  const people = new People(emptied($('#people')), room, tileMenu);
  side = new SidePanel($('#side'), {chat: [$('#talk'), $('#tab-chat'), $('#chat')], people: [$('#list'), $('#tab-people'), $('#people')]});
  side.onopen = name => (name === 'chat' ? (chat.seen(), chat.text.focus()) : people.update());
  controls.follow(room);
  for (const event of ['ParticipantConnected', 'ParticipantDisconnected', 'Connected', 'Reconnected']) room.on(RoomEvent[event], refresh);
  tellOf(room);
  room.on(RoomEvent.Disconnected, left)
    .on(RoomEvent.DataReceived, (bytes, person, kind, topic) => topic === 'reaction' && float(new TextDecoder().decode(bytes), person));
}

function emptied(element) {
  element.replaceChildren();
  return element;
}

/** Names of buttons and counts, as things are. */
function refresh() {
  if (!room) return;
  face($('#react'), 'smile', t('React'));
  face($('#talk'), 'chat', `${t('Chat')} (C)`, side.open === 'chat');
  face($('#list'), 'people', `${t('People')} (P)`, side.open === 'people');
  face($('#more'), 'more', t('More'));
  $('#count').textContent = room.numParticipants > 1 ? t('{n} people', {n: room.numParticipants}) : t('only you');
}

const own = () => room.localParticipant;
const invitation = () => {
  const url = new URL('meet.html', location.href);
  url.searchParams.set('room', room.name);
  if (room.pin) url.hash = new URLSearchParams({pin: room.pin});
  return url.href;
};
const actions = {
  mic: () => controls.run('mic'),
  cam: () => controls.run('cam'),
  screen: () => controls.run('screen'),
  hand: () => controls.run('hand'),
  talk: () => side.toggle('chat'),
  list: () => side.toggle('people'),
  view: () => (stage.view = stage.view === 'grid' ? 'speaker' : 'grid'),
  full: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
  facts: () => (stage.showsFacts = !stage.showsFacts),
  invite: () => copy(invitation()),
  async rename() {
    const field = el('input', {name: 'name', value: own().name, required: true, maxLength: 40, 'aria-label': t('Your name')});
    const answer = await ask(t('Your name'), [field]);
    if (!answer) return;
    await own().setName(answer.name.trim());
    memory.set('name', answer.name.trim());
  },
  async lock() {
    const answer = await ask(t('Lock the room with a pin'), [
      el('input', {name: 'pin', required: true, maxLength: 60, autocomplete: 'off', 'aria-label': t('Pin')}),
      el('p', {className: 'faint', textContent: t('Who is here stays. Your invitation link carries the pin from now on.')})], t('Lock'));
    if (!answer) return;
    await room.setPin(answer.pin);
    toast(t('The room is locked'));
  },
  settings: () => openSettings(room),
  keys: () => show(t('Keys'), el('dl', {className: 'keys'}, ...keys.flatMap(([key, , text]) =>
    [el('dt', {}, el('kbd', {textContent: key.toUpperCase()})), el('dd', {textContent: text})]))),
};
const keys = [
  ['m', 'mic', t('Microphone on or off')], ['v', 'cam', t('Camera on or off')], ['s', 'screen', t('Share your screen')],
  ['h', 'hand', t('Raise your hand')], ['c', 'talk', t('Chat')], ['p', 'list', t('People')], ['g', 'view', t('Grid or speaker')],
  ['f', 'full', t('Full screen')], ['i', 'facts', t('Statistics on every picture')], ['?', 'keys', t('This list')],
];

async function run(name) {
  try {
    await actions[name]();
  } catch (error) {
    toast(explain(error), 'warn', 8000);
  }
  refresh();
}

for (const id of ['talk', 'list']) $(`#${id}`).onclick = () => run(id);
$('#react').onclick = () => openMenu($('#react'), reactions.map(sign => [sign, null, () => react(sign)]), 'signs');
$('#more').onclick = () => openMenu($('#more'), [
  [t('Copy the invitation'), 'link', () => run('invite')],
  [stage.view === 'grid' ? t('Speaker view') : t('Grid view'), stage.view === 'grid' ? 'speaker' : 'grid', () => run('view')],
  [t('Full screen'), 'full', () => run('full')],
  [t('Change your name'), 'people', () => run('rename')],
  [t('Lock the room with a pin'), 'lock', () => run('lock')],
  [stage.showsFacts ? t('Hide statistics') : t('Statistics'), 'stats', () => run('facts')],
  [t('Devices'), 'settings', () => run('settings')],
  [t('Keys'), 'help', () => run('keys')],
]);
$('#closeside').onclick = () => side.toggle(side.open);
shortcuts(keys, name => room && run(name));

async function react(sign) {
  float(sign, own());
  await own().publishData(new TextEncoder().encode(sign), {topic: 'reaction'}).catch(() => {});
}

/** A sign that rises over somebody's tile. */
function float(sign, person) {
  const tile = person && stage?.tileOf(person);
  if (!tile || !reactions.includes(sign)) return;
  const label = t('{name} reacts with {sign}', {name: person.name, sign});
  const element = el('span', {className: 'float', role: 'img', 'aria-label': label}, sign);
  tile.element.append(element);
  setTimeout(() => element.remove(), 3000);
}

function tileMenu(tile, button) {
  const {person} = tile;
  openMenu(button, [
    tile.key && [stage.pinned === tile.key ? t('Unpin') : t('Show large'), 'pin', () => stage.pin(tile.key)],
    tile.element?.requestFullscreen && [t('Full screen'), 'full', () => tile.element.requestFullscreen()],
    !person.isLocal && [t('Whisper'), 'chat', () => { side.show('chat'); chat.whisper(person.identity); }],
    person.isLocal && [t('Change your name'), 'people', () => run('rename')],
    ...moderationMenu(room, person),
  ]);
}

// ---- afterwards ----

function left(reason) {
  stage?.close();
  stage = undefined;
  document.body.classList.remove('inside', 'reconnecting');
  $('#meeting').hidden = $('#lobby').hidden = true;
  $('#after').hidden = false;
  $('#count').textContent = $('#state').textContent = '';
  document.title = t('Meet');
  $('#aftertext').textContent = {
    [DisconnectReason.PARTICIPANT_REMOVED]: t('You were sent out of the room'),
    [DisconnectReason.ROOM_DELETED]: t('The room was closed'),
    [DisconnectReason.SIGNAL_CLOSE]: t('The gateway could not be reached any more'),
    [DisconnectReason.JOIN_FAILURE]: t('The room could not be entered again'),
  }[reason] ?? t('You have left the room');
  room = undefined;
}

$('#again').onclick = async () => {
  $('#after').hidden = true;
  $('#lobby').hidden = false;
  preview.over = false;
  await preview.start(preview.wanted);
};
$('#join').onsubmit = event => {
  event.preventDefault();
  busy($('#enter'), join);
};

await preview.start({audio: parameters.get('mic') !== '0', video: parameters.get('camera') !== '0'});
if (parameters.has('auto') && $('#name').value) busy($('#enter'), join);
