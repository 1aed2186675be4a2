#!/bin/sh
# Folders are floors and an include may only point down; pure floors know no system, no thread and no clock.
# ARCHITECTURE.md has the picture. Prints TAP.
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 1

floor() {
  case $1 in
    cardea) echo 1 ;;
    base) echo 2 ;;
    sdp) echo 3 ;;
    rtp | secure | ice | data) echo 4 ;;
    media) echo 5 ;;
    peer) echo 6 ;;
    worker) echo 7 ;;
    control) echo 8 ;;
    *) echo 99 ;;
  esac
}

# "file included-path" for each quoted include below the given folders
includes() {
  find "$@" \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' \) -exec grep -H '^ *# *include *"' {} + |
    sed 's/^\([^:]*\):[^"]*"\([^"]*\)".*/\1 \2/'
}

. tests/style/tap.sh

upward=$(includes core | while read -r file path; do
  folder=$(printf '%s' "$file" | cut -d/ -f2)
  [ "$folder" = main.cpp ] && continue
  [ "$folder" = sdk ] && folder=cardea
  case $path in config.h) continue ;; esac
  to=${path%%/*}
  if [ "$to" = "$path" ]; then echo "$file includes \"$path\" without its folder"; continue; fi
  [ "$to" = "$folder" ] && continue
  [ "$(floor "$to")" -lt "$(floor "$folder")" ] || echo "$file includes $path"
done)
verdict "an include of the core points down" "$upward"

foreign=$(includes plugins transports | while read -r file path; do
  own=$(printf '%s' "$file" | cut -d/ -f2)
  case $path in
    cardea/* | "$own"/*) ;;
    */*) case $file in transports/*) case $path in common/*) continue ;; esac ;; esac
       echo "$file includes $path" ;;
    *) [ -f "$(dirname "$file")/$path" ] || echo "$file includes $path" ;;
  esac
done)
verdict "plugins and transports know the SDK and themselves" "$foreign"

pure=$(find core/base core/sdp core/rtp core/ice core/media core/peer -name '*.[hc]pp' ! -path core/base/random.cpp ! -path core/base/clock.hpp \
  ! -path core/base/hmac_sha1.cpp ! -path core/base/cleanse.cpp)
system=$(grep -HnE '# *include *<(sys/|netinet/|arpa/|net/|linux/|unistd|fcntl|poll|pthread|thread|mutex|shared_mutex|condition_variable|future|openssl/|srtp|nice/|stun/|usrsctp|libwebsockets|libconfig|spdlog|fmt/|iostream|fstream|filesystem)' $pure)
verdict "pure floors include no system header, no thread, no foreign library" "$system"

clock=$(grep -HnE 'Clock::now|(steady|system|high_resolution)_clock|gettimeofday|clock_gettime|std::time\(|[^_a-z]rand\(|random_device' $pure)
verdict "pure floors read no clock and roll no dice" "$clock"

threads=$(grep -rnE 'std::(jthread|thread|mutex|async|condition_variable)\b' core plugins --include='*.[hc]pp' |
  grep -vE '^(core/(sdk/cardea/mailbox\.hpp|worker/|control/|main\.cpp)|plugins/textroom/poster\.)')
verdict "no threads or mutexes outside the shells" "$threads"

shared=$(grep -rnE 'std::shared_ptr<' core plugins --include='*.[hc]pp' | grep -vE 'std::shared_ptr<const ')
verdict "nothing mutable is shared by pointer" "$shared"

finish
