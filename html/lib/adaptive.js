// Adaptive streams: what is shown small needs less, what is not seen needs nothing.
import {TrackEvent} from './constants.js';
import {layersFor} from './publication.js';

const hiddenForMs = 5000; // of the whole page, before its pictures stop

/** Watches the elements of a subscribed video track and asks for what they can show. Returns a function that ends it. */
export function adapt(track, publication, {pixelDensity = 'screen'} = {}) {
  const shown = new Map(); // element -> {width, height, visible}
  let hidden = null;
  const density = () => (pixelDensity === 'screen' ? Math.min(2, globalThis.devicePixelRatio ?? 1) : pixelDensity);

  function choose() {
    let width = 0, height = 0, visible = false;
    for (const size of shown.values()) {
      if (!size.visible) continue;
      visible = true;
      width = Math.max(width, size.width * density());
      height = Math.max(height, size.height * density());
    }
    const inPicture = track.attachedElements.includes(document.pictureInPictureElement);
    const send = (visible && hidden !== true) || inPicture;
    publication.setLayers(send ? layersFor(width, height) : {send: false, substream: 0, temporal: 2});
  }

  const sizes = new ResizeObserver(entries => {
    for (const {target, contentRect} of entries) {
      const size = shown.get(target);
      if (size) Object.assign(size, {width: contentRect.width, height: contentRect.height});
    }
    choose();
  });
  const sights = new IntersectionObserver(entries => {
    for (const {target, isIntersecting} of entries) {
      const size = shown.get(target);
      if (size) size.visible = isIntersecting;
    }
    choose();
  }, {rootMargin: '20%'});
  const attached = element => {
    if (shown.has(element)) return;
    shown.set(element, {width: element.clientWidth, height: element.clientHeight, visible: true});
    sizes.observe(element);
    sights.observe(element);
  };
  const detached = element => {
    shown.delete(element);
    sizes.unobserve(element);
    sights.unobserve(element);
    choose();
  };
  const pageChanged = () => {
    clearTimeout(hidden);
    if (document.hidden) {
      hidden = setTimeout(() => {
        hidden = true;
        choose();
      }, hiddenForMs);
    } else {
      hidden = null;
      choose();
    }
  };
  track.on(TrackEvent.ElementAttached, attached).on(TrackEvent.ElementDetached, detached);
  track.attachedElements.forEach(attached);
  document.addEventListener('visibilitychange', pageChanged);
  return () => {
    clearTimeout(hidden);
    track.off(TrackEvent.ElementAttached, attached).off(TrackEvent.ElementDetached, detached);
    sizes.disconnect();
    sights.disconnect();
    document.removeEventListener('visibilitychange', pageChanged);
  };
}
