"""What run.py measures: each function does its runs and states what they should show."""
import os
import statistics
import subprocess

import servers
import topology


def _median(results, key):
    values = [one[key] for one in results if key in one]
    return statistics.median(values) if values else None


# Beyond this loss a server did not do what was asked of it.
MOST_LOSS = 0.001


def _clean(results):
    return [one for one in results if one.get("loss", 0) <= MOST_LOSS]


def _kinds(bench, janus=("janus",), frames=False):
    ours = ["cardea", "cardea-frames"] if frames and servers.frames_are_possible() else ["cardea"]
    return ours + (list(janus) if bench.with_janus else [])


def _cost(results):
    """CPU us per packet that arrived, and the loss: of runs without loss if there is one, else of all."""
    results = _clean(results) or results
    if not results:
        return None, 0
    loss = statistics.median(one["loss"] for one in results)
    return statistics.median(one["cpu_us_per_packet"] / (1 - one["loss"]) for one in results if one["loss"] < 1), loss


def _compare(bench, what, every, least):
    """CPU time per packet against the better one of the rivals. One that loses packets is told so, and pays with those
    that arrive."""
    costs = {kind: _cost(results) for kind, results in every.items() if kind.startswith("janus") and results}
    for kind in (kind for kind in every if kind.startswith("cardea")):
        ours = _median(_clean(every[kind]), "cpu_us_per_packet")
        detail = f"{ours:.2f} us" if ours else "packets were lost"
        for rival, (cost, loss) in costs.items():
            lost = f", {100 * loss:.0f} % lost" if loss > MOST_LOSS else ""
            detail += f"; {rival} {cost:.2f} us{lost}"
        ratio = min(cost for cost, _ in costs.values()) / ours if costs and ours else None
        name = what + (", media.frames" if kind == "cardea-frames" else "")
        bench.check(f"{name}: CPU per packet", ratio, f">= {least}x", ratio >= least if ratio else None, "x", detail)


def _room(subscribers, publishers=1, rooms=1, **more):
    arguments = ["--rooms", rooms, "--publishers", publishers, "--subscribers", subscribers, "--warm-up", 1]
    for name, value in more.items():
        arguments += ["--" + name.replace("_", "-"), value]
    return arguments


def fanout(bench):
    """1 publisher to 200 subscribers, AES-128-GCM, the bulk blackholed at the sender"""
    every = bench.repeated("fanout", _kinds(bench, ("janus", "janus-threads"), frames=True),
                           *_room(200, seconds=bench.options.seconds), hole=True)
    _compare(bench, "fan-out 1 -> 200, blackhole", every, 12)


def cm(bench):
    """the same with AES-CM/HMAC-SHA1"""
    every = bench.repeated("cm", _kinds(bench, frames=True), *_room(200, seconds=bench.options.seconds, srtp="cm80"), hole=True)
    _compare(bench, "the same, AES-CM/HMAC-SHA1", every, 12)
    gcm = _median(bench.results.get("fanout", {}).get("cardea", []), "cpu_us_per_packet")
    ours = _median(every["cardea"], "cpu_us_per_packet")
    if gcm and ours:
        bench.check("CM/HMAC-SHA1 against GCM: CPU per packet", ours / gcm, "<= 2x", ours / gcm <= 2, "x")


def loopback(bench):
    """1 publisher to 200 subscribers on plain loopback, all packets read, without and with UDP GRO in the clients"""
    for gro, least in (("false", 6), ("true", 8)):
        every = bench.repeated("loopback-gro" if gro == "true" else "loopback", _kinds(bench, frames=True),
                               *_room(200, seconds=bench.options.seconds, one_of=1, gro=gro), loopback=True)
        _compare(bench, f"fan-out 1 -> 200, loopback, readers{' with UDP GRO' if gro == 'true' else ''}", every, least)


def rooms(bench):
    """2 rooms of 10 publishers and 10 subscribers, the bulk blackholed"""
    every = bench.repeated("rooms", _kinds(bench, frames=True), *_room(10, 10, 2, seconds=bench.options.seconds, sample=1), hole=True)
    _compare(bench, "rooms of 10 x 10, blackhole", every, 6)


def bare(bench):
    """the whole path of a packet against a loop that only encrypts and sends, both saturated (fanout_bench)"""
    program = os.path.join(bench.build, "tests/bench/fanout_bench")
    if not os.path.exists(program):
        return
    out = subprocess.run([program, "auto", "SRTP_AEAD_AES_128_GCM"], capture_output=True, text=True).stdout
    rows = [line.split() for line in out.splitlines() if " gso " in line]
    for row in rows:
        ratio = float(row[-1])
        bench.check(f"whole path against the bare loop, turns of {row[3]} packets", ratio, "<= 2x", ratio <= 2, "x",
                    f"{row[-3]} and {row[-2]} ns")
    bench.results["bare"] = rows


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


def _rooms_at_load(bench, subscribers, publishers, share):
    """As many rooms of this size as fill such a share of a core, as arguments; None if it cannot be told."""
    def rooms_of(count):
        return _room(subscribers, publishers, count, seconds=bench.options.seconds, sample=1)

    count = 8
    for _ in range(2):  # what a packet costs falls with the load: two steps come near
        probe = bench.once("cardea", *rooms_of(count), hole=True)
        if not probe:
            return None
        count = max(1, min(32, round(count * share / probe["server_cpu_share"])))
    return rooms_of(count)


def half(bench):
    """latency at about half load: rooms of 5 publishers and 40 subscribers, as many as fill half a core, blackhole"""
    arguments = _rooms_at_load(bench, 40, 5, 0.5)
    if not arguments:
        return
    every = bench.repeated("half", ["cardea"], *arguments, hole=True)
    results = every["cardea"]
    share = _median(results, "server_cpu_share")
    if not share:
        return
    for percent, most in ((50, 2), (99, 5)):
        value = statistics.median(one["video_latency"][f"p{percent}_ms"] for one in results)
        bench.check(f"half load: video latency p{percent}", value, f"<= {most} ms", value <= most, " ms",
                    f"{100 * share:.0f} % of a core, {_median(results, 'forwarded_per_second'):.0f} packets/s")


def memory(bench):
    """resident memory per connected media-only peer: 1,000 subscribers of a voice one after another, of a video at once"""
    for name, what, more in (("memory", "audio, 200 joins/s", {"video_bps": 0}),
                             ("memory-rush", "video, all at once", {"join_rate": 0, "video_bps": 300000})):
        kinds = _kinds(bench) if name == "memory" else ["cardea"]
        every = bench.repeated(name, kinds, *_room(1000, seconds=3, sample=1, one_of=0, **more), hole=True)
        for kind, results in every.items():
            if not results:
                continue
            value = statistics.median(one["resident_measured"] - one["resident_before"] for one in results) / 1001 / 1000
            ours = kind == "cardea"
            bench.check(f"memory per peer, {what} ({kind})", value, "<= 20 kB" if ours else "",
                        value <= 20 if ours else None, " kB")


def churn(bench):
    """10,000 subscribers leave and come again: memory and descriptors"""
    quick = bench.options.quick
    seconds = 15 if quick else 65
    every = bench.repeated("churn", ["cardea"],
                           *_room(200, seconds=seconds, churn=160, video_bps=0, sample=5, one_of=0), most=1)
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
                                                              sample=5, one_of=0), most=1)["cardea"]
    bench.results["joins"] = {"cardea": results, "handshakes_wall_ms": walls, "handshakes_cpu_ms": cpus}
    walls, cpus = (sorted(all)[len(all) // 2] if all else None for all in (walls, cpus))
    wall = _median(results, "all_joined_ms")
    cpu = _median([one["while_joining"] for one in results], "cpu_seconds")
    if wall:
        bench.check("1,000 joins at once: media for all after", wall / 1000, "", None, " s")
    if wall and walls:
        bench.check("the same against plain DTLS handshakes", wall / walls, "<= 2x", wall / walls <= 2, "x")
        bench.check("the same, CPU time of the gateway and of the handshakes", cpu * 1000 / cpus, "", None, "x")
    if results:
        loss = 100 * max(one["while_joining"]["loss"] for one in results)
        bench.check("loss of media that flows meanwhile", loss, "0 %", loss == 0, " %")
        for percent in (50, 99):
            value = statistics.median(one["while_joining"]["video_latency"][f"p{percent}_ms"] for one in results)
            bench.check(f"latency of media that flows meanwhile, p{percent}", value, "", None, " ms")


def signalling(bench):
    """requests to the video room over one WebSocket, 16 always under way"""
    every = bench.repeated("signalling", _kinds(bench), "--signalling", 16, "--seconds", bench.options.seconds)
    ours, theirs = (_median(every.get(kind, []), "requests_per_cpu_second") for kind in ("cardea", "janus"))
    ratio = ours / theirs if ours and theirs else None
    bench.check("signalling: requests per CPU second", ratio, ">= 5x", ratio >= 5 if ratio else None, "x",
                f"{ours or 0:.0f} against {theirs or 0:.0f}")


def curve(bench):
    """CPU per forwarded packet from 50 to 2,000 subscribers, blackhole"""
    points = {}
    for subscribers in (50, 100, 200, 500, 1000, 2000):
        name = f"curve-{subscribers}"
        if subscribers == 200 and "fanout" in bench.results:
            bench.results[name] = bench.results["fanout"]  # the same measurement
        else:
            kinds = _kinds(bench, ("janus",) if subscribers <= 200 else (), frames=True)
            bench.repeated(name, kinds,
                           *_room(subscribers, seconds=bench.options.seconds), hole=True)
        for kind in _kinds(bench, (), frames=True):
            value = _median(_clean(bench.results[name].get(kind, [])), "cpu_us_per_packet")
            if value:
                points.setdefault(kind, []).append((subscribers, value))
    for kind, curve in points.items():
        (least, first), (most, last) = curve[0], curve[-1]
        bench.check(f"CPU per packet, {most} against {least} subscribers ({kind})", last / first, "<= 1.1x (linear)",
                    last / first <= 1.1 if most == 2000 else None, "x",
                    ", ".join(f"{at}: {cost:.2f} us" for at, cost in curve))


def capacity(bench):
    """subscribers of a 1.5 Mbit/s stream per core at <= 0.1 % loss, blackhole: up by 1.4 until it is more, then between"""
    def carries(kind, subscribers):
        # Ten publishers make a tenth of the subscribers worth as many: fewer sockets, the same packets.
        scale = 10 if kind == "cardea" else 1
        result = bench.once(kind, *_room(subscribers // scale, publishers=scale, seconds=bench.options.seconds, sample=2,
                                         join_rate=100), hole=True)
        bench.results.setdefault("capacity", {}).setdefault(kind, []).append(result)
        if not result or result["loss"] > MOST_LOSS:
            return 0
        bench.tell("capacity", kind, subscribers, result)
        return subscribers / max(1.0, result["server_cpu_share"])

    best = {}
    for kind in _kinds(bench):
        low, high = (2000 if kind == "cardea" else 200) / 1.4, None
        best[kind] = 0
        for _ in range(9):
            at = low * 1.4 if high is None else (low * high) ** 0.5
            carried = carries(kind, int(at) // 10 * 10)
            best[kind] = max(best[kind], carried)
            if carried:
                low = at
            else:
                high = at
            if high and high / low < 1.1:
                break
    ratio = best["cardea"] / best["janus"] if best.get("janus") and best["cardea"] else None
    bench.check("subscribers per core at <= 0.1 % loss", ratio, ">= 8x", ratio >= 8 if ratio else None, "x",
                "; ".join(f"{kind} {value:.0f}" for kind, value in best.items()))


def workers(bench):
    """CPU per packet of two workers against one, rooms of 5 -> 50 that fill most of a core of one worker, blackhole"""
    # With little to do both would mostly pay for waking up, two of them twice; nobody needs a second one then.
    arguments = _rooms_at_load(bench, 50, 5, 0.7)
    if not arguments:
        return
    cost = {}
    for count in (1, 2):
        every = bench.repeated(f"workers-{count}", ["cardea"], *arguments, hole=True, workers=count)
        cost[count] = _median(_clean(every["cardea"]), "cpu_us_per_packet")
    if cost[1] and cost[2]:
        scale = 2 * cost[1] / cost[2]
        bench.check("two workers against one (by CPU per packet)", scale, ">= 1.8x", scale >= 1.8, "x",
                    f"{cost[1]:.2f} and {cost[2]:.2f} us")


ALL = {function.__name__: function for function in
       (fanout, cm, loopback, rooms, bare, three, half, memory, churn, joins, signalling, curve, capacity, workers)}
