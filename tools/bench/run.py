#!/usr/bin/env python3
"""Measures the gateway and, where it is installed, Debian's janus, side by side on the same topology; prints the ratios
and keeps the results. Needs root (network namespaces). docs/measuring.md tells how to read them.

    run.py --quick                      one run of each measurement
    run.py --only fanout,curve          some of them
    run.py --list                       their names
"""
import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import measurements
import servers
import topology

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))


class Bench:
    """What the measurements use: one topology, servers started anew for each run, the load generator."""

    def __init__(self, options):
        self.options = options
        self.build = os.path.abspath(options.build)
        self.topology = topology.Topology()
        self.with_janus = not options.no_janus and servers.janus_is_there()
        self.results = {}
        self.checks = []

    def once(self, kind, *arguments, hole=False, loopback=False, workers=1, extra=()):
        """One fresh server, one run of the load generator; its result as a dict, None if it failed."""
        server = servers.Server(kind, topology.SERVER_IP, self.build, workers, extra)
        try:
            return self.load(server, *arguments, hole=hole, loopback=loopback)
        finally:
            server.stop()
            self.topology.restore()

    def load(self, server, *arguments, hole=False, loopback=False):
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = [f"{self.build}/tools/cardea-load", "--url", f"ws://{server.address}:{servers.WS_PORT}/",
                       "--pid", str(server.pid), "--json", out.name, *map(str, arguments)]
            # From the server's own namespace its address is reached over lo (janus has no candidates on 127.0.0.1).
            for one in [topology.SERVER_IP] if loopback else [topology.CLIENT_IP] + topology.BULK_IPS:
                command += ["--bind", one]
            if hole:
                command += ["--after-join", self.topology.switch()]
            namespace = topology.SERVER if loopback else topology.CLIENT
            try:
                done = subprocess.run(topology.inside(namespace, *command), capture_output=True, text=True, timeout=300)
                failure = done.stderr.strip() if done.returncode != 0 else ""
            except subprocess.TimeoutExpired:
                failure = "the load generator did not end"
            if failure:
                print(f"  {server.kind}: {failure}", file=sys.stderr, flush=True)
                return None
            return json.load(open(out.name))

    def repeated(self, name, kinds, *arguments, most=None, **how):
        """Runs of each kind in turn, so that a noisy minute hits all; `most` where fewer do. {kind: [results]}"""
        every = {kind: [] for kind in kinds}
        for number in range(min(most or self.options.runs, self.options.runs)):
            for kind in kinds:
                result = self.once(kind, *arguments, **how)
                if result:
                    every[kind].append(result)
                    self.tell(name, kind, number, result)
        self.results.setdefault(name, {}).update(every)
        return every

    @staticmethod
    def tell(name, kind, number, result):
        parts = [f"  {name} {kind} #{number + 1}:"]
        if "cpu_us_per_packet" in result:
            parts.append(f"{result['cpu_us_per_packet']:.3f} us/packet, {result['forwarded_per_second']:.0f} packets/s, "
                         f"{100 * result['server_cpu_share']:.0f} % of a core, loss {100 * result['loss']:.3f} %, "
                         f"video p50 {result['video_latency']['p50_ms']:.2f} p99 {result['video_latency']['p99_ms']:.2f} ms")
        if "requests_per_cpu_second" in result:
            parts.append(f"{result['requests_per_cpu_second']:.0f} requests per CPU second")
        print(" ".join(parts), flush=True)

    def check(self, what, value, target, holds, unit="", detail=""):
        """One line of the final table. holds: None where there was nothing to compare with."""
        self.checks.append({"what": what, "value": value, "unit": unit, "target": target, "holds": holds,
                            "detail": detail})


def machine(load):
    def first(path, key):
        with open(path) as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "?")

    return {"cpu": first("/proc/cpuinfo", "model name"), "cores": os.cpu_count(), "kernel": platform.release(),
            "memory": first("/proc/meminfo", "MemTotal"), "load": load}


def commit():
    def git(*command):
        return subprocess.run(["git", "-C", SOURCE, *command], capture_output=True, text=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")


def print_table(checks):
    print(f"\n{'':58} {'measured':>14}   {'target':22}")
    for one in checks:
        value = "-" if one["value"] is None else f"{one['value']:.2f}{one['unit']}"
        verdict = {True: "holds", False: "MISSED", None: ""}[one["holds"]]
        print(f"{one['what']:58} {value:>14}   {one['target']:18} {verdict:8} {one['detail']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(SOURCE, "build"), help="folder where make was run")
    parser.add_argument("--runs", type=int, default=5, help="of each measurement; medians are told")
    parser.add_argument("--seconds", type=float, default=5, help="of each run")
    parser.add_argument("--quick", action="store_true", help="one run of each, shorter")
    parser.add_argument("--only", default="", help="names with commas between")
    parser.add_argument("--no-janus", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--out", default=os.path.join(SOURCE, "tests/bench/results"), help="folder; \"\": keep nothing")
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or list(measurements.ALL)
    if options.list or any(name not in measurements.ALL for name in names):
        for name, function in measurements.ALL.items():
            print(f"{name:12} {function.__doc__.splitlines()[0]}")
        return 0 if options.list else 2
    if options.quick:
        options.runs, options.seconds = 1, min(options.seconds, 3)
    if os.geteuid() != 0:
        raise SystemExit("run.py makes network namespaces: run it as root")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # namespaces and servers are taken away then too
    load = os.getloadavg()[0]
    begun, at = time.strftime("%Y-%m-%dT%H:%M:%S"), commit()  # as the run begins: the tree may move on meanwhile
    bench = Bench(options)
    try:
        for name in names:
            print(f"{name}: {measurements.ALL[name].__doc__.splitlines()[0]}", flush=True)
            try:
                measurements.ALL[name](bench)
            except (Exception, SystemExit) as failure:  # the others are worth having
                traceback.print_exc()
                bench.check(f"{name} failed", None, "", False, detail=str(failure).replace("\n", " ")[:200])
    finally:
        bench.topology.remove()
    print_table(bench.checks)
    if options.out:
        os.makedirs(options.out, exist_ok=True)
        kept = {"date": begun, "commit": at, "machine": machine(load), "blackhole": bench.topology.kind,
                "cardea": servers.version("cardea", bench.build),
                "janus": servers.version("janus", bench.build) if bench.with_janus else None,
                "runs": options.runs, "seconds": options.seconds, "checks": bench.checks, "results": bench.results}
        path = os.path.join(options.out, f"{begun.replace(':', '')}-{kept['commit'].rstrip('+')}.json")
        with open(path, "w") as file:
            json.dump(kept, file, indent=1)
            file.write("\n")
        print(f"\nkept in {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
