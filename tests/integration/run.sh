#!/bin/sh
# The gateway with real clients under node. Prints TAP.
cd "$(dirname "$0")/.." || exit 1
status=0
for file in integration/*.test.mjs; do
  node --test-reporter=tap "$file" || status=1
done
exit $status
