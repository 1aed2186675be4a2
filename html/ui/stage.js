// All tiles of a room, and where they stand: a grid that fills the window, or one large and the others in a row.
import {RoomEvent, Track} from '../cardea.js';
import {Tile, tileEvents} from './tile.js';

const {Camera, ScreenShare} = Track.Source;
const ratio = 16 / 9, gap = 8;

/** How wide tiles of 16:9 may be, that many of them in the place there is. */
export function tileWidth(count, width, height) {
  let best = 0;
  for (let columns = 1; columns <= count; ++columns) {
    const rows = Math.ceil(count / columns);
    best = Math.max(best, Math.min((width - gap * (columns - 1)) / columns, ratio * (height - gap * (rows - 1)) / rows));
  }
  return best;
}

export class Stage {
  #element;
  #room;
  #options;
  #tiles = new Map(); // key -> Tile
  #pinned = null;
  #view = 'grid';
  #loudest = null;
  #timer;
  #sizes = new ResizeObserver(() => this.#place());
  showsFacts = false;

  /**
   * @param {{onMenu?: (tile: Tile, button: Element) => void, order?: (person: Participant) => number, filter?: (tile: Tile) => boolean,
   *   main?: (tiles: Tile[]) => Tile | undefined}} options what stands in a tile's menu, whom to show first, which tiles at all, which large
   */
  constructor(element, room, options = {}) {
    this.#element = element;
    this.#room = room;
    this.#options = options;
    for (const event of tileEvents) room.on(event, this.#update);
    room.on(RoomEvent.ActiveSpeakersChanged, this.#speakers);
    this.#sizes.observe(element);
    this.#timer = setInterval(() => this.#tick(), 200);
    this.update();
  }

  get view() { return this.#view; }
  set view(view) {
    this.#view = view;
    this.#pinned = view === 'grid' ? null : this.#pinned;
    this.#place();
  }

  /** Shows that tile large, or (null) as it was. */
  pin(key) {
    this.#pinned = this.#pinned === key ? null : key;
    this.#place();
  }
  get pinned() { return this.#pinned; }

  tileOf(person, source = Camera) { return this.#tiles.get(`${person.identity}/${source}`); }

  update() {
    const people = [this.#room.localParticipant, ...this.#room.remoteParticipants.values()];
    const wanted = new Map();
    for (const person of people) {
      wanted.set(`${person.identity}/${Camera}`, [person, Camera]);
      if (person.getTrackPublication(ScreenShare)) wanted.set(`${person.identity}/${ScreenShare}`, [person, ScreenShare]);
    }
    for (const [key, tile] of this.#tiles) {
      if (wanted.get(key)?.[0] === tile.person) continue;
      tile.remove();
      this.#tiles.delete(key);
      if (this.#pinned === key) this.#pinned = null;
    }
    for (const [key, [person, source]] of wanted) {
      if (!this.#tiles.has(key)) this.#tiles.set(key, new Tile(person, source, this.#options));
      this.#tiles.get(key).update();
    }
    this.#place();
  }

  close() {
    for (const event of tileEvents) this.#room.off(event, this.#update);
    this.#room.off(RoomEvent.ActiveSpeakersChanged, this.#speakers);
    this.#sizes.disconnect();
    clearInterval(this.#timer);
    for (const tile of this.#tiles.values()) tile.remove();
    this.#tiles.clear();
  }

  #update = () => this.update();

  #speakers = speakers => {
    const other = speakers.find(({isLocal}) => !isLocal);
    if (!other || other === this.#loudest) return;
    this.#loudest = other;
    if (this.#view === 'speaker') this.#place();
  };

  #tick() {
    for (const tile of this.#tiles.values()) {
      tile.listen();
      tile.showFacts(this.showsFacts);
    }
  }

  /** The tile that is shown large: what was pinned, else a screen, else (speaker view) who spoke last. */
  #main(tiles) {
    const pinned = this.#tiles.get(this.#pinned);
    if (pinned) return pinned;
    if (this.#options.main) return this.#options.main(tiles);
    const screen = tiles.find(({isScreen, person}) => isScreen && (!person.isLocal || this.#view === 'speaker'));
    if (screen) return screen;
    if (this.#view !== 'speaker') return null;
    return tiles.find(({person}) => person === this.#loudest) ?? tiles.find(({person}) => !person.isLocal) ?? tiles[0];
  }

  #place() {
    const {filter = () => true, order = person => (person.isLocal ? 1 : 0)} = this.#options;
    const tiles = [...this.#tiles.values()].filter(filter).sort((a, b) => order(a.person) - order(b.person));
    const main = this.#main(tiles);
    this.#element.classList.toggle('with-main', Boolean(main));
    for (const tile of this.#tiles.values()) {
      tile.element.classList.toggle('main', tile === main);
      tile.element.classList.toggle('pinned', tile.key === this.#pinned);
      if (!tiles.includes(tile)) tile.element.remove();
    }
    const ordered = main ? [main, ...tiles.filter(tile => tile !== main)] : tiles;
    // Moving an element would stop its picture for a moment: only those in the wrong place move.
    ordered.forEach(({element}, at) => {
      if (this.#element.children[at] !== element) this.#element.insertBefore(element, this.#element.children[at] ?? null);
    });
    const {clientWidth, clientHeight} = this.#element;
    const tile = tileWidth(Math.max(1, ordered.length), clientWidth, clientHeight);
    this.#element.style.setProperty('--tile', `${Math.floor(tile)}px`);
    this.#element.dataset.count = ordered.length;
  }
}
