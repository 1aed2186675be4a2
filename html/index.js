// The first page: what is here, and how the gateway is.
import {httpAddress} from './lib/link.js';
import {defaultUrl} from './cardea.js';
import {$, el, fail, icon, t} from './ui/shell.js';

const camera = t('Camera and microphone'), nothing = t('Nothing but this browser');
const cards = [
  ['meet.html', 'cam', t('Meet'), t('A conference: screens, chat with whispers, hands, moderation.'), camera],
  ['lobby.html', 'door', t('Lobby'), t('Rooms with who is in them. Look around, then step in; move on with one click.'), camera],
  ['classroom.html', 'hand', t('Classroom'), t('One teaches with camera and screen, many listen, ask and take the floor.'), camera],
  ['plaza.html', 'people', t('Plaza'), t('A place to walk in. Come near to somebody, and you hear and see each other.'), camera],
  ['textroom.html', 'chat', t('Text room'), t('Write to all or to one, even where no peer connection comes up.'), nothing],
  ['echotest.html', 'mic', t('Echo test'), t('Camera and microphone go to the gateway and come back, with graphs of what happens on the way.'), camera],
  ['network.html', 'stats', t('Network test'), t('Which ways to the gateway work from here, how well, and what to do if none does.'), nothing],
  ['explorer.html', 'settings', t('API explorer'), t('Send any request, see the exchange, copy it as curl or JavaScript.'), nothing],
];
$('#cards').append(...cards.map(([href, sign, title, text, needs]) => el('li', {},
  el('a', {href, className: 'card'}, icon(sign), el('strong', {textContent: title}), el('span', {textContent: text}),
    el('span', {className: 'needs', textContent: t('Needs: {what}', {what: needs})})))));

const fact = (name, ...value) => el('div', {}, el('dt', {textContent: name}), el('dd', {}, ...value));
async function look() {
  try {
    const began = performance.now();
    const info = await (await fetch(`${httpAddress(defaultUrl())}/info`, {cache: 'no-store'})).json();
    $('#error').hidden = true;
    $('#facts').replaceChildren(
      fact(t('Gateway'), el('span', {className: 'dot good'}), t('up')),
      fact(t('Version'), `${info.name} ${info.version_string}`),
      fact(t('Answer after'), `${Math.round(performance.now() - began)} ms`),
      fact(t('New sessions'), info['accepting-new-sessions'] === false ? t('refused: it is being drained') : t('accepted')),
      fact(t('Plugins'), Object.keys(info.plugins ?? {}).map(name => name.split('.').at(-1)).join(', ')),
      fact(t('Camera here'), window.isSecureContext ? t('possible') : t('only with https://')));
  } catch {
    $('#facts').replaceChildren(fact(t('Gateway'), el('span', {className: 'dot bad'}), t('does not answer')));
    fail(t('The gateway cannot be reached. Check your network; the page tries again by itself.'));
  }
}
look();
setInterval(() => !document.hidden && look(), 5000);
