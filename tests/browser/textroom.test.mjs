import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway} from '../lib/gateway.mjs';

let gateway, browser;
before(async () => {
  gateway = await startGateway({files: {'textroom.cfg': 'room-1: {}; room-2: {};'}});
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function enter(room, name, parameters = '') {
  const page = await openPage(browser, `${gateway.http}textroom.html?auto=1&room=${room}&name=${name}${parameters}`);
  await page.waitForSelector('#inside:not([hidden])', {timeout: 15_000});
  return page;
}
async function write(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}
const shown = (page, text) => page.waitForSelector(`#messages p:has-text("${text}")`);
const state = page => page.textContent('#state');

async function chat(room, first, second) {
  const al = await enter(room, 'al', first);
  const bob = await enter(room, 'bob', second);
  await shown(al, 'bob is here');
  await write(al, 'hello everybody');
  await shown(bob, 'hello everybody');
  await shown(al, 'hello everybody');
  await bob.selectOption('#to', 'al');
  await write(bob, '<b>psst</b>');
  await shown(al, '<b>psst</b>');
  await shown(al, 'bob whispers');
  await shown(bob, 'bob whispers to al');
  const states = [await state(al), await state(bob)];
  await bob.click('#leave');
  await shown(al, 'bob has left');
  assert.equal(await al.locator('#people li').count(), 1);
  for (const page of [al, bob]) {
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
  return states;
}

test('people chat over data channels', async () => {
  const states = await chat(1, '', '');
  assert.deepEqual(states, Array(2).fill('connected by data channel'));
});

test('people chat without a peer connection, also with those who have one', async () => {
  const states = await chat(2, '&api=1', '');
  assert.equal(states[0], 'connected by WebSocket alone');
});
