// Headless Chromium with a fake camera (a moving picture) and microphone (beeps).
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export async function startBrowser() {
  if (!executablePath) throw new Error('no chromium: apt-get install chromium');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
      '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--auto-select-desktop-capture-source=Entire screen',
      '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
    ],
  });
}

/** A page with its errors collected in `page.problems`. camera: {width, height} whatever it asks for. */
export async function openPage(browser, url, {camera} = {}) {
  // Without a url the page is the test's own, with scripts of its own: the policy of the gateway's pages is not for it.
  const context = await browser.newContext({ignoreHTTPSErrors: true, bypassCSP: !url});
  const page = await context.newPage();
  // A text that is shown as a page names no icon, and the browser asks for one.
  if (!url) await page.route(({pathname}) => pathname === '/favicon.ico', route => route.fulfill({status: 204}));
  page.problems = [];
  page.on('pageerror', error => page.problems.push(error.stack ?? String(error)));
  page.on('console', message => message.type() === 'error' && page.problems.push(message.text()));
  await page.addInitScript(camera => {
    const devices = camera && navigator.mediaDevices;
    const native = devices?.getUserMedia.bind(devices);
    if (native) devices.getUserMedia = wanted => native({...wanted, video: wanted.video && camera});
  }, camera);
  await page.addInitScript(() => {
    // Every peer connection of the page, for its statistics.
    window.connections = [];
    const Native = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Native {
      constructor(...args) {
        super(...args);
        window.connections.push(this);
      }
    };
  });
  if (url) await page.goto(url);
  return page;
}

/** Runs a file of an installed npm package in the page. */
export function addScript(page, file) {
  return page.addScriptTag({path: fileURLToPath(new URL(`../node_modules/${file}`, import.meta.url))});
}

/** Waits until the video of `selector` shows frames that move; returns the size of the picture. */
export async function movingVideo(page, selector, {timeout = 15_000, width} = {}) {
  const handle = await page.waitForFunction(([selector, width]) => {
    const video = document.querySelector(selector);
    if (!video || video.readyState < 2 || !video.videoWidth || (width && video.videoWidth !== width)) return false;
    const canvas = (window.sampling ??= new OffscreenCanvas(64, 48));
    const context = canvas.getContext('2d', {willReadFrequently: true});
    context.drawImage(video, 0, 0, 64, 48);
    const pixels = context.getImageData(0, 0, 64, 48).data;
    let sum = 0, bright = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      sum = (sum * 31 + pixels[i] + 7 * pixels[i + 1] + 13 * pixels[i + 2]) >>> 0;
      bright += pixels[i] + pixels[i + 1] + pixels[i + 2];
    }
    const seen = (video.sums ??= new Set());
    if (bright > 10000) seen.add(sum);
    return seen.size >= 5 && {width: video.videoWidth, height: video.videoHeight};
  }, [selector, width], {timeout, polling: 50});
  return handle.jsonValue();
}

/** Waits until sound of some energy has come in on any connection of the page. */
export async function audibleSound(page, {timeout = 15_000, tracks = 1} = {}) {
  await page.waitForFunction(async tracks => {
    let heard = 0;
    for (const connection of window.connections) {
      if (connection.connectionState === 'closed') continue;
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'audio' && report.totalAudioEnergy > 1e-5) ++heard;
      }
    }
    return heard >= tracks;
  }, tracks, {timeout, polling: 100});
}

/** Adds up a field of the inbound video (or audio) statistics of all connections of the page. */
export async function inbound(page, kind, field) {
  return page.evaluate(async ([kind, field]) => {
    let sum = 0;
    for (const connection of window.connections) {
      if (connection.connectionState === 'closed') continue;
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.kind === kind) sum += report[field] ?? 0;
      }
    }
    return sum;
  }, [kind, field]);
}
