// The panel at the side: one of several sections at a time, as wide as one likes.
import {memory} from './dom.js';

const narrowest = 240;

export class SidePanel {
  #element;
  #sections;
  open = null;
  onopen = () => {};

  /** @param {Record<string, [Element, Element, Element]>} sections by name: the button that opens it, its tab, its content */
  constructor(element, sections) {
    this.#element = element;
    this.#sections = sections;
    for (const [name, [, tab]] of Object.entries(sections)) tab.onclick = () => this.show(name);
    element.onkeydown = event => { if (event.key === 'Escape') this.toggle(this.open); };
    this.#resizable(element.querySelector('.grip'));
    this.#apply();
  }

  toggle(name) { return this.open === name ? this.show(null) : this.show(name); }

  show(name) {
    this.open = name;
    this.#apply();
    if (name) this.onopen(name);
  }

  #apply() {
    this.#element.hidden = !this.open;
    for (const [name, [button, tab, content]] of Object.entries(this.#sections)) {
      button.setAttribute('aria-pressed', name === this.open);
      tab.setAttribute('aria-selected', name === this.open);
      tab.tabIndex = name === this.open ? 0 : -1;
      content.hidden = name !== this.open;
    }
  }

  #resizable(grip) {
    const set = width => {
      const fits = Math.round(Math.max(narrowest, Math.min(innerWidth * 0.6, width)));
      this.#element.style.setProperty('--side', `${fits}px`);
      grip.setAttribute('aria-valuenow', fits);
      memory.set('side', fits);
    };
    grip.setAttribute('aria-valuemin', narrowest);
    grip.setAttribute('aria-valuemax', 1200);
    set(memory.get('side') ?? 320);
    grip.onpointerdown = event => {
      grip.setPointerCapture(event.pointerId);
      grip.onpointermove = move => set(this.#element.getBoundingClientRect().right - move.clientX);
    };
    grip.onpointerup = () => (grip.onpointermove = null);
    grip.onkeydown = event => {
      const step = {ArrowLeft: 24, ArrowRight: -24}[event.key];
      if (step) set(this.#element.getBoundingClientRect().width + step);
    };
  }
}
