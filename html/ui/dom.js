// Elements in few words, icons, short messages and dialogs.
import {t} from './words.js';

export const $ = selector => document.querySelector(selector);
export const parameters = new URLSearchParams(location.search);

/** An element with properties (those with a dash are attributes; `on...` listeners) and children. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === 'dataset') Object.assign(element.dataset, value);
    else if (name.includes('-') || name === 'role' || name === 'for') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter(child => child !== undefined && child !== null));
  return element;
}

const paths = {
  mic: 'M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3',
  'mic-off': 'M9 9v3a3 3 0 0 0 5 2.2M15 11V6a3 3 0 0 0-5.8-1M5 11a7 7 0 0 0 11.5 5.4M19 11a7 7 0 0 1-.6 2.8M12 18v3M4 4l16 16',
  cam: 'M3 7h11v10H3zM14 11l7-4v10l-7-4',
  'cam-off': 'M10 7h4v4l7-4v10M14 15v2H3V7h2M4 4l16 16',
  screen: 'M3 5h18v11H3zM12 16v4M8 20h8M12 13V8.5M9.5 10.5L12 8l2.5 2.5',
  hand: 'M8 13V6.5a1.5 1.5 0 0 1 3 0V11V5a1.5 1.5 0 0 1 3 0v6V6.5a1.5 1.5 0 0 1 3 0V14a6.5 6.5 0 0 1-6.5 6.5c-2.6 0-4-1.2-5.3-3.2L3.3 14a1.5 1.5 0 0 1 2.5-1.6L8 15z',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 14a4.5 4.5 0 0 0 8 0M9 9h.01M15 9h.01',
  chat: 'M4 5h16v11H9l-5 4z',
  people: 'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3 20a6 6 0 0 1 12 0M16 5.2a3 3 0 0 1 0 5.6M17.5 14.3A6 6 0 0 1 21 20',
  leave: 'M3 14c5-5 13-5 18 0l-2.5 3-3.5-2v-2.5c-2-.7-4-.7-6 0V15l-3.5 2z',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  speaker: 'M4 4h16v11H4zM4 19h4M10 19h4M16 19h4',
  pin: 'M9 4h6l-1 6 3 3H7l3-3zM12 13v7',
  full: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  lock: 'M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4',
  send: 'M4 12l16-8-6 16-3-6z',
  close: 'M6 6l12 12M18 6L6 18',
  stats: 'M5 20V10M12 20V4M19 20v-7',
  help: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 18h.01',
  record: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
  door: 'M6 21V4h9v17M3 21h18M12 12.5h.01',
};

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}

/** Puts the icon of `data-icon` into every element that names one. */
export function drawIcons(root = document) {
  for (const element of root.querySelectorAll('[data-icon]:not(:has(> .icon))')) element.prepend(icon(element.dataset.icon));
}

/** Gives a button another icon and what it says to those who do not see it. */
export function face(button, name, label, pressed) {
  button.dataset.icon = name;
  button.querySelector('.icon')?.replaceWith(icon(name));
  button.setAttribute('aria-label', label);
  button.title = label;
  if (pressed !== undefined) button.setAttribute('aria-pressed', pressed);
}

/** A short message that goes by itself, read out by screen readers. */
export function toast(text, kind = 'note', ms = 5000) {
  let place = $('#toasts');
  if (!place) document.body.append(place = el('div', {id: 'toasts', role: 'status', 'aria-live': 'polite'}));
  const message = el('p', {className: `toast ${kind}`, textContent: text});
  place.append(message);
  while (place.children.length > 4) place.firstChild.remove();
  setTimeout(() => message.remove(), ms);
}

/** Asks in a dialog; resolves with what its form holds, or null. `fields`: elements between the title and the buttons. */
export function ask(title, fields = [], action = t('OK')) {
  return new Promise(resolve => {
    const dialog = el('dialog', {'aria-label': title},
      el('form', {method: 'dialog'}, el('h2', {textContent: title}), ...fields,
        el('div', {className: 'row end'}, el('button', {value: '', formNoValidate: true, textContent: t('Cancel')}),
          el('button', {value: 'yes', className: 'main', textContent: action}))));
    dialog.onclose = () => {
      resolve(dialog.returnValue === 'yes' ? Object.fromEntries(new FormData(dialog.querySelector('form'))) : null);
      dialog.remove();
    };
    document.body.append(dialog);
    dialog.showModal();
    (dialog.querySelector('input, textarea') ?? dialog.querySelector('.main')).focus();
  });
}

/** Shows something in a dialog with a button that closes it. */
export function show(title, ...content) {
  const dialog = el('dialog', {'aria-label': title},
    el('form', {method: 'dialog'}, el('h2', {textContent: title}), ...content,
      el('div', {className: 'row end'}, el('button', {className: 'main', textContent: t('Close')}))));
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A menu at a button: [[label, icon or none, action], ...]. Arrow keys move in it. */
export function openMenu(button, entries, className = '') {
  document.querySelector('.menu')?.remove();
  const items = entries.filter(Boolean).map(([label, name, action]) => {
    const item = el('button', {type: 'button', role: 'menuitem', dataset: name ? {icon: name} : {}}, el('span', {textContent: label}));
    item.onclick = () => {
      menu.remove();
      action();
    };
    return item;
  });
  const menu = el('div', {className: `menu ${className}`, role: 'menu'}, ...items);
  drawIcons(menu);
  (button.closest('dialog') ?? document.body).append(menu);
  const at = button.getBoundingClientRect(), size = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
  menu.style.top = `${at.bottom + size.height + 8 < innerHeight ? at.bottom + 4 : Math.max(8, at.top - size.height - 4)}px`;
  const close = back => {
    menu.remove();
    document.removeEventListener('pointerdown', outside, true);
    if (back) button.focus();
  };
  const outside = event => { if (!menu.contains(event.target)) close(false); };
  document.addEventListener('pointerdown', outside, true);
  menu.onkeydown = event => {
    const step = {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1}[event.key];
    if (step) items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    if (event.key === 'Escape' || event.key === 'Tab') close(true);
    if (step || event.key === 'Escape' || event.key === 'Tab') event.preventDefault();
    event.stopPropagation();
  };
  items[0].focus();
}

/** Remembers small things of this browser's person; where that is forbidden, for this page only. */
export const memory = {
  get(key) { try { return JSON.parse(localStorage.getItem(`cardea-${key}`)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(`cardea-${key}`, JSON.stringify(value)); } catch { /* private window */ } },
};
