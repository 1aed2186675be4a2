"""What run.py measures: each function does its runs and states what they should show."""
import os
import subprocess

import servers
import topology


def _median(results, key):
    import run
    return run.median(results, key)


# Beyond this loss a server did not do what was asked of it, and what it spent says nothing.
MOST_LOSS = 0.001


def _clean(results):
    return [one for one in results if one.get("loss", 0) <= MOST_LOSS]


def _kinds(bench, janus=("janus",)):
    return ["cardea"] + (list(janus) if bench.with_janus else [])


def _compare(bench, what, every, key, least, rivals=("janus", "janus-threads"), more_is_better=False):
    """The ratio to the better one of the rivals."""
    ours = _median(_clean(every["cardea"]), key)
    theirs = [value for kind in rivals if (value := _median(_clean(every.get(kind, [])), key))]
    if not theirs or not ours:
        bench.check(what, None, f">= {least}x", None)
        return
    ratio = ours / max(theirs) if more_is_better else min(theirs) / ours
    bench.check(what, ratio, f">= {least}x", ratio >= least, "x")


def _room(subscribers, publishers=1, rooms=1, **more):
    arguments = ["--rooms", rooms, "--publishers", publishers, "--subscribers", subscribers]
    for name, value in more.items():
        arguments += ["--" + name.replace("_", "-"), value]
    return arguments


def fanout(bench):
    """1 publisher to 200 subscribers, AES-128-GCM, the bulk blackholed at the sender"""
    every = bench.repeated("fanout", _kinds(bench, ("janus", "janus-threads")),
                           *_room(200, seconds=bench.options.seconds), hole=True)
    _compare(bench, "fan-out 1 -> 200, blackhole: CPU per packet", every, "cpu_us_per_packet", 12)


def cm(bench):
    """the same with AES-CM/HMAC-SHA1"""
    every = bench.repeated("cm", _kinds(bench), *_room(200, seconds=bench.options.seconds, srtp="cm80"), hole=True)
    _compare(bench, "the same, AES-CM/HMAC-SHA1", every, "cpu_us_per_packet", 12)
    gcm = _median(bench.results.get("fanout", {}).get("cardea", []), "cpu_us_per_packet")
    ours = _median(every["cardea"], "cpu_us_per_packet")
    if gcm and ours:
        bench.check("CM/HMAC-SHA1 against GCM: CPU per packet", ours / gcm, "<= 2x", ours / gcm <= 2, "x")


def loopback(bench):
    """1 publisher to 200 subscribers on plain loopback, all packets read, without and with UDP GRO in the clients"""
    for gro, least in (("false", 6), ("true", 8)):
        every = bench.repeated("loopback-gro" if gro == "true" else "loopback", _kinds(bench),
                               *_room(200, seconds=bench.options.seconds, one_of=1, gro=gro), loopback=True)
        _compare(bench, f"fan-out 1 -> 200, loopback, readers{' with UDP GRO' if gro == 'true' else ''}: CPU per packet",
                 every, "cpu_us_per_packet", least)


def rooms(bench):
    """2 rooms of 10 publishers and 10 subscribers, the bulk blackholed"""
    every = bench.repeated("rooms", _kinds(bench), *_room(10, 10, 2, seconds=bench.options.seconds, sample=1), hole=True)
    _compare(bench, "rooms of 10 x 10, blackhole: CPU per packet", every, "cpu_us_per_packet", 6)


def three(bench):
    """latency in one room of three participants on an idle server"""
    every = bench.repeated("three", _kinds(bench), *_room(3, 3, seconds=bench.options.seconds, sample=3))
    for kind in every:
        for what in ("video_latency", "audio_latency"):
            values = [one[what]["p50_ms"] for one in every[kind]]
            value = sorted(values)[len(values) // 2] if values else None
            ours = kind == "cardea"
            bench.check(f"room of three, {what.split('_')[0]} latency p50 ({kind})", value,
                        "<= 0.3 ms" if ours else "", value <= 0.3 if ours and value else None, " ms")


def half(bench):
    """latency at about half load: 20 rooms of 5 publishers and 40 subscribers, blackhole"""
    every = bench.repeated("half", ["cardea"], *_room(40, 5, 20, seconds=bench.options.seconds, sample=1), hole=True)
    results = every["cardea"]
    share = _median(results, "server_cpu_share")
    bench.check("half load: share of a core", share, "about 0.5", None)
    for percent, most in ((50, 2), (99, 5)):
        values = sorted(one["video_latency"][f"p{percent}_ms"] for one in results)
        value = values[len(values) // 2] if values else None
        bench.check(f"half load: video latency p{percent}", value, f"<= {most} ms", value is not None and value <= most,
                    " ms")


def memory(bench):
    """resident memory per connected media-only peer, 1,000 subscribers of an audio stream"""
    every = bench.repeated("memory", _kinds(bench), *_room(1000, video_bps=0, seconds=2, sample=1), runs=1, hole=True)
    for kind in every:
        value = _median(every[kind], "resident_per_peer")
        ours = kind == "cardea"
        bench.check(f"memory per peer ({kind})", value and value / 1000, "<= 20 kB" if ours else "",
                    value <= 20000 if ours and value else None, " kB")


def churn(bench):
    """10,000 subscribers leave and come again: memory and descriptors"""
    quick = bench.options.quick
    seconds = 15 if quick else 65
    every = bench.repeated("churn", ["cardea"],
                           *_room(200, seconds=seconds, churn=160, video_bps=0, sample=5, one_of=0), runs=1)
    for one in every["cardea"]:
        grown = (one["resident_measured"] - one["resident_with_all"]) / 2**20
        bench.check(f"growth over {one['churned']} joins and leaves", grown, "<= 2 MiB", grown <= 2, " MiB")
        back = one["descriptors_after"] - one["descriptors_before"]
        bench.check("descriptors more than at the start", back, "<= 1", back <= 1)


def joins(bench):
    """1,000 peers join at once while 5 others receive media; beside it 1,000 plain DTLS handshakes"""
    program = os.path.join(bench.build, "tests/bench/dtls_bench")
    walls, cpus, results = [], [], []
    for _ in range(bench.options.runs):
        if os.path.exists(program):
            words = subprocess.run([program, "1000"], capture_output=True, text=True).stdout.split()
            cpus.append(float(words[-10]))
            walls.append(float(words[-2]))
        results += bench.repeated("joins", ["cardea"], *_room(1005, first=5, join_rate=0, seconds=3, video_bps=300000,
                                                              sample=5, one_of=0), runs=1)["cardea"]
    bench.results["joins"] = {"cardea": results, "handshakes_wall_ms": walls, "handshakes_cpu_ms": cpus}
    walls, cpus = (sorted(all)[len(all) // 2] if all else None for all in (walls, cpus))
    wall = _median(results, "all_joined_ms")
    cpu = _median([one["while_joining"] for one in results], "cpu_seconds")
    if wall:
        bench.check("1,000 joins at once", wall / 1000, "", None, " s")
    if wall and walls:
        bench.check("the same against plain DTLS handshakes", wall / walls, "<= 2x", wall / walls <= 2, "x")
        bench.check("the same, CPU time of the gateway and of the handshakes", cpu * 1000 / cpus, "", None, "x")
    if results:
        loss = 100 * max(one["while_joining"]["loss"] for one in results)
        bench.check("loss of media that flows meanwhile", loss, "0 %", loss == 0, " %")


def signalling(bench):
    """requests to the video room over one WebSocket, 16 always under way"""
    every = bench.repeated("signalling", _kinds(bench), "--signalling", 16, "--seconds", bench.options.seconds)
    _compare(bench, "signalling: requests per CPU second", every, "requests_per_cpu_second", 5, more_is_better=True)


def curve(bench):
    """CPU per forwarded packet from 50 to 2,000 subscribers, blackhole"""
    points = []
    for subscribers in (50, 100, 200, 500, 1000, 2000):
        every = bench.repeated(f"curve-{subscribers}", _kinds(bench) if subscribers <= 200 else ["cardea"],
                               *_room(subscribers, seconds=bench.options.seconds), runs=min(3, bench.options.runs),
                               hole=True)
        value = _median(_clean(every["cardea"]), "cpu_us_per_packet")
        if value:
            points.append((subscribers, value))
    if len(points) > 1:
        spread = points[-1][1] / points[0][1]
        whole = points[-1][0] == 2000
        bench.check(f"CPU per packet, {points[-1][0]} against {points[0][0]} subscribers", spread, "<= 1.1x (flat)",
                    spread <= 1.1 if whole else None, "x")


def capacity(bench):
    """subscribers per core at <= 0.1 % loss, doubling until it is more; blackhole"""
    best = {}
    for kind, begin, step in (("cardea", 1000, 1000), ("janus", 150, 50)):
        if kind not in _kinds(bench):
            continue
        best[kind] = 0
        for subscribers in range(begin, begin + 8 * step, step):
            # Ten publishers make a tenth of the subscribers worth as many: fewer sockets, the same packets.
            scale = 10 if kind == "cardea" else 1
            result = bench.once(kind, *_room(subscribers // scale, publishers=scale, seconds=bench.options.seconds,
                                             sample=2, join_rate=100), hole=True)
            bench.results.setdefault("capacity", {}).setdefault(kind, []).append(result)
            if not result or result["loss"] > 0.001:
                break
            bench.tell("capacity", kind, subscribers, result)
            best[kind] = subscribers
    ratio = best["cardea"] / best["janus"] if best.get("janus") else None
    bench.check("subscribers per core at <= 0.1 % loss (cardea)", best["cardea"], "", None)
    bench.check("the same against janus", ratio, ">= 8x", ratio >= 8 if ratio else None, "x")


def workers(bench):
    """CPU per packet of two workers against one, 20 rooms of 1 -> 50, blackhole"""
    cost = {}
    for count in (1, 2):
        every = bench.repeated(f"workers-{count}", ["cardea"], *_room(50, 1, 20, seconds=bench.options.seconds, sample=1),
                               hole=True, workers=count)
        cost[count] = _median(_clean(every["cardea"]), "cpu_us_per_packet")
    if cost[1] and cost[2]:
        scale = 2 * cost[1] / cost[2]
        bench.check("two workers against one (by CPU per packet)", scale, ">= 1.8x", scale >= 1.8, "x")


ALL = {function.__name__: function for function in
       (fanout, cm, loopback, rooms, three, half, memory, churn, joins, signalling, curve, capacity, workers)}
