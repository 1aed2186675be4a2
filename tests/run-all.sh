#!/bin/sh
# Runs every test of a built tree (argument: the build folder) and ends with one line: N passed, N failed, N skipped.
# Each step's output stays in BUILD/tap/; what failed is shown. Steps can be named to run only those: run-all.sh build browser
build=$(cd "$1" && pwd) || exit 1
shift
source=$(cd "$(dirname "$0")/.." && pwd)
steps=${*:-make wire integration browser}
tap=$build/tap
mkdir -p "$tap"
rm -f "$tap"/*.tap
passed=0 failed=0 skipped=0

# Adds up a TAP file; a step that ended badly without saying which test failed counts as one failure.
count() { # file status
  p=$(grep -cE '^ok ' "$1")
  s=$(grep -cE '^ok .*# *SKIP' "$1")
  f=$(grep -cE '^not ok ' "$1")
  [ "$2" -ne 0 ] && [ "$f" -eq 0 ] && f=1 && echo "not ok - the step itself ended with $2"
  passed=$((passed + p - s)) skipped=$((skipped + s)) failed=$((failed + f))
}

for step in $steps; do
  began=$(date +%s)
  case $step in
    make)
      make -C "$build" --no-print-directory check >"$tap/make.out" 2>&1
      status=$?
      find "$build" -name '*.trs' | while read -r trs; do
        sed -n 's/^:test-result: PASS/ok -/p; s/^:test-result: SKIP/ok - # SKIP/p; s/^:test-result: \(FAIL\|ERROR\|XPASS\)/not ok -/p' "$trs" |
          sed "s|\$| ($(basename "$trs" .trs))|"
      done >"$tap/make.tap"
      ;;
    *)
      if [ "$step" = wire ]; then set -- node "$source/tests/wire/run.mjs"; else set -- sh "$source/tests/lib/run-files.sh" "$step"; fi
      CARDEA_BUILD=$build "$@" >"$tap/$step.tap" 2>"$tap/$step.err"
      status=$?
      ;;
  esac
  count "$tap/$step.tap" "$status"
  echo "$step: $p ok, $f not ok, $s skipped, $(($(date +%s) - began)) s"
  if [ "$f" -gt 0 ]; then
    grep -A 30 -E '^not ok ' "$tap/$step.tap" | head -n 200
    tail -n 40 "$tap/$step.err" "$tap/$step.out" 2>/dev/null
  fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
