#!/bin/sh
# The whole gateway under sanitizers, in a build of its own: tests/sanitize.sh address | thread [wire|integration|load|make...]
#
#   address  memory errors, undefined behaviour, and leaks at the end of every gateway; folder build-address
#   thread   data races, with two media workers; folder build-thread
#
# Needs what ./check needs, which has been run once. Takes its time, so ./check does not do it.
cd "$(dirname "$0")/.." || exit 1
kind=$1
case $kind in
  address) list=address,undefined ;;
  thread) list=thread ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 1 ;;
esac
shift
steps=${*:-wire integration load}
jobs=${JOBS:-$(nproc)}
build=$PWD/build-$kind

. .ci/packages.sh
[ -x configure ] && [ configure -nt configure.ac ] || ./bootstrap >/dev/null || exit 1
mkdir -p "$build"
if [ ! -f "$build/config.status" ]; then
  (cd "$build" && ../configure --quiet --prefix="$build/root" --enable-sanitizers="$list" CXXFLAGS='-O1 -g' ${CARDEA_CONFIGURE:-}) || exit 1
fi
make -C "$build" --no-print-directory -j"$jobs" && make -C "$build" --no-print-directory install >/dev/null || exit 1

# A report ends the process with a status of its own, and each test asserts how its gateway ends.
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:exitcode=98"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=98"
export TSAN_OPTIONS="second_deadlock_stack=1:exitcode=98"
export CARDEA_SANITIZED=1 CARDEA_BUILD="$build"
[ "$kind" = thread ] && export CARDEA_WORKERS=2

# The gateway under the load tool: cardea_load NAME OPTION...
load() {
  name=$1
  shift
  log=$build/tap/load-$name.log
  "$build/root/bin/cardea" --config "$build/tap/empty" --set cardea.media.workers=2 --set cardea.media.address=127.0.0.1 --set cardea.media.port=0 \
    --set websockets.general.ws_ip=127.0.0.1 --set websockets.general.ws_port=0 \
    --set cardea.transports.disable=http --set cardea.general.state_folder= >"$log" 2>&1 &
  gateway=$!
  url=
  for _ in $(seq 100); do
    url=$(sed -n 's|^\(ws://.*\)$|\1|p' "$log") && [ -n "$url" ] && break
    sleep 0.1
  done
  "$build/root/bin/cardea-load" --url "$url" "$@" >"$log.load" 2>&1
  loaded=$?
  kill -TERM "$gateway"
  wait "$gateway"
  ended=$?
  if [ "$loaded" -eq 0 ] && [ "$ended" -eq 0 ]; then
    echo "ok - load: $name"
  else
    echo "not ok - load: $name: cardea-load ended with $loaded, the gateway with $ended"
    tail -n 60 "$log" "$log.load"
    failed=1
  fi
}

failed=0
mkdir -p "$build/tap/empty"
for step in $steps; do
  if [ "$step" = load ]; then
    few="--video-bps 300000 --warm-up 1 --sample 3 --one-of 1"
    load rooms $few --rooms 3 --publishers 2 --subscribers 6 --seconds 5
    load churn $few --rooms 2 --publishers 2 --subscribers 8 --seconds 8 --churn 5
    load losses $few --publishers 2 --subscribers 6 --seconds 5 --drop 0.05
    load text text --members 20 --speakers 5 --rate 5 --moves 5 --seconds 5
  else
    tests/run-all.sh "$build" "$step" || failed=1
  fi
done
exit $failed
