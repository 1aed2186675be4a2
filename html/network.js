// Network test: every way to the gateway, one after the other, with what to do where one is shut. Parameter: auto=1 begins at once.
import {Digest, Room, Session, defaultUrl} from './cardea.js';
import {httpAddress} from './lib/link.js';
import {$, busy, copy, el, parameters, t} from './ui/shell.js';

const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const once = (target, event, ms) => new Promise((resolve, reject) => {
  target[`on${event}`] = resolve;
  setTimeout(() => reject(new Error(t('nothing within {n} s', {n: ms / 1000}))), ms);
});

/** Each step: its name, what it finds out (in words; it throws if it fails), and what to do then. */
const steps = [
  [t('HTTP'), overHttp, t('Check the address and your network. Behind a proxy, ask for this address to be let through.')],
  [t('WebSocket'), overWebSocket, t('A proxy or firewall on the way does not let WebSockets through: the pages use HTTP requests instead, a little slower. Ask for "Upgrade: websocket" to be allowed.')],
  [t('Long poll'), overLongPoll, t('Something on the way holds answers back. WebSocket will do.')],
  [t('Camera and microphone'), devices, t('Open the page with https://, plug a device in, or allow it in the settings of the system.')],
  [t('Media path'), mediaPath, t('UDP to the gateway is blocked. Let this network reach the gateway\'s media port by UDP, try another network, or set up a TURN server.')],
  [t('Delay and loss'), quality, t('Move nearer to the wireless access point, or use a cable; stop downloads.')],
  [t('Bandwidth'), bandwidth, t('Stop other transfers, and turn cameras off: sound needs 50 kbit/s only.')],
];
let session, echo;

async function overHttp() {
  const times = [];
  for (let n = 0; n < 5; ++n) {
    const began = performance.now();
    const answer = await fetch(`${httpAddress(defaultUrl())}/ping`, {cache: 'no-store', signal: AbortSignal.timeout(5000)});
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    await answer.text();
    times.push(performance.now() - began);
  }
  return t('answers after {n} ms', {n: Math.round(median(times))});
}

async function overWebSocket() {
  const direct = await Session.open(defaultUrl(), {fallback: false});
  const began = performance.now();
  await direct.request({janus: 'keepalive'});
  const took = Math.round(performance.now() - began);
  await direct.destroy();
  return t('open, answers after {n} ms', {n: took});
}

async function overLongPoll() {
  const polled = await Session.open(httpAddress(defaultUrl()));
  const handle = await polled.attach('cardea.plugin.echotest');
  await handle.request({audio: true}); // its event comes by the poll
  await polled.destroy();
  return t('works');
}

async function devices() {
  if (!window.isSecureContext) throw new Error(t('the page is not secure'));
  const found = await Room.getLocalDevices(undefined, false);
  const count = kind => found.filter(device => device.kind === kind).length;
  if (!count('audioinput')) throw new Error(t('no microphone'));
  return t('{m} microphones, {c} cameras', {m: count('audioinput'), c: count('videoinput')});
}

async function mediaPath() {
  session = await Session.open();
  echo = await session.attach('cardea.plugin.echotest');
  const began = performance.now();
  const opening = echo.offer({audio: true}, {data: true});
  await opening;
  if (echo.channel.readyState !== 'open') await once(echo.channel, 'open', 10_000);
  const took = Math.round(performance.now() - began);
  const {connection} = await new Digest().take(echo.pc);
  const translated = t('through an address translator');
  const ways = {host: t('directly'), srflx: translated, prflx: translated, relay: t('through a TURN relay')};
  return t('{protocol}, {way}, up after {n} ms', {protocol: (connection.protocol ?? '').toUpperCase(), way: ways[connection.path] ?? '', n: took});
}

async function quality() {
  if (!echo?.channel) throw new Error(t('no media path'));
  const channel = echo.pc.createDataChannel('loss', {ordered: false, maxRetransmits: 0});
  await once(channel, 'open', 5000);
  const sent = new Map(), trips = [];
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({data}) => trips.push(performance.now() - sent.get(new Uint32Array(data)[0]));
  const packets = 150;
  for (let n = 0; n < packets; ++n) {
    sent.set(n, performance.now());
    channel.send(new Uint32Array(100).fill(n));
    await wait(20);
  }
  await wait(500);
  channel.close();
  if (trips.length === 0) throw new Error(t('nothing came back'));
  const lost = 100 * (packets - trips.length) / packets;
  const middle = median(trips);
  const jitter = median(trips.map(trip => Math.abs(trip - middle)));
  const words = t('round trip {n} ms, jitter {j} ms, {l} % lost', {n: Math.round(middle), j: jitter.toFixed(1), l: lost.toFixed(1)});
  if (lost > 5 || middle > 400) throw new Error(words);
  return words;
}

async function bandwidth() {
  if (!echo?.channel) throw new Error(t('no media path'));
  const channel = echo.pc.createDataChannel('bandwidth');
  await once(channel, 'open', 5000);
  let returned = 0;
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({data}) => (returned += data.byteLength);
  const piece = crypto.getRandomValues(new Uint8Array(16_384));
  const until = performance.now() + 3000;
  while (performance.now() < until) {
    while (channel.bufferedAmount < 262_144) channel.send(piece);
    await wait(10);
  }
  const rate = 8 * returned / 3 / 1e6;
  channel.close();
  const words = t('{n} Mbit/s there and back at once', {n: rate.toFixed(1)});
  if (rate < 0.5) throw new Error(words);
  return words;
}

async function run() {
  const report = [];
  let ways = 0;
  $('#verdict').hidden = $('#copy').hidden = true;
  $('#steps').replaceChildren(...steps.map(([name]) => el('li', {className: 'card'},
    el('span', {className: 'dot'}), el('strong', {textContent: name}), el('span', {className: 'found'}))));
  const failed = [];
  for (const [n, [name, test, advice]] of steps.entries()) {
    const line = $('#steps').children[n];
    const [dot, , found] = line.children;
    line.classList.add('busy');
    try {
      found.textContent = await test();
      dot.classList.add('good');
      ++ways;
    } catch (error) {
      found.textContent = error.message;
      dot.classList.add('bad');
      line.append(el('p', {className: 'faint', textContent: advice}));
      failed.push(name);
    }
    line.classList.remove('busy');
    report.push(`${dot.classList.contains('good') ? '+' : '-'} ${name}: ${found.textContent}`);
  }
  await session?.destroy();
  session = echo = undefined;
  $('#verdict').textContent = ways === steps.length ? t('Everything works: calls will be good from here.')
    : t('Not everything works: {names}. See above what helps.', {names: failed.join(', ')});
  $('#verdict').hidden = $('#copy').hidden = false;
  $('#copy').onclick = () => copy([navigator.userAgent, defaultUrl(), ...report].join('\n'));
}

$('#run').onclick = () => busy($('#run'), run);
if (parameters.has('auto')) $('#run').click();
