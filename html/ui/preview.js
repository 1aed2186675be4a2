// Before joining: how one looks and sounds, with which devices.
import {createLocalAudioTrack, createLocalVideoTrack, MediaDeviceFailure, Room} from '../cardea.js';
import {el, face, icon as drawn, memory} from './dom.js';
import {explain} from './explain.js';
import {Meter} from './meter.js';
import {t} from './words.js';

const kinds = {
  audio: {
    device: 'audioinput', create: createLocalAudioTrack, icon: 'mic',
    name: t('Microphone'), on: t('Microphone on'), off: t('Microphone off'),
  },
  video: {device: 'videoinput', create: createLocalVideoTrack, icon: 'cam', name: t('Camera'), on: t('Camera on'), off: t('Camera off')},
};

export class Preview {
  /** LocalTracks by kind, of what is on. */
  tracks = {audio: null, video: null};
  wanted = {audio: true, video: true};
  chosen = memory.get('devices') ?? {};
  #meter = new Meter();
  #problems = {};

  constructor(element) {
    this.video = el('video', {autoplay: true, playsInline: true, muted: true, hidden: true});
    this.empty = el('p', {className: 'empty', textContent: t('Asking for camera and microphone…')});
    this.problem = el('p', {className: 'error', role: 'alert', hidden: true});
    this.level = el('meter', {min: 0, max: 1, value: 0, 'aria-label': t('Loudness')});
    this.buttons = {};
    this.selects = {};
    const bar = el('div', {className: 'bar'});
    const choices = el('div', {className: 'choices'});
    for (const [kind, {icon, name}] of Object.entries(kinds)) {
      const button = (this.buttons[kind] = el('button', {type: 'button', className: 'round'}, drawn(icon)));
      button.onclick = () => this.turn(kind, !this.wanted[kind]);
      bar.append(button);
      const choice = (this.selects[kind] = el('select'));
      choice.onchange = () => this.choose(kind, choice.value);
      choices.append(el('label', {}, el('span', {textContent: name}), choice));
    }
    this.speakers = el('select');
    this.speakers.onchange = () => this.#remember('audiooutput', this.speakers.value);
    choices.append(this.speakersLabel = el('label', {}, el('span', {textContent: t('Loudspeaker')}), this.speakers));
    const under = el('div', {className: 'under'}, this.level, bar);
    element.append(el('div', {className: 'picture'}, this.video, this.empty, under), this.problem, choices);
    this.#meter.onlevel = level => (this.level.value = level);
    this.#faces();
  }

  /** Asks for both; what is refused or missing is said, and left out. */
  async start({audio = true, video = true} = {}) {
    this.wanted = {audio, video};
    await Promise.all([this.turn('audio', audio), this.turn('video', video)]);
    await this.listDevices();
    this.changed = () => this.listDevices();
    navigator.mediaDevices?.addEventListener('devicechange', this.changed);
  }

  async turn(kind, on) {
    this.wanted[kind] = on;
    if (!on) {
      this.tracks[kind]?.stop();
      this.tracks[kind] = null;
      delete this.#problems[kind];
    } else if (!this.tracks[kind]) {
      try {
        const {create, device} = kinds[kind];
        const track = await create({deviceId: this.chosen[device]});
        if (!this.wanted[kind] || this.over) track.stop();
        else this.tracks[kind] = track;
        delete this.#problems[kind];
      } catch (error) {
        this.wanted[kind] = false;
        this.#problems[kind] = error;
      }
    }
    this.#show();
  }

  async choose(kind, deviceId) {
    this.#remember(kinds[kind].device, deviceId);
    if (!this.tracks[kind]) return this.turn(kind, true);
    await this.tracks[kind].restartTrack({deviceId}).catch(error => (this.#problems[kind] = error));
    return this.#show();
  }

  async listDevices() {
    const devices = await Room.getLocalDevices(undefined, false).catch(() => []);
    for (const [kind, {device}] of Object.entries(kinds))
      fill(this.selects[kind], devices.filter(one => one.kind === device), this.tracks[kind]?.deviceId ?? this.chosen[device]);
    const speakers = devices.filter(({kind}) => kind === 'audiooutput');
    fill(this.speakers, speakers, this.chosen.audiooutput);
    this.speakersLabel.hidden = speakers.length === 0;
  }

  /** Hands the tracks over: they go on. */
  take() {
    this.#end();
    return this.tracks;
  }

  /** Ends camera and microphone. */
  stop() {
    this.#end();
    for (const track of Object.values(this.tracks)) track?.stop();
  }

  #end() {
    this.over = true;
    this.#meter.stop();
    navigator.mediaDevices?.removeEventListener('devicechange', this.changed);
    this.tracks.video?.detach(this.video);
  }

  #remember(kind, deviceId) {
    this.chosen = {...this.chosen, [kind]: deviceId};
    memory.set('devices', this.chosen);
  }

  #show() {
    const {audio, video} = this.tracks;
    if (video && !this.over) video.attach(this.video);
    this.video.hidden = !video;
    this.empty.hidden = Boolean(video);
    this.empty.textContent = this.wanted.video ? t('Asking for camera and microphone…') : t('Your camera is off');
    if (this.over) return;
    if (audio) this.#meter.start(audio.mediaStreamTrack);
    else this.#meter.stop();
    this.level.value = 0;
    const problems = Object.entries(this.#problems).map(([kind, error]) =>
      (MediaDeviceFailure.getFailure(error) === 'Insecure' ? explain(error) : `${kinds[kind].name}: ${explain(error)}`));
    this.problem.textContent = [...new Set(problems)].join(' ');
    this.problem.hidden = problems.length === 0;
    this.#faces();
  }

  #faces() {
    for (const [kind, {icon, on, off}] of Object.entries(kinds)) {
      const isOn = this.wanted[kind];
      face(this.buttons[kind], isOn ? icon : `${icon}-off`, isOn ? on : off, !isOn);
    }
  }
}

function fill(select, devices, current) {
  select.replaceChildren(...devices.map(({deviceId, label}, n) => new Option(label || `${n + 1}`, deviceId, false, deviceId === current)));
  select.disabled = devices.length === 0;
  if (devices.length === 0) select.add(new Option(t('None found')));
}
