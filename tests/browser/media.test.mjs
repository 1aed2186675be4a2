// Layers, loss, bitrates and renegotiation with real encoders and decoders.
import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';
import {startBrowser} from '../lib/browser.mjs';
import {startGateway, until} from '../lib/gateway.mjs';
import {makeRelay} from '../lib/lossy.mjs';
import {openStage} from '../lib/stage.mjs';

const rooms = ['vp8', 'vp9', 'h264', 'av1'].map((codec, i) => `room-${i + 1}: { videocodec = "${codec}"; audiolevel_event = true;
  audio_active_packets = 25; audio_level_average = 126; };`).join('\n');
const room = {VP8: 1, VP9: 2, H264: 3, AV1: 4};
const camera = {width: 960, height: 540, frameRate: 15};  // the least of which Chromium makes three qualities
const qualities = mode => [
  {rid: 'h', scalabilityMode: mode},
  {rid: 'm', scaleResolutionDownBy: 2, scalabilityMode: mode},
  {rid: 'l', scaleResolutionDownBy: 4, scalabilityMode: mode},
];

let gateway, browser, page, relay, far;
before(async () => {
  relay = await makeRelay();
  gateway = await startGateway({files: {'videoroom.cfg': rooms}, set: {'cardea.media.slowlink_threshold': 1}});
  far = await startGateway({files: {'videoroom.cfg': rooms},
    set: {'cardea.media.port': relay.target, 'cardea.nat.nat_1_1_mapping': `127.0.0.1:${relay.port}`, 'cardea.media.slowlink_threshold': 1}});
  browser = await startBrowser();
  page = await openStage(browser, gateway);
});
afterEach(async () => {
  await page.stage.end();
  page.problems.length = 0;
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  await far?.stop();
  relay.close();
});

const layer = (name, wanted) => page.stage.request(name, {request: 'configure', ...wanted});
const wide = (name, width, ms) => page.receives(name, 'video', `now => now.width === ${width}`, ms);

for (const codec of ['VP8', 'H264', 'VP9', 'AV1']) {
  test(`a subscriber moves between the qualities of ${codec} simulcast`, async t => {
    if (!(await page.stage.canSend('video')).includes(codec)) return t.skip('this browser does not encode it');
    const {id, streams} = await page.stage.publish('ann', {room: room[codec], media: {video: camera}, encodings: qualities('L1T3')});
    assert.equal(streams[0].codec, codec.toLowerCase());
    assert.equal(streams[0].simulcast, true);
    await page.stage.subscribe('bob', {room: room[codec], feed: id});
    await wide('bob', 960, 25_000);
    await page.stage.watch('bob');
    for (const [substream, width] of [[0, 240], [1, 480], [2, 960]]) {
      await layer('bob', {substream});
      await wide('bob', width, 6000);
    }
    const whole = await page.stage.rates('bob', 1500);
    await layer('bob', {temporal: 0});
    await page.waitForTimeout(300);
    const slow = await page.stage.rates('bob', 1500);
    await layer('bob', {temporal: 2});
    await until(async () => (await page.stage.rates('bob', 1000)).fps > 0.8 * whole.fps, 'all frames again');
    assert.ok(slow.fps < 0.6 * whole.fps, `${slow.fps} of ${whole.fps} frames/s on the lowest temporal layer`);

    await page.stage.parameters('ann', 'video', [{active: false}]);
    await wide('bob', 480, 6000);
    await page.stage.parameters('ann', 'video', [{active: true}]);
    await wide('bob', 960, 15_000);
    t.diagnostic(`${Math.round(await page.stage.gap('bob'))} ms without a frame at most, ${Math.round(whole.fps)} and ${Math.round(slow.fps)} frames/s`);
    assert.ok((await page.stage.gap('bob')) < 2000);
    const {lost, plis} = await page.stage.receives('bob', 'video');
    assert.equal(lost, 0);
    assert.ok(plis <= 2, `${plis} PLIs`);
    assert.deepEqual(page.problems, []);
  });
}

for (const [codec, mode, size, widths] of [
  ['VP9', 'L3T3_KEY', camera, [240, 480, 960]], ['VP9', 'L2T1', camera, [480, 960]], ['VP9', 'L3T3', camera, [240, 480, 960]],
  ['AV1', 'L2T2', {width: 640, height: 360, frameRate: 15}, [320, 640]], ['AV1', 'L3T3_KEY', camera, [240, 480, 960]],
]) {
  test(`a subscriber chooses the spatial layer of ${codec} ${mode}`, async t => {
    if (!(await page.stage.canSend('video')).includes(codec)) return t.skip('this browser does not encode it');
    const {id, streams} = await page.stage.publish('ann', {room: room[codec], media: {video: size}, encodings: [{scalabilityMode: mode}]});
    assert.equal(streams[0].svc, true);
    await page.stage.subscribe('bob', {room: room[codec], feed: id});
    await wide('bob', widths.at(-1), 25_000);
    await page.stage.watch('bob');
    for (const spatial_layer of [0, widths.length - 1, ...(widths.length > 2 ? [1] : [])]) {
      await layer('bob', {spatial_layer});
      await wide('bob', widths[spatial_layer], 6000);
    }
    if (!mode.includes('T1')) {
      const whole = await page.stage.rates('bob', 1000);
      await layer('bob', {temporal_layer: 0});
      await page.waitForTimeout(300);
      const slow = await page.stage.rates('bob', 1000);
      assert.ok(slow.fps < 0.65 * whole.fps, `${slow.fps} of ${whole.fps} frames/s on the lowest temporal layer`);
    }
    t.diagnostic(`${Math.round(await page.stage.gap('bob'))} ms without a frame at most`);
    assert.ok((await page.stage.gap('bob')) < 2000);
    assert.deepEqual(page.problems, []);
  });
}

test('the spatial layer is chosen in the echo test too', async () => {
  await page.stage.echo('ann', {media: {video: camera}, encodings: [{scalabilityMode: 'L3T3_KEY'}], body: {videocodec: 'vp9'}});
  await wide('ann', 960, 25_000);
  await page.stage.request('ann', {spatial_layer: 0});
  await wide('ann', 240, 6000);
  await page.stage.request('ann', {spatial_layer: 2});
  await wide('ann', 960, 6000);
});

// Loses media packets both ways, of the publisher and of the subscriber.
test('video goes on through loss, darkness and a change of address', async t => {
  const near = page;
  page = await openStage(browser, far);
  try {
    const media = {audio: true, video: {width: 640, height: 480, frameRate: 15}};
    const {id} = await page.stage.publish('ann', {room: 1, media});
    await page.stage.subscribe('bob', {room: 1, feed: id});
    await page.receives('bob', 'video', now => now.frames > 15);
    await page.stage.watch('bob');
    relay.loss = 0.05;
    const {frames} = await page.stage.receives('bob', 'video');
    await page.waitForTimeout(8000);
    const after = await page.stage.receives('bob', 'video');
    const lossyGap = await page.stage.gap('bob');
    const [sent] = (await page.stage.stats('ann')).outbound.filter(({kind}) => kind === 'video');
    t.diagnostic(`5 % loss: ${after.frames - frames} frames in 8 s, ${Math.round(lossyGap)} ms without one at most, ${after.nacks} NACKs, ` +
      `${after.retransmitted} retransmitted to the subscriber, ${sent.retransmittedPacketsSent} by the publisher, ${after.plis} PLIs`);
    assert.ok(after.frames - frames > 60);
    assert.ok(after.retransmitted > 0);
    assert.ok(sent.retransmittedPacketsSent > 0);
    assert.ok(lossyGap < 3000);
    const events = await page.stage.events('bob');
    assert.ok(events.some(({kind}) => kind === 'slowlink') || (await page.stage.events('ann')).some(({kind}) => kind === 'slowlink'));

    relay.loss = 0;
    for (let dark = 0; dark < 2; ++dark) {
      relay.dark = true;
      await page.waitForTimeout(1000);
      relay.dark = false;
      await page.receives('bob', 'video', (now, first) => now.frames > first.frames + 15, 5000);
    }
    const before = await page.stage.receives('bob', 'video');
    await relay.moveClients();
    await page.stage.watch('bob');
    await page.receives('bob', 'video', (now, first) => now.frames > first.frames + 30, 10_000);
    t.diagnostic(`${Math.round(await page.stage.gap('bob'))} ms without a frame after the change of address, ${before.plis} PLIs`);
    assert.ok((await page.stage.gap('bob')) < 5000);
    assert.deepEqual(page.problems, []);
  } finally {
    relay.loss = 0;
    relay.dark = false;
    await page.stage.end();
    page = near;
  }
});

test('a bitrate cap holds and is lifted again, and the estimate rises with the feedback', async t => {
  await page.stage.publish('ann', {room: 1, media: {video: {width: 1280, height: 720, frameRate: 30}}, degradation: 'maintain-resolution'});
  const estimate = async () => (await page.stage.stats('ann')).pair.availableOutgoingBitrate;
  const began = Date.now();
  await until(async () => (await estimate()) > 1_000_000, 'an estimate above 1 Mbit/s');
  t.diagnostic(`1 Mbit/s after ${Date.now() - began} ms`);
  const free = await page.stage.rates('ann', 1000);
  await page.stage.request('ann', {request: 'configure', bitrate: 128000});
  await page.waitForTimeout(3000);
  const capped = await page.stage.rates('ann', 2000);
  await page.stage.request('ann', {request: 'configure', bitrate: 0});
  await until(async () => (await page.stage.rates('ann', 500)).sent_bps > 0.6 * free.sent_bps, 'the bitrate of before', 15_000);
  t.diagnostic(`${Math.round(free.sent_bps / 1000)} kbit/s, capped ${Math.round(capped.sent_bps / 1000)} kbit/s`);
  assert.ok(free.sent_bps > 300_000);
  assert.ok(capped.sent_bps < 200_000, `${capped.sent_bps} bit/s under a cap of 128000`);
});

test('talking and silent media are told', async () => {
  await page.stage.publish('ann', {room: 1, media: {audio: true, video: {width: 320, height: 240}}});
  const told = async (what, ms) => until(async () => (await page.stage.events('ann')).find(what), String(what), ms);
  await told(event => event.videoroom === 'talking');
  await told(event => event.kind === 'media' && event.detail.type === 'video' && event.detail.receiving);
  await page.evaluate(() => window.stage.actors.get('ann').handle.pc.getSenders().forEach(sender => sender.replaceTrack(null)));
  await told(event => event.kind === 'media' && event.detail.type === 'video' && !event.detail.receiving);
});

test('tracks come and go ten times, and m-lines are used again', async () => {
  const canvas = {width: 160, height: 120, fps: 10};
  const {id} = await page.stage.publish('ann', {room: 1, media: {audio: true, canvas}});
  await page.stage.subscribe('bob', {room: 1, feed: id});
  await page.receives('bob', 'video', now => now.frames > 5);
  const direction = () => page.evaluate(() =>
    window.stage.actors.get('bob').handle.pc.getTransceivers().find(({mid}) => mid === '2')?.currentDirection);
  let shown = 0;
  for (let turn = 0; turn < 10; ++turn) {
    const {streams} = await page.stage.offerAgain('ann', {request: 'configure'}, {media: {canvas: {...canvas, width: 200}}});
    const added = streams.findLast(({type, disabled}) => type === 'video' && !disabled);
    assert.notEqual(added.mid, '1');
    await page.stage.request('bob', {request: 'subscribe', streams: [{feed: id, mid: added.mid}]});
    await until(async () => {
      const video = (await page.stage.stats('bob')).inbound.find(({frameWidth, mid}) => mid === '2' && frameWidth === 200);
      return video?.framesDecoded > shown + 2 && (shown = video.framesDecoded);
    }, `the added track, turn ${turn}`);
    assert.equal(await direction(), 'recvonly');
    await page.stage.removeTrack('ann');
    await page.stage.offerAgain('ann', {request: 'configure'});
    await until(async () => (await direction()) === 'inactive', 'the track gone');
  }
  const lines = name => page.evaluate(name => window.stage.actors.get(name).handle.pc.localDescription.sdp.match(/^m=/gm).length, name);
  assert.equal(await lines('ann'), 3);
  assert.equal(await lines('bob'), 3);
  assert.ok((await page.stage.stats('bob')).inbound.some(({frameWidth}) => frameWidth === 160));
  assert.deepEqual(page.problems, []);
});

test('ICE restarts on both sides leave the picture moving', async () => {
  const {id} = await page.stage.publish('ann', {room: 1, media: {video: {width: 320, height: 240}}});
  await page.stage.subscribe('bob', {room: 1, feed: id});
  await page.receives('bob', 'video', now => now.frames > 15);
  await page.stage.watch('bob');
  for (let turn = 0; turn < 3; ++turn) {
    await page.stage.offerAgain('ann', {request: 'configure'}, {iceRestart: true});
    await page.stage.request('bob', {request: 'configure', restart: true});
    await page.receives('bob', 'video', (now, first) => now.frames > first.frames + 15);
  }
  assert.ok((await page.stage.gap('bob')) < 2000);
  assert.deepEqual(page.problems, []);
});
