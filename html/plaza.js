// Plaza: a place to walk in. Where everybody stands is the text room's presence, over a data channel; who is near and agreed is heard,
// louder the nearer, and seen. Inside a zone nobody is asked; who stands on the stage is heard by all. Parameters: name, auto=1, x, y.
import {Room, RoomEvent} from './cardea.js';
import {Chat} from './ui/chat.js';
import {Controls, shortcuts, tellOf} from './ui/controls.js';
import {PlazaMap} from './ui/plaza_map.js';
import {$, busy, memory, parameters, t} from './ui/shell.js';
import {Tile, tileEvents} from './ui/tile.js';

const reach = 180;     // how far a voice carries
const lookEveryMs = 150;
const zones = [
  {name: 'stage', x: 600, y: 60, width: 400, height: 200}, {name: 'garden', x: 120, y: 640, radius: 150},
  {name: 'kitchen', x: 1180, y: 620, width: 300, height: 260},
];
const controls = new Controls();
const ours = new Set();     // identities we want to talk with
const theirs = new Set();   // identities who want to talk with us
const declined = new Set(); // until they have been away
const tiles = new Map();    // identity -> Tile of who is near
let room, map, chat, looking, asking = null;

async function comeIn() {
  $('#error').hidden = true;
  const name = $('#name').value.trim();
  memory.set('name', name);
  const at = {x: Number(parameters.get('x') ?? 740 + Math.random() * 160), y: Number(parameters.get('y') ?? 420 + Math.random() * 160)};
  const next = new Room({
    adaptiveStream: true, dataChannel: true, create: {publishers: 100}, createText: {zones},
    textOptions: {presence: true, state: {nickname: name, ...at}},
  });
  room = window.room = next;
  map = window.map = new PlazaMap($('#map'), zones, at, place => room.textRoom.show({...place, nickname: name}).catch(() => {}));
  chat = new Chat($('#chat'), next);
  chat.onunread = count => {
    $('#unread').hidden = count === 0;
    $('#unread').textContent = count;
  };
  tellOf(next);
  next.on(RoomEvent.PresenceChanged, states => {
    for (const [identity, state] of Object.entries(states))
      if (identity !== next.localParticipant.identity) map.put(identity, state);
  }).on(RoomEvent.ParticipantDisconnected, ({identity}) => forget(identity))
    .on(RoomEvent.DataReceived, onData)
    .on(RoomEvent.Disconnected, left);
  for (const event of tileEvents) next.on(event, () => tiles.forEach(tile => tile.update()));
  await next.connect(undefined, {room: 'plaza', name}, {autoSubscribe: false});
  $('#door').hidden = true;
  $('#inside').hidden = false;
  map.begin(name);
  controls.follow(next);
  looking = setInterval(look, lookEveryMs);
  $('#map').focus();
}

/** Who is near enough, and how loud. */
function look() {
  const here = map.zoneAt(map.own);
  $('#count').textContent = t('{n} people', {n: room.numParticipants});
  for (const [identity, place] of map.others) {
    const person = room.remoteParticipants.get(identity);
    if (!person) continue;
    const distance = Math.hypot(place.x - map.own.x, place.y - map.own.y);
    const zone = map.zoneAt(place);
    const together = here && zone === here;
    const near = together || distance < reach;
    if (!near) declined.delete(identity);
    if (near && !together && !ours.has(identity) && !declined.has(identity)) question(identity);
    const heard = zone === 'stage' || together || (distance < reach && agreed(identity));
    hear(person, heard, together || zone === 'stage' ? 1 : 1 - distance / reach);
    if (together && !room.localParticipant.trackPublications.size) speak();
  }
  if (here === 'stage' && !room.localParticipant.trackPublications.size) speak();
  if (asking && !isNear(asking)) answer(null);
  for (const tile of tiles.values()) tile.listen();
  map.talking = new Set(room.activeSpeakers.map(({identity}) => identity));
}

const agreed = identity => ours.has(identity) && theirs.has(identity);
const isNear = identity => {
  const place = map.others.get(identity);
  return place && Math.hypot(place.x - map.own.x, place.y - map.own.y) < reach * 1.2;
};

function hear(person, heard, volume) {
  for (const publication of person.trackPublications.values()) if (publication.isDesired !== heard) publication.setSubscribed(heard);
  person.setVolume(Math.max(0.05, Math.min(1, volume)));
  const {identity} = person;
  if (heard && !tiles.has(identity)) {
    const tile = new Tile(person, 'camera');
    tiles.set(identity, tile);
    $('#near').append(tile.element);
  } else if (!heard && tiles.has(identity)) {
    tiles.get(identity).remove();
    tiles.delete(identity);
  }
}

/** Asks whether to talk with somebody who is near; they are asked as well when one agrees. */
function question(identity) {
  if (asking || !map.others.has(identity)) return;
  asking = identity;
  $('#asking').textContent = t('Talk with {name}?', {name: map.others.get(identity).nickname ?? ''});
  $('#question').hidden = false;
}

function answer(yes) {
  const identity = asking;
  asking = null;
  $('#question').hidden = true;
  if (yes === null || !identity) return;
  if (!yes) return declined.add(identity);
  ours.add(identity);
  room.localParticipant.publishData(new Uint8Array([1]), {topic: 'talk', destinationIdentities: [identity]}).catch(() => {});
  speak();
}

// Who agrees asks the other at once: both have to, before either is heard.
function onData(bytes, person, kind, topic) {
  if (topic !== 'talk' || !person) return;
  theirs.add(person.identity);
  if (!ours.has(person.identity)) question(person.identity);
}

async function speak() {
  if (speak.busy) return;
  speak.busy = true;
  await room.localParticipant.enableCameraAndMicrophone().catch(() => {}); // the room tells why
  speak.busy = false;
}

function forget(identity) {
  map?.others.delete(identity);
  ours.delete(identity);
  theirs.delete(identity);
  declined.delete(identity);
  tiles.get(identity)?.remove();
  tiles.delete(identity);
  if (asking === identity) answer(null);
}

function left() {
  clearInterval(looking);
  map.end();
  for (const identity of [...tiles.keys()]) forget(identity);
  $('#chat').replaceChildren();
  $('#inside').hidden = true;
  $('#door').hidden = false;
  $('#count').textContent = $('#state').textContent = '';
}

$('#yes').onclick = () => { answer(true); $('#map').focus(); };
$('#no').onclick = () => { answer(false); $('#map').focus(); };
$('#talk').onclick = () => {
  $('#side').hidden = !$('#side').hidden;
  $('#talk').setAttribute('aria-pressed', !$('#side').hidden);
  if (!$('#side').hidden) chat.seen();
};
shortcuts([['m', 'mic'], ['v', 'cam']], name => room && controls.run(name));
$('#join').onsubmit = event => {
  event.preventDefault();
  busy($('#enter'), comeIn);
};
$('#name').value = parameters.get('name') ?? memory.get('name') ?? '';
if (parameters.has('auto')) busy($('#enter'), comeIn);
