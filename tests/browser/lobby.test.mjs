// The lobby: known place before media, nine people in three rooms, moving, leaving.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {movingVideo, openPage, startBrowser} from '../lib/browser.mjs';
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

const rooms = ['lounge', 'workshop', 'attic'];
const tileOf = name => `.tile:has(.name:text-is("${name}"))`;
const patient = {timeout: 60_000};

async function sees(page, name) {
  const element = await page.waitForSelector(tileOf(name), patient);
  await element.evaluate((node, id) => (node.id = id), `tile-${name}`);
  return movingVideo(page, `#tile-${name} video`, patient);
}

test('nine people in three rooms see each other, and who leaves is gone', async () => {
  const people = [];
  for (let n = 0; n < 9; ++n) {
    const room = rooms[n % 3], name = `p${n}`;
    const page = await openPage(browser, `${gateway.http}lobby.html?auto=1&name=${name}`, {camera: {width: 160, height: 90}});
    people.push({page, name, room});
    await page.waitForSelector('#inside:not([hidden])', patient);
  }
  // All are known before there is any media.
  const [first] = people;
  await until(async () => (await first.page.locator('#around li').count()) === 9, 'nine are around', 20_000);
  assert.equal(await first.page.evaluate(() => connections.length), 0);
  for (const {page, room} of people) {
    if (room === 'attic' && !(await page.locator('[data-room=attic]').count())) {
      await page.click('#make');
      await page.fill('dialog input', 'attic');
      await page.click('dialog .main');
    } else {
      await page.click(`[data-room=${room}]`);
    }
    await page.waitForSelector('#controls:not([hidden])', patient);
  }
  for (const {page, name, room} of people)
    for (const other of people) if (other.room === room && other.name !== name) await sees(page, other.name);
  for (const room of rooms) {
    await until(async () => (await first.page.textContent(`[data-room=${room}] .count`)) === '3', `three in ${room}`, 20_000);
    assert.equal(await first.page.locator(`li:has([data-room=${room}]) .around li`).count(), 3);
  }
  // One moves with one click, one leaves, one closes the tab.
  const [mover, leaver, closer] = people;
  await mover.page.click('[data-room=attic]');
  await sees(mover.page, 'p2');
  await sees(people[2].page, 'p0');
  await people[3].page.waitForSelector(tileOf('p0'), {state: 'detached', ...patient});
  await leaver.page.click('#leave');
  await people[4].page.waitForSelector(tileOf('p1'), {state: 'detached', ...patient});
  await until(async () => (await people[4].page.locator('#around li').count()) === 1, 'p1 is around');
  assert.ok(await leaver.page.evaluate(() => connections.every(({connectionState}) => connectionState === 'closed')));
  await closer.page.close();
  await people[5].page.waitForSelector(tileOf('p2'), {state: 'detached', ...patient});
  assert.deepEqual(people.flatMap(({page}) => page.problems), []);
  await Promise.all(people.map(({page}) => page.context().close()));
});
