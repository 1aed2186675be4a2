// The echo test page, on the wire storey of the library. Parameters: auto=1 starts at once, simulcast=1 offers three qualities.
import {Digest, Session, createLocalTracks} from './cardea.js';
import {Graph} from './ui/graph.js';
import {$, busy, fail, parameters, t} from './ui/shell.js';

let session, echo, local = [], timer;
const say = text => ($('#state').textContent = text);

async function start() {
  $('#error').hidden = true;
  const simulcast = $('#simulcast').checked;
  local = await createLocalTracks().catch(async error => {
    if (error.name !== 'NotFoundError' && error.name !== 'NotReadableError') throw error;
    return createLocalTracks({video: false});
  });
  $('#start').hidden = true;
  $('#pair').hidden = $('#graphs').hidden = false;
  local.forEach(track => track.kind === 'video' && track.attach($('#sent')));

  session = await Session.open();
  session.on('reconnecting', () => say(t('Connection lost: coming back…')));
  session.on('reconnected', () => say(t('Connected again')));
  session.on('closed', stop);
  echo = await session.attach('cardea.plugin.echotest');
  echo.on('track', ({track}) => play(track));
  echo.on('webrtcup', () => say(t('media up')));
  echo.on('hangup', reason => say(t('hung up: {reason}', {reason})));
  echo.on('event', ({data}) => {
    if (data.substream !== undefined) say(t('quality {n}, {codec}', {n: data.substream, codec: data.videocodec}));
  });
  const videocodec = $('#codec').value || undefined;
  const tracks = local.map(({mediaStreamTrack}) => mediaStreamTrack);
  await echo.offer({audio: true, video: true, videocodec}, {tracks, receive: ['audio', 'video'], simulcast});
  $('#controls').hidden = false;
  $('#layers').hidden = !simulcast;
  measure();
}

function play(track) {
  const video = $('#returned video');
  const others = video.srcObject?.getTracks().filter(({kind}) => kind !== track.kind) ?? [];
  video.srcObject = new MediaStream([...others, track]);
}

/** Graphs of what the connection does, a point a second. */
function measure() {
  const digest = new Digest();
  const graphs = {
    bitrate: new Graph($('#graphs'), t('Video, kbit/s'), [t('sent'), t('returned')]),
    fps: new Graph($('#graphs'), t('Pictures a second'), [t('returned')]),
    loss: new Graph($('#graphs'), t('Lost, %'), [t('sent'), t('returned')]),
    delay: new Graph($('#graphs'), t('Delay, ms'), [t('round trip'), t('buffer')]),
  };
  timer = setInterval(async () => {
    const pc = echo.pc;
    if (!pc) return;
    const {connection, sent, received} = await digest.take(pc);
    const [up, video] = [sent, received].map(tracks => [...tracks.values()].find(({kind}) => kind === 'video'));
    if (!up || !video) return;
    graphs.bitrate.add(up.bitrate / 1000, video.bitrate / 1000);
    graphs.fps.add(video.fps ?? 0);
    graphs.loss.add(100 * up.loss, 100 * video.loss);
    graphs.delay.add(connection.rttMs ?? 0, video.delayMs ?? 0);
    $('#facts').textContent = [video.width && `${video.width}×${video.height}`, video.codec, connection.protocol].filter(Boolean).join(' · ');
  }, 1000);
}

function stop() {
  clearInterval(timer);
  local.forEach(track => track.stop());
  $('#graphs').replaceChildren();
  $('#pair').hidden = $('#graphs').hidden = $('#controls').hidden = true;
  $('#start').hidden = false;
  say('');
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
  busy($('#go'), start);
};
toggle($('#audio'), 'audio');
toggle($('#video'), 'video');
$('#bitrate').onchange = event => echo.request({bitrate: Number(event.target.value)}).catch(fail);
$('#substream').onchange = event => echo.request({substream: Number(event.target.value)}).catch(fail);
$('#restart').onclick = () => echo.offer({}, {iceRestart: true}).then(() => say(t('restarted'))).catch(fail);
$('#stop').onclick = () => session.destroy();

$('#simulcast').checked = parameters.has('simulcast');
if (parameters.has('auto')) busy($('#go'), start);
