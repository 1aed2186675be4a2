// What the tests ask of a page in Firefox; the functions that are handed to evaluate() run inside the page.
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const moving = ([selector, width]) => {
  const video = document.querySelector(selector);
  if (!video || video.readyState < 2 || !video.videoWidth || (width && video.videoWidth !== width)) return false;
  const context = (window.sampling ??= new OffscreenCanvas(32, 24).getContext('2d', {willReadFrequently: true}));
  context.drawImage(video, 0, 0, 32, 24);
  const seen = (video.pictures ??= new Set());
  seen.add([...context.getImageData(0, 0, 32, 24).data].join());
  return seen.size >= 4 && {width: video.videoWidth, height: video.videoHeight};
};

const audible = selector => {
  const element = document.querySelector(selector);
  if (!element?.srcObject?.getAudioTracks().length) return false;
  const context = (window.hearing ??= new AudioContext());
  context.resume();
  element.analyser ??= context.createMediaStreamSource(element.srcObject).connect(context.createAnalyser());
  const samples = new Float32Array(element.analyser.fftSize);
  element.analyser.getFloatTimeDomainData(samples);
  return Math.max(...samples.map(Math.abs)) > 0.01;
};

// Firefox's getVideoPlaybackQuality() does not count frames of live streams.
const count = selector => {
  const video = document.querySelector(selector);
  if (video.frames === undefined) {
    video.frames = 0;
    const next = () => video.requestVideoFrameCallback(() => (++video.frames, next()));
    next();
  }
  return video.frames;
};

/** How many frames the video of `selector` has shown since this was asked first. */
export const framesShown = (page, selector) => page.evaluate(count, selector);
/** Waits until the video of `selector` shows different pictures; returns their size. */
export const sees = (page, selector, {width, ms} = {}) => page.waitFor(moving, [selector, width], `${selector} moves`, ms);
/** Waits until what the element of `selector` plays is loud. */
export const hears = (page, selector) => page.waitFor(audible, selector, `${selector} is heard`);

/** The functions of stage.js in a page of the gateway, as `page.stage`. */
export async function openStage(firefox, gateway) {
  // A document of the gateway's origin that has no script of its own: the browser shows a text as a page.
  const page = await firefox.openPage(`${gateway.http}style.css`);
  const script = readFileSync(fileURLToPath(new URL('stage.js', import.meta.url)), 'utf8')
    .replace(/^import (.*) from '\.\/cardea\.js';$/m, `const $1 = await import('${gateway.http}cardea.js');`);
  await page.evaluate(`async () => { document.body.replaceChildren(); ${script} }`);
  page.stage = new Proxy({}, {
    get: (_, name) => (...args) => page.evaluate(([name, args]) => window.stage[name](...args), [name, args]),
  });
  page.receives = (name, kind, wanted, ms = 20_000) => page.stage.until(name, kind, String(wanted), ms);
  return page;
}
