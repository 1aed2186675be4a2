// Classroom: one teaches with camera and screen at once; the others listen, ask, raise a hand and take the floor when it is given.
// Parameters: room, name, role=mentor or student, auto=1 enters at once.
import {DisconnectReason, Room, RoomEvent, Track} from './cardea.js';
import {Chat} from './ui/chat.js';
import {Controls, shortcuts, tellOf} from './ui/controls.js';
import {moderationMenu} from './ui/moderation.js';
import {People} from './ui/people.js';
import {Questions} from './ui/questions.js';
import {$, ask, busy, explain, face, memory, openMenu, parameters, t, toast} from './ui/shell.js';
import {SidePanel} from './ui/side.js';
import {Stage} from './ui/stage.js';

const {ScreenShare} = Track.Source;
const controls = new Controls();
let room, stage, chat, questions, people, side, isMentor;

const teaches = person => person.attributes.role === 'mentor';
const mentor = () => [room.localParticipant, ...room.remoteParticipants.values()].find(teaches);
const onFloor = person => teaches(person) || person.trackPublications.size > 0;

async function enter() {
  $('#error').hidden = true;
  isMentor = $('#join').elements.role.value === 'mentor';
  const name = $('#name').value.trim(), where = $('#room').value.trim();
  memory.set('name', name);
  const secret = memory.get(`class-${where}`) ?? Array.from(crypto.getRandomValues(new Uint8Array(12)), n => n.toString(36)).join('');
  const next = new Room({adaptiveStream: true});
  room = window.room = next;
  for (const id of ['chat', 'questions', 'people']) $(`#${id}`).replaceChildren();
  chat = new Chat($('#chat'), next);
  questions = new Questions($('#questions'), next, () => mentor());
  people = new People($('#people'), next, personMenu);
  side = new SidePanel($('#side'), {
    chat: [$('#panel'), $('#tab-chat'), $('#chat')], questions: [$('#panel'), $('#tab-questions'), $('#questions')],
    people: [$('#panel'), $('#tab-people'), $('#people')],
  });
  side.onopen = opened => (opened === 'chat' ? chat.seen() : refresh());
  chat.onunread = count => {
    $('#unread').hidden = count === 0;
    $('#unread').textContent = count;
  };
  tellOf(next);
  next.on(RoomEvent.Disconnected, left).on(RoomEvent.DataReceived, onData);
  for (const event of ['ParticipantConnected', 'ParticipantDisconnected', 'ParticipantAttributesChanged', 'LocalTrackPublished',
    'LocalTrackUnpublished', 'TrackSubscribed', 'Reconnected']) next.on(RoomEvent[event], refresh);
  // Only who teaches makes the class, so that its secret is theirs; who learns waits for it.
  await next.connect(undefined, {room: where, name, ...(isMentor && {secret}), attributes: {role: isMentor ? 'mentor' : 'student'}});
  if (next.created && isMentor) memory.set(`class-${where}`, secret);
  $('#door').hidden = $('#after').hidden = true;
  $('#inside').hidden = false;
  $('#title').textContent = next.name;
  controls.follow(next);
  stage = new Stage($('#stage'), next, {
    onMenu: (tile, button) => personMenu(tile, button, tile),
    filter: tile => onFloor(tile.person),
    order: person => (teaches(person) ? 0 : 1),
    main: tiles => tiles.find(({isScreen, person}) => isScreen && !person.isLocal) ?? tiles.find(({isScreen}) => isScreen) ??
      tiles.find(({person}) => teaches(person)),
  });
  if (matchMedia('(min-width: 48rem)').matches) side.show('chat');
  if (isMentor) await next.localParticipant.enableCameraAndMicrophone().catch(() => {}); // the room tells why
  refresh();
}

function refresh() {
  if (!room || !stage) return;
  const own = room.localParticipant;
  const speaks = onFloor(own);
  for (const id of ['mic', 'cam']) $(`#${id}`).hidden = !speaks;
  $('#screen').hidden = !speaks || !navigator.mediaDevices?.getDisplayMedia;
  $('#hand').hidden = isMentor;
  $('#record').hidden = !isMentor || $('#record').dataset.refused === 'yes';
  face($('#record'), 'record', $('#record').getAttribute('aria-pressed') === 'true' ? t('Stop recording') : t('Record the lesson'));
  face($('#panel'), 'chat', t('Chat'), Boolean(side.open));
  $('#nobody').hidden = Boolean(mentor()) || onFloor(own);
  $('#count').textContent = t('{n} people', {n: room.numParticipants});
  stage.update();
  questions.update();
  people.update();
}

// ---- the floor ----

const encode = value => new TextEncoder().encode(JSON.stringify(value));

function personMenu({person}, button, tile) {
  const speaks = person.trackPublications.size > 0;
  openMenu(button, [
    tile && [stage.pinned === tile.key ? t('Unpin') : t('Show large'), 'pin', () => stage.pin(tile.key)],
    tile && [t('Full screen'), 'full', () => tile.element.requestFullscreen()],
    isMentor && !person.isLocal && !speaks && [t('Give the floor'), 'mic', () => give(person, true)],
    isMentor && !person.isLocal && speaks && [t('Take the floor back'), 'mic-off', () => give(person, false)],
    !person.isLocal && [t('Whisper'), 'chat', () => { side.show('chat'); chat.whisper(person.identity); }],
    ...(isMentor ? moderationMenu(room, person) : []),
  ]);
}

const give = (person, floor) => room.localParticipant
  .publishData(encode({floor}), {topic: 'floor', destinationIdentities: [person.identity]})
  .catch(error => toast(explain(error), 'warn'));

async function onData(bytes, person, kind, topic) {
  if (topic !== 'floor' || !person || !teaches(person)) return;
  const own = room.localParticipant;
  const {floor} = JSON.parse(new TextDecoder().decode(bytes));
  if (!floor) {
    await own.unpublishTracks(own.getTrackPublications().map(({track}) => track));
    return toast(t('The floor is back with the teacher'));
  }
  const agreed = await ask(t('{name} gives you the floor', {name: person.name}), [], t('Speak'));
  if (!agreed || !room) return;
  await own.setMicrophoneEnabled(true).catch(() => {}); // the room tells why
  await own.setCameraEnabled(true).catch(() => {});
  await own.setAttributes({hand: ''});
}

$('#record').onclick = async () => {
  const record = $('#record').getAttribute('aria-pressed') !== 'true';
  try {
    await room.setRecording(record);
    $('#record').setAttribute('aria-pressed', record);
  } catch {
    $('#record').dataset.refused = 'yes';
    toast(t('This gateway does not record'), 'warn');
  }
  refresh();
};

// ---- coming and going ----

function left(reason) {
  stage?.close();
  stage = room = undefined;
  $('#inside').hidden = $('#door').hidden = true;
  $('#after').hidden = false;
  $('#count').textContent = $('#state').textContent = '';
  $('#aftertext').textContent = {
    [DisconnectReason.PARTICIPANT_REMOVED]: t('You were sent out of the room'), [DisconnectReason.ROOM_DELETED]: t('The room was closed'),
    [DisconnectReason.SIGNAL_CLOSE]: t('The gateway could not be reached any more'),
  }[reason] ?? t('You have left the room');
}

$('#panel').onclick = () => {
  side.show(side.open ? null : 'chat');
  refresh();
};
$('#again').onclick = () => {
  $('#after').hidden = true;
  $('#door').hidden = false;
};
shortcuts([['m', 'mic'], ['v', 'cam'], ['s', 'screen'], ['h', 'hand']],
  name => room && !$(`#${name}`).hidden && controls.run(name));
$('#join').onsubmit = event => {
  event.preventDefault();
  busy($('#enter'), enter);
};
$('#room').value = parameters.get('room') ?? '';
$('#name').value = parameters.get('name') ?? memory.get('name') ?? '';
if (parameters.has('role')) $('#join').elements.role.value = parameters.get('role');
if (parameters.has('auto')) busy($('#enter'), enter);
