// The video room page: one handle publishes, one subscribes to everybody (multistream). Parameters: room, name, auto=1 joins at once,
// simulcast=0. A reload claims the session of before, so the others do not wait for it to time out.
import {CardeaError, Session} from './cardea.js';
import {$, Tile, fail, localMedia, parameters, say} from './ui.js';

const plugin = 'cardea.plugin.videoroom';
const remembered = 'cardea-videoroom';

let session, publisher, subscriber, room, own, pin, local;
const people = new Map();        // feed -> {tile, display, mids: those subscribed to, screens: mid of ours -> tile}
const streamOf = new Map();      // our subscription's mid -> the room's description of the stream
let negotiating = Promise.resolve(); // offers to the subscriber are answered one after the other

async function openSession() {
  const before = JSON.parse(sessionStorage.getItem(remembered) ?? 'null');
  if (before) {
    try {
      const claimed = await Session.open(undefined, {claim: before.session});
      for (const handle_id of before.handles) await claimed.request({janus: 'detach', handle_id}).catch(() => {});
      return claimed;
    } catch (error) {
      if (!(error instanceof CardeaError)) throw error;
    }
  }
  return Session.open();
}

function remember() {
  const handles = [publisher, subscriber].filter(Boolean).map(handle => handle.id);
  sessionStorage.setItem(remembered, JSON.stringify({session: session.id, handles}));
}

async function join() {
  room = Number($('#room').value);
  pin = $('#pin').value || undefined;
  const display = $('#name').value;
  local = await localMedia();
  session = await openSession();
  session.on('reconnecting', () => say('reconnecting…'));
  session.on('reconnected', () => say('connected again'));
  session.on('closed', reason => { say(reason); left(); });

  publisher = await session.attach(plugin);
  remember();
  publisher.on('event', ({data}) => onRoomEvent(data));
  publisher.on('webrtcup', () => say('you are live'));
  publisher.on('hangup', reason => say(`publishing ended: ${reason}`));
  const {data} = await publisher.request({request: 'join', room, ptype: 'publisher', display, pin});
  $('#join').hidden = true;
  $('#controls').hidden = false;
  say(data.description);

  own = new Tile($('#tiles'), display, {own: true});
  people.set(data.id, {tile: own, display, own: true, screens: new Map()});
  local.getTracks().forEach(track => own.add(track));
  await publisher.offer({request: 'publish'}, {tracks: local.getTracks(), simulcast: $('#simulcast').checked});
  await subscribe(data.publishers);
}

function onRoomEvent(data) {
  if (data.publishers) subscribe(data.publishers).catch(fail);
  if (data.leaving && data.leaving !== 'ok') gone(data.leaving);
  if (data.unpublished && data.unpublished !== 'ok') gone(data.unpublished);
  if (data.kicked) gone(data.kicked);
  if (data.reason === 'kicked') session.destroy();
  if (data.videoroom === 'talking' || data.videoroom === 'stopped-talking') {
    people.get(data.id)?.tile.element.classList.toggle('talking', data.videoroom === 'talking');
  }
  if (data.videoroom === 'destroyed') {
    say('the room was closed');
    session.destroy();
  }
}

/** Subscribes to what is new of these publishers. */
async function subscribe(publishers) {
  const streams = [];
  for (const {id, display, talking, streams: offered} of publishers) {
    if (people.get(id)?.own) continue;
    if (!people.has(id)) {
      const tile = new Tile($('#tiles'), display ?? String(id));
      tile.element.dataset.feed = id;
      tile.element.classList.toggle('talking', talking === true); // who talks already is told only here
      people.set(id, {tile, display: display ?? String(id), mids: new Set(), screens: new Map()});
    }
    const {mids} = people.get(id);
    for (const stream of offered ?? []) {
      if (stream.disabled || stream.type === 'data' || mids.has(stream.mid)) continue;
      mids.add(stream.mid);
      streams.push({feed: id, mid: stream.mid});
    }
  }
  if (streams.length === 0) return;
  negotiating = negotiating.then(async () => {
    if (!subscriber) {
      subscriber = await session.attach(plugin);
      remember();
      subscriber.on('event', ({data, jsep}) => {
        if (data.streams) noteStreams(data.streams);
        if (jsep) negotiating = negotiating.then(() => accept(jsep)).catch(fail);
      });
      subscriber.on('track', ({track, transceiver}) => show(track, transceiver.mid));
      const {data, jsep} = await subscriber.request({request: 'join', room, ptype: 'subscriber', streams, pin});
      noteStreams(data.streams);
      await accept(jsep);
    } else {
      const {data, jsep} = await subscriber.request({request: 'subscribe', streams});
      if (data.streams) noteStreams(data.streams);
      if (jsep) await accept(jsep);
    }
  }).catch(fail);
  return negotiating;
}

function accept(jsep) { return subscriber.answer(jsep, {request: 'start', room}); }

function noteStreams(streams) {
  streamOf.clear();
  for (const stream of streams) if (stream.active) streamOf.set(stream.mid, stream);
  for (const person of people.values()) {
    for (const [mid, tile] of person.screens) {
      if (streamOf.get(mid)) continue;
      tile.remove();
      person.screens.delete(mid);
    }
  }
  for (const stream of streamOf.values()) {
    if (stream.simulcast) offerQualities(stream);
    const transceiver = subscriber.pc?.getTransceivers().find(({mid}) => mid === stream.mid);
    if (transceiver) show(transceiver.receiver.track, stream.mid);
  }
}

/** Puts a track into the tile of its publisher; a screen gets a tile of its own. */
function show(track, mid) {
  const stream = streamOf.get(mid);
  const person = people.get(stream?.feed_id);
  if (!person) return;
  if (stream.feed_description !== 'screen') return person.tile.add(track);
  if (!person.screens.has(mid)) person.screens.set(mid, new Tile($('#tiles'), `${person.display}'s screen`));
  person.screens.get(mid).add(track);
}

function offerQualities({feed_id, mid}) {
  const person = people.get(feed_id);
  if (!person || person.select) return;
  person.select = document.createElement('select');
  for (const [value, text] of [[2, 'high'], [1, 'medium'], [0, 'low']]) person.select.add(new Option(text, value));
  person.select.onchange = () =>
    subscriber.request({request: 'configure', streams: [{mid, substream: Number(person.select.value)}]}).catch(fail);
  person.tile.element.append(person.select);
}

function gone(feed) {
  const person = people.get(feed);
  person?.tile.remove();
  person?.screens.forEach(tile => tile.remove());
  people.delete(feed);
}

function left() {
  sessionStorage.removeItem(remembered);
  local?.getTracks().forEach(track => track.stop());
  for (const feed of [...people.keys()]) gone(feed);
  streamOf.clear();
  publisher = subscriber = undefined;
  $('#controls').hidden = true;
  $('#join').hidden = false;
}

function toggle(button, kind) {
  button.onclick = () => {
    const muted = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', muted);
    for (const track of local.getTracks()) if (track.kind === kind) track.enabled = !muted;
  };
}

$('#join').onsubmit = event => {
  event.preventDefault();
  join().catch(error => {
    fail(error);
    session?.destroy();
  });
};
toggle($('#mic'), 'audio');
toggle($('#cam'), 'video');
$('#screen').onclick = async () => {
  try {
    const screen = await navigator.mediaDevices.getDisplayMedia({video: true});
    const [track] = screen.getVideoTracks();
    const describe = pc => {
      const {mid} = pc.getTransceivers().find(({sender}) => sender.track === track);
      return {request: 'configure', descriptions: [{mid, description: 'screen'}]};
    };
    await publisher.offer(describe, {tracks: [track]});
    say('sharing the screen');
  } catch (error) {
    fail(error);
  }
};
$('#leave').onclick = () => session.destroy();

if (parameters.has('room')) $('#room').value = parameters.get('room');
if (parameters.has('name')) $('#name').value = parameters.get('name');
if (parameters.get('simulcast') === '0') $('#simulcast').checked = false;
if (parameters.has('auto')) join().catch(fail);
