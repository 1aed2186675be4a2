// Every codec that this Chromium speaks, from a publisher through a room to a subscriber.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {startBrowser} from '../lib/browser.mjs';
import {startGateway} from '../lib/gateway.mjs';
import {openStage} from '../lib/stage.mjs';

// name in the room's settings -> name in SDP
const video = {vp8: 'VP8', vp9: 'VP9', h264: 'H264', av1: 'AV1', h265: 'H265'};
const audio = {opus: 'opus', pcmu: 'PCMU', pcma: 'PCMA', g722: 'G722'};
const rooms = [
  ...Object.keys(video).map((codec, i) => `room-${100 + i}: { videocodec = "${codec}"; };`),
  ...Object.keys(audio).map((codec, i) => `room-${200 + i}: { audiocodec = "${codec}"; };`),
  'room-300: { videocodec = "h264,vp8"; h264_profile = "640c1f"; };',
  'room-301: { videocodec = "vp9,vp8"; vp9_profile = "2"; };',
].join('\n');
const small = {width: 320, height: 240, frameRate: 15};

let gateway, browser, page;
before(async () => {
  gateway = await startGateway({files: {'videoroom.cfg': rooms}});
  browser = await startBrowser();
  page = await openStage(browser, gateway);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

for (const [i, codec] of Object.keys(video).entries()) {
  test(`${video[codec]} is decoded by a subscriber`, async t => {
    const room = 100 + i;
    if (!(await page.stage.canSend('video')).includes(video[codec])) return t.skip('this browser does not encode it');
    const {id, streams} = await page.stage.publish('ann', {room, media: {video: small}});
    assert.equal(streams[0].codec, codec);
    await page.stage.subscribe('bob', {room, feed: id});
    const seen = await page.receives('bob', 'video', now => now.frames > 40);
    assert.equal(seen.codec, `video/${video[codec]}`);
    assert.ok(seen.keyFrames >= 1);
    assert.equal(seen.lost, 0);
    assert.equal(seen.freezes, 0);
    const sent = (await page.stage.stats('ann')).outbound.find(({kind}) => kind === 'video');
    assert.equal(sent.codec, `video/${video[codec]}`);
    await page.stage.end();
    assert.deepEqual(page.problems, []);
  });
}

for (const [i, codec] of Object.keys(audio).entries()) {
  test(`${audio[codec]} is heard by a subscriber`, async () => {
    const room = 200 + i;
    const {id, streams} = await page.stage.publish('ann', {room, media: {audio: true}});
    assert.equal(streams[0].codec, codec);
    await page.stage.subscribe('bob', {room, feed: id});
    const heard = await page.receives('bob', 'audio', now => now.energy > 1e-4);
    assert.equal(heard.codec, `audio/${audio[codec]}`);
    await page.stage.end();
    assert.deepEqual(page.problems, []);
  });
}

test('H.264 is negotiated with the profile that the room prefers', async t => {
  if (!(await page.stage.canSend('video')).includes('H264')) return t.skip('this browser does not encode it');
  const {id, streams} = await page.stage.publish('ann', {room: 300, media: {video: small}});
  assert.equal(streams[0].codec, 'h264');
  const {streams: offered} = await page.stage.subscribe('bob', {room: 300, feed: id});
  assert.equal(offered[0]['h264-profile'], streams[0].h264_profile);
  await page.receives('bob', 'video', now => now.frames > 10);
  await page.stage.end();
});

test('VP9 of profile 2 is decoded by a subscriber', async () => {
  const {id, sdp} = await page.stage.publish('ann', {room: 301, media: {video: small}});
  assert.match(sdp, /profile-id=2/);
  const {streams} = await page.stage.subscribe('bob', {room: 301, feed: id});
  assert.equal(streams[0]['vp9-profile'], '2');
  await page.receives('bob', 'video', now => now.frames > 10);
  await page.stage.end();
});

test('Opus with redundancy is passed through where it is wanted', async () => {
  // The statistics name the codec inside; that each packet carries the one before again is told by the sizes.
  const sizes = [];
  for (const opusred of [false, true]) {
    const name = `ann ${opusred}`;
    const {sdp} = await page.stage.echo(name, {media: {audio: true}, body: {opusred}});
    assert.equal(/a=rtpmap:\d+ red\/48000\/2/i.test(sdp), opusred);
    await page.receives(name, 'audio', now => now.energy > 1e-4 && now.packets > 100);
    const {inbound: [{bytesReceived, packetsReceived}]} = await page.stage.stats(name);
    sizes.push(bytesReceived / packetsReceived);
  }
  assert.ok(sizes[1] > 1.5 * sizes[0], `${sizes} bytes on average`);
  await page.stage.end();
});
