// The classroom: a teacher with camera and screen, four who learn, questions, hands, the floor.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {audibleSound, movingVideo, openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway} from '../lib/gateway.mjs';

let gateway, browser;
before(async () => {
  gateway = await startGateway();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const patient = {timeout: 60_000};
const tileOf = name => `.tile:has(.name:text-is("${name}"))`;
async function sees(page, name, options) {
  const id = `tile-${name.replace(/\W/g, '-')}`;
  const element = await page.waitForSelector(tileOf(name), patient);
  await element.evaluate((node, id) => (node.id = id), id);
  return movingVideo(page, `#${id} video`, {...patient, ...options});
}
async function enter(name, role) {
  const page = await openPage(browser, `${gateway.http}classroom.html?auto=1&room=art&name=${name}&role=${role}`, {camera: {width: 320, height: 180}});
  await page.waitForSelector('#inside:not([hidden])', patient);
  return page;
}

test('a lesson of five: camera and screen at once, a question, a hand, the floor and back', async () => {
  const mia = await enter('Mia', 'mentor');
  const students = [];
  for (const name of ['Sam', 'Tom', 'Uma', 'Vic']) students.push(await enter(name, 'student'));
  const [sam, tom] = students;
  for (const page of students) {
    await sees(page, 'Mia');
    await audibleSound(page, patient);
    assert.equal(await page.locator('.tile').count(), 1, 'only who has the floor is shown');
  }
  assert.equal(await sam.evaluate(() => connections.length), 1, 'who learns receives only');
  await mia.evaluate(() => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = Object.assign(document.createElement('canvas'), {width: 800, height: 600});
      let hue = 0;
      setInterval(() => {
        canvas.getContext('2d').fillStyle = `hsl(${(hue += 7) % 360} 80% 50%)`;
        canvas.getContext('2d').fillRect(0, 0, 800, 600);
      }, 50);
      return canvas.captureStream(20);
    };
  });
  await mia.click('#screen');
  for (const page of students) {
    await sees(page, "Mia's screen", {width: 800});
    await sees(page, 'Mia');
  }
  await mia.click('#screen');
  await sam.waitForSelector(tileOf("Mia's screen"), {state: 'detached', ...patient});
  await sees(sam, 'Mia'); // no reload, nothing black
  // A question
  await tom.click('#tab-questions');
  await tom.fill('#questions input', 'Why?');
  await tom.click('#questions button.main');
  await mia.click('#tab-questions');
  await mia.click('#questions li:has-text("Why?") button');
  await tom.waitForSelector('#questions li.done:has-text("Why?")');
  // A hand, the floor, and back
  await sam.click('#hand');
  await mia.click('#tab-people');
  await mia.waitForSelector('#people li:has-text("Sam"):has-text("✋")');
  await mia.click('#people li:has-text("Sam") button');
  await mia.click('.menu button:has-text("Give the floor")');
  await sam.click('dialog .main');
  for (const page of [mia, tom]) await sees(page, 'Sam');
  await mia.waitForSelector('#people li:has-text("Sam"):not(:has-text("✋"))');
  await mia.click('#people li:has-text("Sam") button');
  await mia.click('.menu button:has-text("Take the floor back")');
  await tom.waitForSelector(tileOf('Sam'), {state: 'detached', ...patient});
  await mia.click('#leave');
  await tom.waitForSelector('#nobody:not([hidden])');
  for (const page of [mia, ...students]) {
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
});
