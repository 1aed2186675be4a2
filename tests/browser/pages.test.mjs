// All pages: their words, their size, who they talk to, what an accessibility checker says; and the small ones at work.
import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';
import {after, before, test} from 'node:test';
import {gzipSync} from 'node:zlib';
import {audibleSound, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway, until} from '../lib/gateway.mjs';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const folder = fileURLToPath(new URL('../../html/', import.meta.url));
const pages = readdirSync(folder).filter(name => name.endsWith('.html'));
const source = name => readFileSync(`${folder}${name}`, 'utf8');
const budget = 150_000;

let gateway, browser;
before(async () => {
  gateway = await startGateway();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

// Where a page is worth looking at: as it opens, and (with the parameters that take it there) at work.
const atWork = {
  'meet.html': ['auto=1&name=Ann&room=look', '#meeting:not([hidden])'], 'lobby.html': ['auto=1&name=Ann&room=lounge', '#controls:not([hidden])'],
  'classroom.html': ['auto=1&name=Mia&role=mentor&room=look', '#inside:not([hidden])'], 'echotest.html': ['auto=1', '#controls:not([hidden])'],
  'textroom.html': ['auto=1&name=Ann', '#inside:not([hidden])'], 'plaza.html': ['auto=1&name=Ann', '#inside:not([hidden])'],
};

async function check(page, where) {
  await page.evaluate(readFileSync(axe, 'utf8'));
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({colorScheme, reducedMotion: 'reduce'});
    const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
    const serious = violations.filter(({impact}) => ['serious', 'critical', 'moderate'].includes(impact));
    assert.deepEqual(serious.map(({id, nodes}) => `${where} (${colorScheme}): ${id}: ${nodes.map(({html}) => html.slice(0, 120)).join(' | ')}`), []);
  }
}

for (const name of pages) {
  test(`${name}: fast, small, alone and accessible`, async () => {
    for (const [parameters, ready] of [['', '.ready'], atWork[name]].filter(Boolean)) {
      const page = await openPage(browser, null, {camera: {width: 320, height: 180}});
      const requests = [];
      page.on('request', request => requests.push(request.url()));
      await page.goto(`${gateway.http}${name}?${parameters}`);
      await page.waitForSelector(ready, {timeout: 30_000, state: 'attached'});
      const {host} = new URL(gateway.http);
      assert.deepEqual(requests.filter(url => !/^(blob|data):/.test(url) && new URL(url).host !== host), [], 'no request leaves the host');
      const files = new Set(requests.map(url => new URL(url).pathname).filter(path => /\.(js|css|html|svg)$/.test(path)));
      const size = [...files].reduce((sum, path) => sum + gzipSync(source(path.slice(1)), {level: 9}).length, 0);
      assert.ok(size <= budget, `${size} bytes compressed`);
      await check(page, `${name}?${parameters}`);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });

  test(`${name}: nothing inline`, () => {
    const html = source(name);
    assert.doesNotMatch(html, /\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)/);
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
  });
}

test('every text of the pages has its Korean, and the dictionary nothing else', async () => {
  const {default: words} = await import(`${folder}ui/words.ko.js`);
  const used = new Set();
  const scripts = [...readdirSync(folder), ...readdirSync(`${folder}ui`).map(name => `ui/${name}`)].filter(name => name.endsWith('.js'));
  for (const name of scripts)
    for (const [, , text] of source(name).matchAll(/\bt\((['"])((?:\\.|(?!\1).)*)\1/g)) used.add(text.replace(/\\(.)/g, '$1'));
  for (const name of pages) {
    const html = source(name);
    used.add(/<title>(.*)<\/title>/.exec(html)[1]);
    for (const [tag, , attributes, text] of html.matchAll(/<[^>]*\bdata-t(="([^"]*)")?[^>]*>([^<]*)/g)) {
      if (attributes) for (const one of attributes.split(' ')) used.add(new RegExp(`${one}="([^"]*)"`).exec(tag)[1]);
      else used.add(text.trim());
    }
  }
  for (const same of ['Cardea', 'HTTP', 'WebSocket']) used.delete(same);
  assert.deepEqual([...used].filter(text => !(text in words)), []);
  assert.deepEqual(Object.keys(words).filter(text => !used.has(text)), []);
  for (const [text, korean] of Object.entries(words))
    assert.deepEqual([...korean.matchAll(/\{\w+\}/g)].map(String).sort(), [...text.matchAll(/\{\w+\}/g)].map(String).sort(), text);
});

test('a page speaks the language of the browser, and another by choice', async () => {
  const context = await browser.newContext({locale: 'ko-KR'});
  const page = await context.newPage();
  await page.goto(`${gateway.http}meet.html`);
  await page.waitForSelector('html.ready');
  assert.equal(await page.textContent('#enter'), '참여');
  assert.equal(await page.getAttribute('html', 'lang'), 'ko');
  await page.selectOption('header .tools select', 'en');
  await page.waitForFunction(() => document.querySelector('#enter')?.textContent === 'Join');
  await context.close();
});

test('no page is wider than a small phone', async () => {
  for (const name of pages) {
    const page = await openPage(browser, null, {camera: {width: 320, height: 180}});
    await page.setViewportSize({width: 360, height: 640});
    const [parameters, ready] = atWork[name] ?? ['', '.ready'];
    await page.goto(`${gateway.http}${name}?${parameters}`);
    await page.waitForSelector(ready, {timeout: 30_000, state: 'attached'});
    const wide = await page.evaluate(() => [...document.querySelectorAll('body *')]
      .filter(element => element.getClientRects().length && element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('canvas, .stage'))
      .map(element => element.outerHTML.slice(0, 80)));
    assert.deepEqual(wide, [], name);
    await page.context().close();
  }
});

test('the network test finds that everything works on loopback', async () => {
  const page = await openPage(browser, `${gateway.http}network.html?auto=1`);
  await page.waitForSelector('#verdict:not([hidden])', {timeout: 60_000});
  assert.match(await page.textContent('#verdict'), /Everything works/, await page.textContent('#steps'));
  await page.context().close();
});

test('the explorer sends requests and shows what comes back', async () => {
  const page = await openPage(browser, `${gateway.http}explorer.html`);
  await page.selectOption('#plugin', 'cardea.plugin.videoroom');
  await page.click('#send');
  await page.waitForSelector('#log pre:has-text("Demo Room")');
  await page.fill('#body', '{"request":"exists"}');
  await page.click('#send');
  await page.waitForSelector('#log .refused:has-text("429")');
  await page.fill('#body', '{oh');
  await page.click('#send');
  await page.waitForSelector('#error:not([hidden])');
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('on the plaza walking changes who is heard and seen, and both have to agree', async () => {
  const enter = async (name, x, y) => {
    const page = await openPage(browser, `${gateway.http}plaza.html?auto=1&name=${name}&x=${x}&y=${y}`, {camera: {width: 160, height: 90}});
    await page.waitForSelector('#inside:not([hidden])', {timeout: 30_000});
    return page;
  };
  const ann = await enter('ann', 500, 450), bob = await enter('bob', 1000, 450);
  await until(() => ann.evaluate(() => map.others.size === 1), 'Ann sees Bob on the map');
  assert.equal(await ann.isVisible('#question'), false);
  await bob.focus('#map');
  await bob.keyboard.down('ArrowLeft');
  await until(() => bob.isVisible('#question'), 'Bob is asked', 20_000);
  await bob.keyboard.up('ArrowLeft');
  await bob.click('#yes');
  await until(() => ann.isVisible('#question'), 'Ann is asked');
  await bob.waitForFunction(() => room.localParticipant.isMicrophoneEnabled);
  assert.equal(await ann.locator('#near .tile').count(), 0, 'not heard before Ann agrees');
  await ann.click('#yes');
  await ann.waitForSelector('#near .tile:has(.name:text-is("bob"))', {timeout: 30_000});
  await bob.waitForSelector('#near .tile:has(.name:text-is("ann"))', {timeout: 30_000});
  await audibleSound(ann, {timeout: 30_000});
  await bob.focus('#map');
  await bob.keyboard.down('ArrowRight');
  await ann.waitForSelector('#near .tile', {state: 'detached', timeout: 30_000});
  await bob.keyboard.up('ArrowRight');
  assert.deepEqual([...ann.problems, ...bob.problems], []);
  await ann.context().close();
  await bob.context().close();
});
