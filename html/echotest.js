// The echo test page. Parameters: auto=1 starts at once, simulcast=1 offers three qualities.
import {Session} from './cardea.js';
import {$, Tile, fail, localMedia, parameters, say} from './ui.js';

let session, echo, local, sent, returned;

async function start() {
  $('#start').hidden = true;
  const simulcast = $('#simulcast').checked;
  local = await localMedia();
  sent = new Tile($('#tiles'), 'sent', {own: true});
  local.getTracks().forEach(track => sent.add(track));
  returned = new Tile($('#tiles'), 'returned');
  returned.element.id = 'returned';

  session = await Session.open();
  session.on('reconnecting', () => say('reconnecting…'));
  session.on('reconnected', () => say('connected again'));
  session.on('closed', reason => { say(reason); stop(); });
  echo = await session.attach('cardea.plugin.echotest');
  echo.on('track', ({track}) => returned.add(track));
  echo.on('webrtcup', () => say('media up'));
  echo.on('hangup', reason => say(`hung up: ${reason}`));
  echo.on('event', ({data}) => {
    if (data.substream !== undefined) say(`quality ${data.substream}, ${data.videocodec}`);
  });
  await echo.offer({audio: true, video: true}, {tracks: local.getTracks(), receive: ['audio', 'video'], simulcast});
  $('#controls').hidden = false;
  $('#layers').hidden = !simulcast;
}

function stop() {
  local?.getTracks().forEach(track => track.stop());
  sent?.remove();
  returned?.remove();
  $('#controls').hidden = true;
  $('#start').hidden = false;
}

function toggle(button, kind) {
  button.onclick = () => {
    const muted = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', muted);
    echo.request({[kind]: !muted}).catch(fail);
  };
}

$('#start').onsubmit = event => {
  event.preventDefault();
  start().catch(fail);
};
toggle($('#audio'), 'audio');
toggle($('#video'), 'video');
$('#bitrate').onchange = event => echo.request({bitrate: Number(event.target.value)}).catch(fail);
$('#substream').onchange = event => echo.request({substream: Number(event.target.value)}).catch(fail);
$('#restart').onclick = () => echo.offer({}, {iceRestart: true}).then(() => say('restarted')).catch(fail);
$('#stop').onclick = () => session.destroy();

$('#simulcast').checked = parameters.has('simulcast');
if (parameters.has('auto')) start().catch(fail);
