import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {audibleSound, inbound, movingVideo, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway, until} from '../lib/gateway.mjs';

let gateway, browser;
const rooms = ids => ids.map(id => `room-${id}: { description = "Room ${id}"; publishers = 6; audiolevel_event = true;
  audio_active_packets = 25; audio_level_average = 115; notify_joining = true; };`).join('\n');
before(async () => {
  gateway = await startGateway({
    set: {'cardea.general.reclaim_session_timeout': 10},
    files: {'videoroom.cfg': rooms([1234, 2, 3, 4, 5])},
  });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function enter(room, name, parameters = '', options = {}) {
  const page = await openPage(browser, `${gateway.http}videoroom.html?auto=1&room=${room}&name=${name}${parameters}`, options);
  page.display = name;
  return page;
}

const tileOf = name => `.tile:has(.name:text-is("${name}"))`;

// The remote tile of `name` on `page` gets a plain CSS name, since the sampling runs inside the page.
async function tile(page, name) {
  const id = `tile-${name.replace(/\W/g, '-')}`;
  const element = await page.waitForSelector(tileOf(name), {timeout: 15_000});
  await element.evaluate((node, id) => (node.id = id), id);
  return `#${id} video`;
}

async function sees(page, name, options) { return movingVideo(page, await tile(page, name), options); }

test('three people see and hear each other, and one who leaves is gone', async () => {
  const pages = [];
  for (const name of ['ann', 'bob', 'cem']) pages.push(await enter(1234, name));
  for (const page of pages) {
    for (const other of pages) if (other !== page) await sees(page, other.display, {timeout: 30_000});
    await audibleSound(page, {tracks: 2});
  }
  await pages[2].click('#leave');
  for (const page of pages.slice(0, 2)) {
    await page.waitForSelector(tileOf('cem'), {state: 'detached'});
    assert.deepEqual(page.problems, []);
  }
  await sees(pages[0], 'bob');
  for (const page of pages) await page.context().close();
});

test('a tab that is closed is gone for the others at once', async () => {
  const quick = await startGateway();
  try {
    const ann = await openPage(browser, `${quick.http}videoroom.html?auto=1&room=1234&name=ann`);
    const bob = await openPage(browser, `${quick.http}videoroom.html?auto=1&room=1234&name=bob`);
    await sees(ann, 'bob', {timeout: 30_000});
    await bob.context().close();
    await ann.waitForSelector(tileOf('bob'), {state: 'detached', timeout: 3000});
    await ann.context().close();
  } finally {
    await quick.stop();
  }
});

test('a subscriber chooses the quality of a simulcast publisher', async () => {
  const ann = await enter(2, 'ann');
  const bob = await enter(2, 'bob');
  await sees(bob, 'ann', {width: 1280, timeout: 30_000});
  await bob.selectOption('#tile-ann select', '0');
  await sees(bob, 'ann', {width: 320});
  await bob.selectOption('#tile-ann select', '2');
  await sees(bob, 'ann', {width: 1280, timeout: 30_000});
  for (const page of [ann, bob]) await page.context().close();
});

test('a late joiner sees the first frame within three seconds of loading the page', async t => {
  // Small cameras: three that encode a large picture each take the machine's cores, and more than the three seconds.
  const small = {camera: {width: 320, height: 180}};
  const ann = await enter(3, 'ann', '', small);
  const bob = await enter(3, 'bob', '', small);
  await sees(bob, 'ann', {timeout: 30_000});
  const began = Date.now();
  const late = await enter(3, 'late', '', small);
  await late.waitForFunction(() => [...document.querySelectorAll('.tile:not(.own) video')].filter(v => v.videoWidth).length === 2,
    null, {timeout: 15_000, polling: 10});
  t.diagnostic(`page load to the first frames of both: ${Date.now() - began} ms`);
  assert.ok(Date.now() - began < 3000);
  for (const page of [ann, bob, late]) await page.context().close();
});

test('a muted microphone is silent for the others, and talking is shown', async () => {
  const ann = await enter(4, 'ann');
  const bob = await enter(4, 'bob');
  await sees(bob, 'ann', {timeout: 30_000});
  await bob.waitForSelector('#tile-ann.talking', {timeout: 15_000});
  await ann.click('#mic');
  await bob.waitForSelector('#tile-ann:not(.talking)', {timeout: 15_000});
  for (const page of [ann, bob]) await page.context().close();
});

test('a shared screen reaches the others by renegotiation', async () => {
  const ann = await enter(5, 'ann');
  const bob = await enter(5, 'bob');
  await sees(bob, 'ann', {timeout: 30_000});
  // A screen that works headless: a canvas.
  await ann.evaluate(() => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = Object.assign(document.createElement('canvas'), {width: 800, height: 600});
      const context = canvas.getContext('2d');
      let hue = 0;
      setInterval(() => {
        context.fillStyle = `hsl(${(hue += 7) % 360} 80% 50%)`;
        context.fillRect(0, 0, 800, 600);
      }, 50);
      return canvas.captureStream(20);
    };
  });
  await ann.click('#screen');
  await sees(bob, "ann's screen", {width: 800});
  await sees(bob, 'ann');
  assert.deepEqual(ann.problems, []);
  assert.deepEqual(bob.problems, []);
  for (const page of [ann, bob]) await page.context().close();
});

test('a reloaded page claims its session and is back for the others', async () => {
  const ann = await enter(1234, 'ann');
  const bob = await enter(1234, 'bob');
  await sees(ann, 'bob', {timeout: 30_000});
  const session = await bob.evaluate(() => JSON.parse(sessionStorage.getItem('cardea-videoroom')).session);
  await bob.reload();
  await sees(bob, 'ann', {timeout: 30_000});
  assert.equal(await bob.evaluate(() => JSON.parse(sessionStorage.getItem('cardea-videoroom')).session), session);
  await sees(ann, 'bob', {timeout: 30_000});
  assert.equal(await ann.locator(tileOf('bob')).count(), 1);
  const frames = await inbound(ann, 'video', 'framesDecoded');
  await until(async () => (await inbound(ann, 'video', 'framesDecoded')) > frames + 10, 'frames of the reloaded page');
  for (const page of [ann, bob]) await page.context().close();
});
