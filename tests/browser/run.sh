#!/bin/sh
# The pages and their media in headless Chromium. Prints TAP. A file that fails is run once more, and that is said: these tests
# meet real time on machines that are shared.
cd "$(dirname "$0")/.." || exit 1
status=0
tap=$(mktemp)
for file in browser/*.test.mjs; do
  # A native client module may fall over at the very end of its process, when all tests are told.
  if ! node --test-reporter=tap "$file" >"$tap" && ! grep -q '^# fail 0' "$tap"; then
    echo "# once more: $file"
    grep -A 20 '^not ok' "$tap" >&2
    node --test-reporter=tap "$file" >"$tap" || grep -q '^# fail 0' "$tap" || status=1
  fi
  cat "$tap"
done
rm -f "$tap"
exit $status
