// The choice of devices during a call.
import {Room} from '../cardea.js';
import {el, memory, show, toast} from './dom.js';
import {explain} from './explain.js';
import {t} from './words.js';

export async function openSettings(room) {
  const devices = await Room.getLocalDevices();
  const chosen = memory.get('devices') ?? {};
  const choices = [['audioinput', t('Microphone')], ['videoinput', t('Camera')], ['audiooutput', t('Loudspeaker')]].map(([kind, label]) => {
    const select = el('select', {}, ...devices.filter(one => one.kind === kind).map(({deviceId, label}, n) =>
      new Option(label || `${n + 1}`, deviceId, false, deviceId === (room.getActiveDevice(kind) ?? chosen[kind]))));
    select.disabled = select.options.length === 0;
    select.onchange = () => {
      memory.set('devices', Object.assign(chosen, {[kind]: select.value}));
      room.switchActiveDevice(kind, select.value).catch(error => toast(explain(error), 'warn', 8000));
    };
    return el('label', {}, el('span', {textContent: label}), select);
  });
  show(t('Devices'), el('div', {className: 'choices'}, ...choices));
}
