// Pictures of every page at a phone's and a desk's size, light and dark, to be looked at:
//   CARDEA_BUILD=build node tests/browser/screenshots.mjs FOLDER [page...]
// Cameras are drawn people; the pictures go to FOLDER/<page>-<phone|desk>-<light|dark>.png.
import {mkdirSync} from 'node:fs';
import {openPage, startBrowser} from '../lib/browser.mjs';
import {startGateway} from '../lib/gateway.mjs';

const [folder, ...only] = process.argv.slice(2);
if (!folder) throw new Error('usage: screenshots.mjs FOLDER [page...]');
mkdirSync(folder, {recursive: true});
const sizes = {desk: {width: 1440, height: 900}, phone: {width: 390, height: 844}};

const gateway = await startGateway();
const browser = await startBrowser();

/** Replaces camera and screen by drawings: somebody in a room, and slides. */
const drawnPeople = seed => {
  const skins = ['#f1c9a5', '#c68863', '#8d5a3b', '#e8b48c', '#a56b46'], hairs = ['#2b2018', '#6b4423', '#1b1b1f', '#a8672c', '#44342b'];
  const clothes = ['#2f6f8f', '#8f3f5f', '#3f7f4f', '#6a5acd', '#b0682f'], walls = [['#cfd9d2', '#9db3a8'], ['#d9d2c7', '#b3a691'], ['#c9d3df', '#94a6ba'], ['#ded0d6', '#b79aa7']];
  const draw = (context, width, height, time) => {
    const pick = (list, by) => list[(seed * by + by) % list.length];
    const wall = context.createLinearGradient(0, 0, width, height);
    const [light, dark] = pick(walls, 3);
    wall.addColorStop(0, light);
    wall.addColorStop(1, dark);
    context.fillStyle = wall;
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#fff7';
    context.fillRect(width * 0.08, height * 0.1, width * 0.2, height * 0.45);
    context.fillStyle = '#0002';
    context.fillRect(width * 0.74, height * 0.3, width * 0.2, height * 0.02);
    const x = width / 2 + Math.sin(time / 900 + seed) * width * 0.01, head = height * 0.19;
    context.fillStyle = pick(clothes, 7);
    context.beginPath();
    context.ellipse(x, height * 1.06, width * 0.2, height * 0.4, 0, 0, 7);
    context.fill();
    context.fillStyle = pick(skins, 5);
    context.fillRect(x - head * 0.3, height * 0.55, head * 0.6, head * 0.7);
    context.beginPath();
    context.ellipse(x, height * 0.42, head * 0.82, head, 0, 0, 7);
    context.fill();
    context.fillStyle = pick(hairs, 11);
    context.beginPath();
    context.ellipse(x, height * 0.34, head * 0.9, head * 0.75, 0, Math.PI, 0);
    context.fill();
    context.fillStyle = '#222';
    for (const side of [-1, 1]) {
      context.beginPath();
      context.arc(x + side * head * 0.32, height * 0.42, head * 0.08, 0, 7);
      context.fill();
    }
    context.strokeStyle = '#7a3b32';
    context.lineWidth = head * 0.06;
    context.beginPath();
    context.arc(x, height * 0.46, head * 0.32, 0.3, Math.PI - 0.3);
    context.stroke();
  };
  const slide = (context, width, height) => {
    context.fillStyle = '#fdfdfb';
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#17664f';
    context.fillRect(0, 0, width, height * 0.16);
    context.fillStyle = '#fff';
    context.font = `600 ${height * 0.07}px sans-serif`;
    context.fillText('How light bends', width * 0.05, height * 0.11);
    context.fillStyle = '#333';
    context.font = `${height * 0.05}px sans-serif`;
    ['slower in glass than in air', 'the angle tells how much', 'white light is many colours'].forEach((line, n) => context.fillText(`•  ${line}`, width * 0.06, height * (0.32 + 0.12 * n)));
    ['#c0392b', '#e08a2b', '#e8c52e', '#3b9a57', '#2f6fb0', '#6a4fa3'].forEach((colour, n) => {
      context.strokeStyle = colour;
      context.lineWidth = height * 0.012;
      context.beginPath();
      context.moveTo(width * 0.72, height * 0.62);
      context.lineTo(width * 0.97, height * (0.5 + 0.06 * n));
      context.stroke();
    });
    context.strokeStyle = '#333';
    context.beginPath();
    context.moveTo(width * 0.66, height * 0.8);
    context.lineTo(width * 0.74, height * 0.45);
    context.lineTo(width * 0.82, height * 0.8);
    context.closePath();
    context.stroke();
  };
  const canvasStream = (width, height, paint) => {
    const canvas = Object.assign(document.createElement('canvas'), {width, height});
    const context = canvas.getContext('2d');
    const begun = Date.now();
    setInterval(() => paint(context, width, height, Date.now() - begun), 100);
    return canvas.captureStream(10);
  };
  const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async wanted => {
    const stream = wanted.audio ? await native({audio: wanted.audio}) : new MediaStream();
    if (wanted.video) stream.addTrack(canvasStream(640, 360, draw).getVideoTracks()[0]);
    return stream;
  };
  navigator.mediaDevices.getDisplayMedia = async () => canvasStream(1280, 720, slide);
};

let seed = 0;
async function open(address, ready, before = () => {}) {
  const page = await openPage(browser, null);
  page.setDefaultTimeout(90_000);
  await page.addInitScript(drawnPeople, seed++);
  await page.setViewportSize(sizes.desk);
  await page.goto(`${gateway.http}${address}`);
  await page.waitForSelector(ready);
  await before(page);
  return page;
}

async function shoot(name, page) {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({colorScheme});
      await page.waitForTimeout(700);
      await page.screenshot({path: `${folder}/${name}-${size}-${colorScheme}.png`});
    }
  }
  console.log(name);
}

const videos = (page, count) => page.waitForFunction(count =>
  [...document.querySelectorAll('.tile video')].filter(video => !video.hidden && video.videoWidth).length >= count, count);
async function write(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

/** What is opened for each page, and which of what was opened is shown. */
const scenes = {
  index: async () => [await open('index.html', '.facts-list dd', page => page.waitForTimeout(500))],
  join: async () => [await open('meet.html?room=monday&name=Ann', '.preview video:not([hidden])')],
  meet: async () => {
    const [main, ...others] = await Promise.all(['Ann Lee', 'Bora Kim', 'Cem Aydin', 'Dora Novak'].map(name =>
      open(`meet.html?room=monday&auto=1&name=${name}`, '#meeting:not([hidden])')));
    await videos(main, 4);
    await main.click('#talk');
    await others[0].click('#talk');
    await write(others[0], 'Good morning! Here is the plan: https://example.org/plan');
    await write(main, 'Thanks, looks good to me');
    await others[1].keyboard.press('h');
    await others[2].keyboard.press('m');
    return [main, ...others];
  },
  share: async () => {
    const [main, other, third] = await Promise.all(['Ann Lee', 'Bora Kim', 'Cem Aydin'].map(name =>
      open(`meet.html?room=slides&auto=1&name=${name}`, '#meeting:not([hidden])')));
    await videos(main, 3);
    await other.click('#screen');
    await main.waitForSelector('.tile.main.screen');
    await videos(main, 4);
    return [main, other, third];
  },
  lobby: async () => {
    const people = [];
    for (const [name, room] of [['Ann', 'lounge'], ['Bora', 'lounge'], ['Cem', 'workshop'], ['Dora', null], ['Eva', 'lounge']])
      people.push(await open(`lobby.html?auto=1&name=${name}${room ? `&room=${room}` : ''}`, '#inside:not([hidden])'));
    await videos(people[0], 3);
    return people;
  },
  classroom: async () => {
    const mentor = await open('classroom.html?room=optics&auto=1&role=mentor&name=Mia Park', '#inside:not([hidden])');
    const [student, other] = await Promise.all(['Sam', 'Tom'].map(name => open(`classroom.html?room=optics&auto=1&name=${name}`, '#inside:not([hidden])')));
    await videos(student, 1);
    await mentor.click('#screen');
    await student.waitForSelector('.tile.main.screen');
    await videos(student, 2);
    await write(student, 'Could you explain the prism again?');
    await other.click('#hand');
    return [student, mentor, other];
  },
  plaza: async () => {
    const people = [];
    for (const [name, x, y] of [['Ann', 760, 180], ['Bora', 840, 150], ['Cem', 300, 420], ['Dora', 1250, 700]])
      people.push(await open(`plaza.html?auto=1&name=${name}&x=${x}&y=${y}`, '#inside:not([hidden])'));
    await videos(people[0], 1);
    return people;
  },
  echotest: async () => [await open('echotest.html?auto=1', '#controls:not([hidden])', page => page.waitForTimeout(8000))],
  textroom: async () => {
    const page = await open('textroom.html?auto=1&name=Ann', '#inside:not([hidden])');
    const other = await open('textroom.html?auto=1&name=Bora', '#inside:not([hidden])');
    await write(other, 'Is anybody here?');
    await write(page, 'Always.');
    return [page, other];
  },
  network: async () => [await open('network.html?auto=1', '#verdict:not([hidden])')],
  explorer: async () => [await open('explorer.html', '#plugin option:nth-child(2)', async page => {
    await page.selectOption('#plugin', 'cardea.plugin.videoroom');
    await page.click('#send');
    await page.waitForSelector('#log pre');
  })],
};

try {
  for (const [name, scene] of Object.entries(scenes)) {
    if (only.length && !only.includes(name)) continue;
    const pages = await scene();
    await shoot(name, pages[0]);
    for (const page of pages) {
      if (page.problems.length) console.error(name, page.problems);
      await page.context().close();
    }
  }
} finally {
  await browser.close();
  await gateway.stop();
}
