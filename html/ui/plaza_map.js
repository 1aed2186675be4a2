// The map of the plaza: zones and people on a canvas, walked on with keys, touch or click.
const width = 1600, height = 1000;
const speed = 240;        // a second
const tellEveryMs = 60;
const size = 20;

export class PlazaMap {
  others = new Map(); // identity -> {x, y, nickname, shown: {x, y}}
  talking = new Set();
  frames = 0;
  #canvas;
  #zones;
  #tell;
  #pressed = new Set();
  #goal = null;
  #last = 0;
  #told = 0;
  #toldPlace = null;
  #frame = null;
  #name = '';

  /** @param {(place: {x: number, y: number}) => void} tell is called with our place as it changes */
  constructor(canvas, zones, at, tell) {
    this.#canvas = canvas;
    this.#zones = zones;
    this.own = {...at};
    this.#tell = tell;
  }

  begin(name) {
    this.#name = name;
    const steps = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    this.#canvas.onkeydown = event => {
      if (!steps[event.key]) return;
      event.preventDefault();
      this.#goal = null;
      this.#pressed.add(event.key);
    };
    this.#canvas.onkeyup = ({key}) => this.#pressed.delete(key);
    this.#canvas.onblur = () => this.#pressed.clear();
    this.#canvas.onpointerdown = this.#canvas.onpointermove = event => {
      if (event.buttons === 0) return;
      const {scale, left, top} = this.#view();
      this.#goal = {x: (event.offsetX - left) / scale, y: (event.offsetY - top) / scale};
    };
    const draw = now => {
      this.#walk([...this.#pressed].map(key => steps[key]), Math.min(0.1, (now - this.#last) / 1000), now);
      this.#last = now;
      this.#draw();
      ++this.frames;
      this.#frame = requestAnimationFrame(draw);
    };
    this.#frame = requestAnimationFrame(draw);
  }

  end() {
    cancelAnimationFrame(this.#frame);
    this.others.clear();
  }

  put(identity, state) {
    if (!state || state.x === undefined) return;
    const before = this.others.get(identity);
    this.others.set(identity, {...before, ...state, shown: before?.shown ?? {x: state.x, y: state.y}});
  }

  zoneAt({x, y}) {
    return this.#zones.find(zone => (zone.radius
      ? Math.hypot(x - zone.x, y - zone.y) <= zone.radius
      : x >= zone.x && x < zone.x + zone.width && y >= zone.y && y < zone.y + zone.height))?.name;
  }

  #walk(steps, seconds, now) {
    let x = 0, y = 0;
    for (const [dx, dy] of steps) [x, y] = [x + dx, y + dy];
    if (this.#goal) [x, y] = [this.#goal.x - this.own.x, this.#goal.y - this.own.y];
    const distance = Math.hypot(x, y);
    if (this.#goal && distance < 4) this.#goal = null;
    else if (distance > 0) {
      const step = Math.min(speed * seconds, this.#goal ? distance : Infinity) / distance;
      this.own.x = Math.max(size, Math.min(width - size, this.own.x + x * step));
      this.own.y = Math.max(size, Math.min(height - size, this.own.y + y * step));
    }
    const place = {x: Math.round(this.own.x), y: Math.round(this.own.y)};
    if (now - this.#told < tellEveryMs || (place.x === this.#toldPlace?.x && place.y === this.#toldPlace?.y)) return;
    this.#told = now;
    this.#toldPlace = place;
    this.#tell(place);
  }

  /** The whole map if it fits, else the part around us. */
  #view() {
    const {clientWidth, clientHeight} = this.#canvas;
    const scale = Math.max(0.55, Math.min(clientWidth / width, clientHeight / height));
    const place = (at, length, shown) => (length * scale <= shown ? (shown - length * scale) / 2
      : Math.min(0, Math.max(shown - length * scale, shown / 2 - at * scale)));
    return {scale, left: place(this.own.x, width, clientWidth), top: place(this.own.y, height, clientHeight)};
  }

  #draw() {
    const canvas = this.#canvas, density = devicePixelRatio;
    const [w, h] = [Math.round(canvas.clientWidth * density), Math.round(canvas.clientHeight * density)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const {scale, left, top} = this.#view();
    const context = canvas.getContext('2d');
    const style = getComputedStyle(canvas);
    const [paper, line, ink, accent, soft] = ['--paper', '--line', '--ink', '--accent', '--soft'].map(name => style.getPropertyValue(name));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, w, h);
    context.setTransform(scale * density, 0, 0, scale * density, left * density, top * density);
    context.fillStyle = paper;
    context.beginPath();
    context.roundRect(0, 0, width, height, 24);
    context.fill();
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.beginPath();
    for (let x = 100; x < width; x += 100) { context.moveTo(x, 0); context.lineTo(x, height); }
    for (let y = 100; y < height; y += 100) { context.moveTo(0, y); context.lineTo(width, y); }
    context.stroke();
    context.textAlign = 'center';
    for (const zone of this.#zones) this.#drawZone(context, zone, soft, accent);
    for (const [identity, person] of this.others) {
      person.shown.x += (person.x - person.shown.x) * 0.25;
      person.shown.y += (person.y - person.shown.y) * 0.25;
      this.#drawPerson(context, person.shown, person.nickname ?? '', this.talking.has(identity), '#4557a0', ink, accent);
    }
    this.#drawPerson(context, this.own, this.#name, false, '#c0632b', ink, accent);
  }

  #drawZone(context, zone, soft, accent) {
    context.beginPath();
    if (zone.radius) context.arc(zone.x, zone.y, zone.radius, 0, 2 * Math.PI);
    else context.roundRect(zone.x, zone.y, zone.width, zone.height, 16);
    context.fillStyle = soft;
    context.fill();
    context.strokeStyle = accent;
    context.stroke();
    context.fillStyle = accent;
    context.font = '600 20px system-ui, sans-serif';
    context.fillText(zone.name, zone.x + (zone.radius ? 0 : zone.width / 2), zone.y + (zone.radius ? 0 : zone.height / 2));
  }

  #drawPerson(context, {x, y}, name, talks, colour, ink, accent) {
    if (talks) {
      context.beginPath();
      context.arc(x, y, size + 6, 0, 2 * Math.PI);
      context.strokeStyle = accent;
      context.lineWidth = 4;
      context.stroke();
    }
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.fillStyle = '#fff';
    context.font = '600 18px system-ui, sans-serif';
    context.fillText([...name][0]?.toUpperCase() ?? '', x, y + 6);
    context.fillStyle = ink;
    context.font = '15px system-ui, sans-serif';
    context.fillText(name, x, y + size + 18);
  }
}
