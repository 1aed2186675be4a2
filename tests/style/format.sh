#!/bin/sh
# The tree is as .clang-format wants it. Skipped where clang-format is missing. Prints TAP.
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 1
if ! command -v clang-format >/dev/null; then
  echo "1..1"
  echo "ok 1 # SKIP clang-format is not installed"
  exit 0
fi
wrong=$(find core plugins transports tests tools -name node_modules -prune -o \( -name '*.hpp' -o -name '*.cpp' \) -print 2>/dev/null |
  xargs clang-format --dry-run 2>&1 | sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: .*/\1/p' | sort -u)
echo "1..1"
if [ -z "$wrong" ]; then
  echo "ok 1 - the tree is formatted"
else
  echo "not ok 1 - the tree is formatted"
  printf '%s\n' "$wrong" | sed 's/^/# /'
  exit 1
fi
