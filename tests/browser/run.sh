#!/bin/sh
# The pages in headless Chromium. Prints TAP.
cd "$(dirname "$0")/.." || exit 1
status=0
for file in browser/*.test.mjs; do
  node --test-reporter=tap "$file" || status=1
done
exit $status
