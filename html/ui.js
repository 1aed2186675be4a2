// What the pages share: shorthand for elements, tiles with a name and the size of what is received, media of this machine.

export const $ = selector => document.querySelector(selector);
export const parameters = new URLSearchParams(location.search);

export function say(text) { $('#state').textContent = text; }

export function fail(error) {
  $('#error').textContent = error?.message ?? String(error);
  $('#error').hidden = false;
  console.error(error);
}

/** A video tile. `facts` shows the received size and rate once a second. */
export class Tile {
  constructor(parent, name, {own = false} = {}) {
    this.element = document.createElement('figure');
    this.element.className = own ? 'tile own' : 'tile';
    this.element.style.margin = 0;
    this.video = Object.assign(document.createElement('video'), {autoplay: true, playsInline: true, muted: own});
    this.label = Object.assign(document.createElement('span'), {className: 'name', textContent: name});
    this.facts = Object.assign(document.createElement('span'), {className: 'facts', hidden: true});
    this.element.append(this.video, this.label, this.facts);
    parent.append(this.element);
    this.video.addEventListener('resize', () => this.showSize());
  }

  /** Shows (or plays) the track instead of one of its kind. The element gets a new stream: it does not always notice a changed one. */
  add(track) {
    const tracks = this.video.srcObject?.getTracks() ?? [];
    if (tracks.includes(track)) return;
    this.video.srcObject = new MediaStream([...tracks.filter(({kind}) => kind !== track.kind), track]);
    this.video.play().catch(() => {});
  }

  showSize() {
    this.facts.hidden = !this.video.videoWidth;
    this.facts.textContent = `${this.video.videoWidth}×${this.video.videoHeight}`;
  }

  remove() {
    this.video.srcObject = null;
    this.element.remove();
  }
}

/** Camera and microphone, or what there is of them. */
export async function localMedia({audio = true, video = true} = {}) {
  if (!navigator.mediaDevices) {
    throw new Error('The browser gives camera and microphone only to https:// pages and to localhost.');
  }
  const size = {width: {ideal: 1280}, height: {ideal: 720}};
  try {
    return await navigator.mediaDevices.getUserMedia({audio, video: video && size});
  } catch (error) {
    if (audio && video) return navigator.mediaDevices.getUserMedia({audio: true});
    throw error;
  }
}
