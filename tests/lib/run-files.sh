#!/bin/sh
# Runs the test files of a folder of tests/ (argument: browser | integration) under node, one after the other. Prints TAP.
# A file that fails is run once more, and that is said: these tests meet real time on machines that are shared.
cd "$(dirname "$0")/.." || exit 1
status=0
tap=$(mktemp)
for file in "$1"/*.test.mjs; do
  if ! node --test-reporter=tap "$file" >"$tap"; then
    echo "# once more: $file"
    { grep -A 20 '^not ok' "$tap" || tail -n 20 "$tap"; } >&2
    node --test-reporter=tap "$file" >"$tap" || status=1
  fi
  cat "$tap"
done
rm -f "$tap"
exit $status
