#!/bin/sh
# The wire tables against the built gateway. Prints TAP.
cd "$(dirname "$0")" || exit 1
exec node run.mjs
