#!/usr/bin/env python3
"""Draws the CPU time per forwarded packet over the number of subscribers from a kept result: plot.py RESULT.json OUT.svg"""
import json
import math
import statistics
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 70, 110, 50, 60
COLOURS = {"cardea": "#0b6e4f", "cardea-frames": "#3a86c8", "janus": "#c44900"}


def points(results):
    """{server: [(subscribers, us per packet)]}"""
    curves = {}
    for name, every in results.items():
        if not name.startswith("curve-"):
            continue
        for server, runs in every.items():
            values = [one["cpu_us_per_packet"] for one in runs if "cpu_us_per_packet" in one and one["loss"] <= 0.001]
            if values:
                curves.setdefault(server, []).append((int(name.split("-")[1]), statistics.median(values)))
    return {server: sorted(curve) for server, curve in curves.items()}


def draw(kept):
    curves = points(kept["results"])
    every = [point for curve in curves.values() for point in curve]
    if not every:
        raise SystemExit("the result holds no curve: run.py --only curve")
    low, high = min(x for x, _ in every), max(x for x, _ in every)
    bottom = 10 ** math.floor(math.log10(min(y for _, y in every)))
    top = 10 ** math.ceil(math.log10(max(y for _, y in every)))

    def at(x, y):
        across = (math.log(x) - math.log(low)) / (math.log(high) - math.log(low))
        up = (math.log(y) - math.log(bottom)) / (math.log(top) - math.log(bottom))
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
           f'font-size="13"><rect width="100%" height="100%" fill="white"/>',
           f'<text x="{LEFT}" y="24" font-size="15">CPU time of the server per forwarded packet (us), 1 publisher, '
           f'AES-128-GCM</text>']
    level = bottom
    while level <= top * 1.001:
        for factor in (1, 2, 5):
            if level * factor <= top * 1.001:
                x, y = at(low, level * factor)
                out.append(f'<path d="M{x} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                           f'<text x="{x - 8}" y="{y + 4:.1f}" text-anchor="end">{level * factor:g}</text>')
        level *= 10
    for x_value in sorted({x for x, _ in every}):
        x, y = at(x_value, bottom)
        out.append(f'<text x="{x:.1f}" y="{y + 20:.1f}" text-anchor="middle">{x_value}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 16}" text-anchor="middle">subscribers</text>')
    for server, curve in curves.items():
        colour = COLOURS.get(server, "#444")
        places = [at(*point) for point in curve]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                   + " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
        out.append(f'<text x="{places[-1][0] + 10:.1f}" y="{places[-1][1] + 4:.1f}" fill="{colour}">{server}</text>')
    out.append(f'<text x="{LEFT}" y="40" fill="#666" font-size="11">{kept["date"][:10]}, commit {kept["commit"]}, '
               f'{kept["machine"]["cpu"]}, {kept["machine"]["cores"]} cores, sender-side blackhole</text></svg>')
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    with open(sys.argv[1]) as file:
        drawn = draw(json.load(file))
    with open(sys.argv[2], "w") as file:
        file.write(drawn)
