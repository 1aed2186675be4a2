// The meet page: a conference as people use it.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {audibleSound, inbound, movingVideo, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway, until} from '../lib/gateway.mjs';

let gateway, browser;
before(async () => {
  gateway = await startGateway();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const small = {camera: {width: 320, height: 180}};
const patient = {timeout: 40_000};

async function enter(room, name, {at = gateway, parameters = '', hash = '', options = small} = {}) {
  const page = await openPage(browser, `${at.http}meet.html?auto=1&room=${room}&name=${name}${parameters}${hash}`, options);
  page.display = name;
  await page.waitForSelector('#meeting:not([hidden])', patient);
  return page;
}
const close = pages => Promise.all(pages.map(page => page.context().close()));
const tileOf = name => `.tile:has(.name:text-is("${name}"))`;

// The tile of `name` on `page` gets a plain CSS name, since the sampling runs inside the page.
async function tile(page, name) {
  const id = `tile-${name.replace(/\W/g, '-')}`;
  const element = await page.waitForSelector(tileOf(name), patient);
  await element.evaluate((node, id) => (node.id = id), id);
  return `#${id} video`;
}
async function sees(page, name, options) { return movingVideo(page, await tile(page, name), {...patient, ...options}); }
const gone = (page, name) => page.waitForSelector(tileOf(name), {state: 'detached', ...patient});
const said = (page, text) => page.waitForSelector(`.log p:has-text("${text}")`, {...patient, state: 'attached'});
async function write(page, text, to) {
  if (await page.isHidden('#chat')) await page.click('#talk');
  if (to) await page.selectOption('#chat select', {label: `Only ${to}`});
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
  await page.waitForFunction(() => document.querySelector('#text').value === '');
}
/** A screen that works headless: a canvas. */
const screenOfCanvas = page => page.evaluate(() => {
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
async function menu(page, name, entry) {
  await page.hover(tileOf(name));
  await page.click(`${tileOf(name)} > button`);
  await page.click(`.menu button:has-text("${entry}")`);
}

test('three people meet: video, sound, screen, whisper, name, reload, sending out', async () => {
  const pages = [];
  for (const name of ['ann', 'bob', 'cem']) pages.push(await enter('three', name));
  const [ann, bob, cem] = pages;
  for (const page of pages) {
    for (const other of pages) if (other !== page) await sees(page, other.display);
    await audibleSound(page, {tracks: 2, ...patient});
  }
  // A screen beside the camera, large for the others; nothing of it is left when it ends.
  await screenOfCanvas(ann);
  await ann.click('#screen');
  await sees(bob, "ann's screen", {width: 800});
  await sees(bob, 'ann');
  await bob.waitForSelector('.tile.main.screen');
  await ann.click('#screen');
  await gone(bob, "ann's screen");
  await sees(bob, 'ann');
  // To all, and to one
  await write(ann, 'hello everybody');
  await said(bob, 'hello everybody');
  assert.equal(await bob.textContent('#unread'), '1');
  await write(ann, '<b>psst</b>', 'cem');
  await said(cem, '<b>psst</b>');
  await said(ann, 'ann whispers to cem');
  assert.equal(await bob.locator('.log p:has-text("psst")').count(), 0);
  // Another name
  await ann.click('#more');
  await ann.click('.menu button:has-text("Change your name")');
  await ann.fill('dialog input', 'anna');
  await ann.click('dialog .main');
  await sees(cem, 'anna');
  // A reload comes back as one tile, with the history.
  await cem.reload();
  await sees(cem, 'bob');
  await sees(bob, 'cem');
  await until(async () => (await bob.locator(tileOf('cem')).count()) === 1, 'one tile of cem');
  await said(cem, 'hello everybody');
  // The host sends one out.
  await menu(ann, 'cem', 'Send out');
  await ann.click('dialog .main');
  await cem.waitForSelector('#after:not([hidden])');
  assert.match(await cem.textContent('#aftertext'), /sent out/);
  await gone(bob, 'cem');
  // Leaving leaves nothing behind.
  await ann.click('#leave');
  await gone(bob, 'anna');
  assert.ok(await ann.evaluate(() => connections.every(({connectionState}) => connectionState === 'closed')));
  assert.deepEqual(pages.flatMap(({problems}) => problems), []);
  await close(pages);
});

test('a gateway that restarts has everybody back by themselves, and typed text stays', async () => {
  const port = {};
  let own = await startGateway();
  port['http.general.port'] = new URL(own.http).port;
  const ann = await enter('again', 'ann', {at: own}), bob = await enter('again', 'bob', {at: own});
  await sees(ann, 'bob');
  await sees(bob, 'ann');
  await ann.click('#talk');
  await ann.fill('#text', 'not sent yet');
  await own.stop();
  await ann.waitForSelector('body.reconnecting');
  own = await startGateway({set: port});
  await ann.waitForSelector('body:not(.reconnecting)', {timeout: 60_000});
  await bob.waitForSelector('body:not(.reconnecting)', {timeout: 60_000});
  await sees(ann, 'bob');
  await sees(bob, 'ann');
  await audibleSound(ann, patient);
  assert.equal(await ann.inputValue('#text'), 'not sent yet');
  await ann.press('#text', 'Enter');
  await said(bob, 'not sent yet');
  assert.equal(await ann.locator('.tile').count(), 2);
  await close([ann, bob]);
  await own.stop();
});

test('a tab that is closed is gone for the others at once', async () => {
  const ann = await enter('closing', 'ann'), bob = await enter('closing', 'bob');
  await sees(ann, 'bob');
  await bob.close({runBeforeUnload: false});
  await ann.waitForSelector(tileOf('bob'), {state: 'detached', timeout: 5000});
  await close([ann, bob]);
});

test('muting, talking and raised hands are shown; the host mutes for all', async () => {
  const ann = await enter('quiet', 'ann'), bob = await enter('quiet', 'bob');
  await sees(ann, 'bob');
  const bobs = tileOf('bob');
  await ann.waitForSelector(`${bobs}.talking`, patient);
  await bob.keyboard.press('m');
  await ann.waitForSelector(`${bobs} .quiet:not([hidden])`);
  await ann.waitForSelector(`${bobs}:not(.talking)`, patient);
  await bob.keyboard.press('m');
  await ann.waitForSelector(`${bobs} .quiet[hidden]`, {state: 'attached'});
  await bob.keyboard.press('h');
  await ann.waitForSelector(`${bobs} .hand:not([hidden])`);
  await bob.keyboard.press('v');
  await ann.waitForSelector(`${bobs} .avatar:not([hidden])`);
  await bob.keyboard.press('v');
  await sees(ann, 'bob');
  await menu(ann, 'bob', 'Mute for all');
  await bob.waitForSelector('#mic[aria-pressed="true"]');
  await bob.waitForSelector('.toast:has-text("has muted you")');
  await menu(ann, 'bob', 'Let speak again');
  await bob.waitForSelector('#mic[aria-pressed="false"]');
  assert.deepEqual([...ann.problems, ...bob.problems], []);
  await close([ann, bob]);
});

test('a pin locks the room, the invitation carries it, and a link that is pasted twice is harmless', async () => {
  const ann = await enter('vault', 'ann');
  await ann.click('#more');
  await ann.click('.menu button:has-text("Lock the room")');
  await ann.fill('dialog input', '47 11');
  await ann.click('dialog .main');
  await ann.waitForSelector('.toast:has-text("locked")');
  await ann.click('#more');
  await ann.click('.menu button:has-text("Copy the invitation")');
  const copied = await ann.waitForSelector('dialog input, .toast:has-text("Copied")'); // a dialog where the clipboard is not allowed
  const [link] = /http\S+/.exec(await copied.evaluate(({value, textContent}) => value ?? textContent));
  assert.match(link, /meet\.html\?room=vault#pin=47/);
  const bob = await openPage(browser, link, small);
  await bob.fill('#name', 'bob');
  await bob.click('#enter');
  await sees(bob, 'ann');
  const cem = await openPage(browser, `${gateway.http}meet.html?name=cem`, small);
  await cem.fill('#room', `${link}${link}`);
  await cem.click('#enter');
  await cem.waitForSelector('#error:not([hidden])');
  assert.match(await cem.textContent('#error'), /pin/i);
  assert.equal(await cem.inputValue('#room'), 'vault');
  await cem.fill('#pin', '47 11');
  await cem.click('#enter');
  await sees(cem, 'ann');
  await close([ann, bob, cem]);
});

test('without camera, permission or secure page the reason is said and one may still join', async () => {
  const ann = await enter('blind', 'ann');
  const bob = await openPage(browser, null, small);
  await bob.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async ({video}) => { throw new DOMException('no', video ? 'NotFoundError' : 'NotAllowedError'); };
  });
  await bob.goto(`${gateway.http}meet.html?room=blind&name=bob`);
  await bob.waitForSelector('.preview .error:not([hidden])');
  assert.match(await bob.textContent('.preview .error'), /Microphone: .*not allowed.*Camera: .*no such device/s);
  await bob.click('#enter');
  await sees(bob, 'ann');
  await ann.waitForSelector(`${tileOf('bob')} .avatar:not([hidden])`);
  await close([ann, bob]);
});

test('nine tiles fill the window well, and a pinned one is large', async () => {
  const ann = await enter('grid', 'ann');
  const bob = await enter('grid', 'bob');
  await sees(ann, 'bob');
  const area = () => ann.evaluate(() => {
    const stage = document.querySelector('#stage').getBoundingClientRect();
    const tiles = [...document.querySelectorAll('.tile')].map(tile => tile.getBoundingClientRect());
    for (const tile of tiles) if (tile.right > stage.right + 1 || tile.bottom > stage.bottom + 1) return 0;
    return tiles.reduce((sum, {width, height}) => sum + width * height, 0) / (stage.width * stage.height);
  });
  assert.ok((await area()) > 0.55);
  // Others without media: participants of the API alone.
  await ann.evaluate(async () => {
    const {Room} = await import('./cardea.js');
    window.others = [];
    for (let n = 0; n < 7; ++n) {
      const other = new Room();
      await other.connect(undefined, {room: 'grid', name: `p${n}`});
      window.others.push(other);
    }
  });
  await until(async () => (await ann.locator('.tile').count()) === 9, 'nine tiles', 30_000);
  assert.ok((await area()) > 0.6, `filled: ${await area()}`);
  await ann.setViewportSize({width: 390, height: 844});
  await until(async () => (await area()) > 0.6, 'filled on a phone');
  await menu(ann, 'bob', 'Show large');
  await ann.waitForSelector(`${tileOf('bob')}.main`);
  await close([ann, bob]);
});

test('keys: a list of them by ?, statistics on every picture', async () => {
  const ann = await enter('keys', 'ann'), bob = await enter('keys', 'bob');
  await sees(ann, 'bob');
  await ann.keyboard.press('?');
  await ann.waitForSelector('dialog dl.keys');
  await ann.keyboard.press('Escape');
  await ann.keyboard.press('i');
  await ann.waitForSelector(`${tileOf('bob')} .facts:has-text("kbit/s")`, patient);
  const frames = await inbound(ann, 'video', 'framesDecoded');
  await until(async () => (await inbound(ann, 'video', 'framesDecoded')) > frames + 5, 'frames');
  await close([ann, bob]);
});
