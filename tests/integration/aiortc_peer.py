"""A peer on aiortc, an implementation in Python: calls the echo test, or publishes in the demo room and watches itself, and
tells what came, as one JSON object.

    aiortc_peer.py ws://HOST:PORT/ echo|room
"""
import array
import asyncio
import fractions
import hashlib
import json
import math
import os
import sys

import av
import websockets
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

SIZES = [0, 1, 1200, 65536, 262144]
WORDS = "Janus EchoTest here! You wrote: "


class Picture(VideoStreamTrack):
    """Frames that grow brighter and darker."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(320, 240, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([pts // 3000 * 8 % 200 + 20]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(AudioStreamTrack):
    """440 Hz at 48 kHz, in pieces of 20 ms."""

    at = 0

    async def recv(self):
        await asyncio.sleep(0.02)
        tone = array.array("h", (int(8000 * math.sin(2 * math.pi * 440 * (self.at + i) / 48000)) for i in range(960)))
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(tone.tobytes())
        frame.pts, frame.sample_rate, frame.time_base = self.at, 48000, fractions.Fraction(1, 48000)
        self.at += 960
        return frame


class Session:
    """A session over WebSocket."""

    def __init__(self, socket):
        self.socket = socket
        self.number = 0
        self.waiting = {}
        self.events = []
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        async for text in self.socket:
            message = json.loads(text)
            waiting = self.waiting.get(message.get("transaction"))
            if message["janus"] == "ack":
                continue
            if waiting and not waiting.done():
                waiting.set_result(message)
            else:
                self.events.append((message.get("sender"), message["janus"]))

    async def ask(self, **request):
        self.number += 1
        request["transaction"] = f"t{self.number}"
        self.waiting[request["transaction"]] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps(request))
        return await asyncio.wait_for(self.waiting[request["transaction"]], 10)

    async def begin(self):
        self.id = (await self.ask(janus="create"))["data"]["id"]

    async def attach(self, plugin):
        return (await self.ask(janus="attach", session_id=self.id, plugin=plugin))["data"]["id"]

    async def message(self, handle, body, jsep=None):
        jsep = {"jsep": jsep} if jsep else {}
        return await self.ask(janus="message", session_id=self.id, handle_id=handle, body=body, **jsep)

    async def up(self, handle):
        while (handle, "webrtcup") not in self.events:
            await asyncio.sleep(0.02)


class Seen:
    """What came on the tracks of a connection."""

    def __init__(self, pc):
        self.frames = self.width = self.loudest = 0
        self.shades = set()
        self.watchers = []
        pc.on("track", lambda track: self.watchers.append(asyncio.ensure_future(self.watch(track))))

    async def watch(self, track):
        while True:
            frame = await track.recv()
            if track.kind == "video":
                self.frames += 1
                self.width = frame.width
                self.shades.add(bytes(frame.planes[0])[frame.planes[0].line_size * 20 + 20] // 8)
            else:
                samples = array.array("h", bytes(frame.planes[0]))
                self.loudest = max(self.loudest, max(samples), -min(samples))

    async def enough(self):
        """Waits for a picture that changes and for sound; tells what there is after 20 s in any case."""
        for _ in range(400):
            if len(self.shades) >= 5 and self.loudest > 2000:
                break
            await asyncio.sleep(0.05)
        return {"frames": self.frames, "width": self.width, "shades": len(self.shades), "loudest": self.loudest}

    def end(self):
        for watcher in self.watchers:
            watcher.cancel()


async def echo(channel, payload):
    """One message there and back."""
    answer = asyncio.get_running_loop().create_future()
    channel.once("message", lambda message: answer.done() or answer.set_result(message))
    channel.send(payload)
    return await asyncio.wait_for(answer, 20)


async def opened(channel):
    while channel.readyState != "open":
        await asyncio.sleep(0.02)


def own_side(pc):
    return {"type": pc.localDescription.type, "sdp": pc.localDescription.sdp, "trickle": False}


async def call_echo(session):
    handle = await session.attach("janus.plugin.echotest")
    pc = RTCPeerConnection()
    seen = Seen(pc)
    pc.addTrack(Picture())
    pc.addTrack(Tone())
    channels = [pc.createDataChannel("ordered", protocol="json"), pc.createDataChannel("unordered", ordered=False)]
    await pc.setLocalDescription(await pc.createOffer())
    offer = own_side(pc)
    offer["sdp"] = offer["sdp"].replace("a=max-message-size:65536", "a=max-message-size:262144")  # it takes more than it says
    reply = await session.message(handle, {"audio": True, "video": True}, offer)
    await pc.setRemoteDescription(RTCSessionDescription(**reply["jsep"]))
    await asyncio.wait_for(asyncio.gather(*map(opened, channels)), 20)

    result = {"text": await echo(channels[0], "hello"), "empty": await echo(channels[0], ""), "data": []}
    for channel in channels:
        for size in SIZES:
            payload = os.urandom(size)
            back = await echo(channel, payload)
            same = hashlib.sha256(back).digest() == hashlib.sha256(payload).digest()
            result["data"].append([channel.label, size, len(back), same])
    result["media"] = await seen.enough()
    result["state"] = pc.connectionState
    result["events"] = [event for sender, event in session.events if sender == handle]

    await session.message(handle, {"video": False})
    await asyncio.sleep(0.5)
    before = seen.frames
    await asyncio.sleep(0.5)
    result["frames_while_muted"] = seen.frames - before
    seen.end()
    await pc.close()
    return result


async def call_room(session):
    sender, receiver = RTCPeerConnection(), RTCPeerConnection()
    publisher = await session.attach("janus.plugin.videoroom")
    joined = await session.message(publisher, {"request": "join", "room": 1234, "ptype": "publisher"})
    feed = joined["plugindata"]["data"]["id"]
    sender.addTrack(Tone())
    sender.addTrack(Picture())
    channel = sender.createDataChannel("JanusDataChannel")
    await sender.setLocalDescription(await sender.createOffer())
    reply = await session.message(publisher, {"request": "configure", "audio": True, "video": True}, own_side(sender))
    await sender.setRemoteDescription(RTCSessionDescription(**reply["jsep"]))
    await asyncio.wait_for(asyncio.gather(session.up(publisher), opened(channel)), 20)

    seen = Seen(receiver)
    got = []
    receiver.on("datachannel", lambda channel: channel.on("message", lambda message: got.append((channel.label == str(feed), message))))
    subscriber = await session.attach("janus.plugin.videoroom")
    attached = await session.message(subscriber, {"request": "join", "room": 1234, "ptype": "subscriber", "streams": [{"feed": feed}]})
    await receiver.setRemoteDescription(RTCSessionDescription(**attached["jsep"]))
    await receiver.setLocalDescription(await receiver.createAnswer())
    started = await session.message(subscriber, {"request": "start"}, own_side(receiver))
    await asyncio.wait_for(session.up(subscriber), 20)
    while not got:
        channel.send("to those who watch")
        await asyncio.sleep(0.1)
    result = {"started": started["plugindata"]["data"], "media": await seen.enough(), "data": got[0]}
    seen.end()
    await sender.close()
    await receiver.close()
    return result


async def main(url, what):
    async with websockets.connect(url, subprotocols=["janus-protocol"], max_size=None) as socket:
        session = Session(socket)
        await session.begin()
        result = await {"echo": call_echo, "room": call_room}[what](session)
        session.reader.cancel()
        return result


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
