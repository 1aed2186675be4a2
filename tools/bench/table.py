#!/usr/bin/env python3
"""Prints the table of a kept result as docs/performance.md has it: table.py RESULT.json"""
import json
import sys


def rows(kept):
    machine = kept["machine"]
    yield (f"**{kept['date'][:10]}, commit {kept['commit']}, Debian's janus {kept['janus'] or '(not installed)'} beside it.** "
           f"{machine['cores']} cores of {machine['cpu']}, Linux {machine['kernel']}, load {machine['load']:.1f} at the begin; "
           f"medians of up to {kept['runs']} runs of {kept['seconds']:g} s, blackhole device {kept['blackhole']}.")
    yield ""
    yield "| what | measured | of it | target | |"
    yield "|---|---|---|---|---|"
    for one in kept["checks"]:
        value = "-" if one["value"] is None else f"{one['value']:.2f}{one['unit']}"
        verdict = {True: "holds", False: "**missed**", None: ""}[one["holds"]]
        yield f"| {one['what']} | {value} | {one.get('detail', '')} | {one['target']} | {verdict} |"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with open(sys.argv[1]) as file:
        print("\n".join(rows(json.load(file))))
