// API explorer: requests to the gateway and its plugins, with what comes back.
import {Session, defaultUrl} from './cardea.js';
import {httpAddress} from './lib/link.js';
import {$, busy, copy, el, fail, t} from './ui/shell.js';

const room = 1234;
/** Examples by plugin; '' is the session itself. */
const examples = {
  '': [{janus: 'info'}, {janus: 'ping'}, {janus: 'keepalive'}],
  videoroom: [
    {request: 'list'}, {request: 'exists', room}, {request: 'create', room: 4321, description: 'Tea', publishers: 6, notify_joining: true},
    {request: 'listparticipants', room}, {request: 'join', ptype: 'publisher', room, display: 'explorer'},
    {request: 'configure', display: 'renamed', metadata: {team: 'red'}}, {request: 'moderate', room, id: 1, mid: '0', mute: true},
    {request: 'kick', room, id: 1}, {request: 'edit', room, new_description: 'Coffee'}, {request: 'leave'}, {request: 'destroy', room: 4321},
  ],
  textroom: [
    {request: 'list'}, {request: 'create', room: 4321, history: 100}, {request: 'join', room, username: 'explorer', display: 'Explorer'},
    {request: 'message', room, text: 'hello'}, {request: 'presence', room, state: {x: 1, y: 2}}, {request: 'listparticipants', room},
    {request: 'announcement', room, text: 'closing soon'}, {request: 'leave', room}, {request: 'destroy', room: 4321},
  ],
  echotest: [{audio: true, video: true, bitrate: 256000}],
};

let session;
const handles = new Map(); // plugin -> Handle

async function open() {
  session = await Session.open();
  session.on('closed', reason => { $('#state').textContent = reason; handles.clear(); session = undefined; });
  $('#state').textContent = t('session {id}', {id: session.id});
}

/** What needs no session, and is not to be asked in one. */
const sessionless = async verb => (await fetch(`${httpAddress(defaultUrl())}/${verb}`)).json();

async function handleOf(plugin) {
  if (!handles.has(plugin)) {
    const handle = await session.attach(plugin);
    handle.on('event', event => note('event', event));
    for (const kind of ['webrtcup', 'media', 'slowlink', 'hangup', 'detached']) handle.on(kind, detail => note(kind, detail ?? {}));
    handles.set(plugin, handle);
  }
  return handles.get(plugin);
}

function body() {
  try {
    return JSON.parse($('#body').value);
  } catch (error) {
    throw new Error(t('That is not JSON: {reason}', {reason: error.message}));
  }
}

async function send() {
  $('#error').hidden = true;
  const message = body();
  if (!session) await open();
  const plugin = $('#plugin').value;
  note('>', message);
  try {
    if (plugin) note('<', await (await handleOf(plugin)).request(message));
    else note('<', ['info', 'ping'].includes(message.janus) ? await sessionless(message.janus) : await session.request(message));
  } catch (error) {
    note('!', {code: error.code, reason: error.message});
  }
}

function note(sign, value) {
  const words = {'>': t('sent'), '<': t('answer'), '!': t('refused')}[sign] ?? sign;
  $('#log').prepend(el('article', {className: `card ${sign === '!' ? 'refused' : ''}`},
    el('header', {}, el('strong', {textContent: words}), el('time', {className: 'faint', textContent: new Date().toLocaleTimeString()})),
    el('pre', {textContent: JSON.stringify(value, null, 2)})));
}

const quote = text => `'${text.replaceAll("'", "'\\''")}'`;
function asCurl() {
  const plugin = $('#plugin').value, base = httpAddress(defaultUrl());
  const post = (path, message) => `curl -s ${base}${path} -d ${quote(JSON.stringify({...message, transaction: '1'}))}`;
  if (!plugin) return post('', body());
  return [`S=$(${post('', {janus: 'create'})} | sed 's/.*"id": *\\([0-9]*\\).*/\\1/')`,
    `H=$(${post('/$S', {janus: 'attach', plugin})} | sed 's/.*"id": *\\([0-9]*\\).*/\\1/')`,
    post('/$S/$H', {janus: 'message', body: body()}), `curl -s "${base}/$S?maxev=10"  # ${t('events come by this poll')}`].join('\n');
}
function asJavaScript() {
  const plugin = $('#plugin').value, text = JSON.stringify(body(), null, 2);
  return [`import {Session} from '${new URL('cardea.js', location.href)}';`, `const session = await Session.open('${defaultUrl()}');`,
    ...(plugin ? [`const handle = await session.attach('${plugin}');`, `console.log(await handle.request(${text}));`]
      : [`console.log(await session.request(${text}));`])].join('\n');
}

function offerExamples() {
  const list = examples[$('#plugin').value.split('.').at(-1)] ?? [{request: 'list'}];
  $('#request').replaceChildren(...list.map((example, n) => new Option(example.request ?? example.janus ?? t('Message'), n)));
  const choose = () => ($('#body').value = JSON.stringify(list[$('#request').value], null, 2));
  $('#request').onchange = choose;
  choose();
}

$('#plugin').onchange = offerExamples;
$('#form').onsubmit = event => {
  event.preventDefault();
  busy($('#send'), send);
};
for (const [id, make] of [['curl', asCurl], ['js', asJavaScript]]) {
  $(`#${id}`).onclick = () => { try { copy(make()); } catch (error) { fail(error); } };
}
addEventListener('pagehide', () => session?.abandon());
$('#plugin').append(new Option(t('the session itself'), ''));
offerExamples();
await busy($('#send'), async () => {
  await open();
  const {plugins} = await sessionless('info');
  $('#plugin').append(...Object.keys(plugins).map(name => new Option(name, name)));
});
