#!/bin/sh
# Every allocation and system call of the short calls fails once: hours. `run.sh N` takes N of each kind and call, `run.sh all` all.
# CARDEA_CHAOS_KINDS=disk,object chooses kinds; CARDEA_CHAOS_TALK=1 tells of each. The build is CARDEA_BUILD, or build/.
case ${1:-} in
  all) export CARDEA_CHAOS_ALL=1 ;;
  [0-9]*) export CARDEA_CHAOS_SAMPLE="$1" ;;
  *) echo "usage: $0 all | N" >&2; exit 2 ;;
esac
cd "$(dirname "$0")" && exec node chaos.test.mjs
