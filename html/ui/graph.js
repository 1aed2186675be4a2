// A small graph of the last minute: one line for each thing, drawn as SVG.
import {el} from './dom.js';

const points = 60, width = 300, height = 80;
const svg = (tag, attributes) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
const round = value => (value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);

export class Graph {
  #lines;
  #legend;
  #top = el('span', {className: 'top'});

  constructor(parent, title, names) {
    this.#legend = names.map((name, n) => el('span', {className: `line${n}`, textContent: name}));
    const picture = svg('svg', {viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true'});
    this.#lines = names.map((name, n) => {
      const line = svg('polyline', {class: `line${n}`});
      picture.append(line);
      return {name, line, values: []};
    });
    parent.append(el('figure', {className: 'graph card'}, el('figcaption', {textContent: title}), this.#top, picture,
      el('p', {className: 'legend'}, ...this.#legend)));
  }

  /** One value for each line. */
  add(...values) {
    this.#lines.forEach(({values: kept}, n) => {
      kept.push(values[n]);
      if (kept.length > points) kept.shift();
    });
    const highest = Math.max(1, ...this.#lines.flatMap(({values: kept}) => kept)) * 1.1;
    this.#top.textContent = round(highest);
    this.#lines.forEach(({name, line, values: kept}, n) => {
      const x = at => width * (points - kept.length + at) / (points - 1);
      const y = value => height - 2 - (height - 4) * value / highest;
      line.setAttribute('points', kept.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' '));
      this.#legend[n].textContent = `${name} ${round(values[n])}`;
    });
  }
}
