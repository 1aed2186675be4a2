// What every page begins with: its language, its icons, and a header that leads back.
import {$, drawIcons, el, show, toast} from './dom.js';
import {explain} from './explain.js';
import {languageChoice, t, translate} from './words.js';

export {$, ask, el, face, icon, memory, openMenu, parameters, show, toast} from './dom.js';
export {explain} from './explain.js';
export {language, t} from './words.js';

translate();
drawIcons();
$('header .tools')?.append(languageChoice());
document.documentElement.classList.add('ready');

/** Says what went wrong, in the page's place for that if it has one. */
export function fail(error) {
  const place = $('#error');
  if (!place) return toast(explain(error), 'warn', 8000);
  place.textContent = explain(error);
  place.hidden = false;
}

/** Runs `work`, with the button busy meanwhile; failures are told. */
export async function busy(button, work) {
  button.disabled = true;
  button.classList.add('busy');
  try {
    return await work();
  } catch (error) {
    fail(error);
    return undefined;
  } finally {
    button.disabled = false;
    button.classList.remove('busy');
  }
}

/** Copies a text, or shows it to be copied where the browser does not allow that. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('Copied: {text}', {text}));
  } catch {
    const field = el('input', {value: text, readOnly: true, 'aria-label': t('Copy this')});
    show(t('Copy this'), field);
    field.select();
  }
}
