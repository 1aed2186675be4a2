#!/bin/sh
# The settings that the program lists, the sample files, and the man page say the same; the samples are good as they are and with
# every line switched on. Needs the built program and modules. Prints TAP.
source=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd) || exit 1
build=$(cd "${top_builddir:-$source/build}" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

modules() { # plugins or transports: the folders of the built modules, with commas between
  find "$build/$1" -name '*.so' | sed 's|/[^/]*$||' | sort -u | paste -sd, -
}
cardea() {
  "$build/core/cardea" --set "cardea.general.plugins_folder=$(modules plugins)" \
    --set "cardea.general.transports_folder=$(modules transports)" --set cardea.general.log_to_stdout=false "$@"
}

. "$source/tests/style/tap.sh"

# "file.section.key default", one a line. Folders are this build's own; what is left out means something else than any value, so a
# sample shows an example; numbers have as many digits as they need, and an empty list may be written as a text.
cardea --list-settings | awk -F '\t' '
  NR == 1 || $1 ~ /_folder$/ { next }
  { value = $4 }
  $2 ~ /^real/ { value = value + 0 }
  value == "" || value == "()" { value = "any" }
  $2 ~ /^array/ && value == "[]" { value = "none" }
  { print $1, value }' | sort >"$work/listed"
awk '$2 == "none" || $2 == "any" { print $1, $2 }' "$work/listed" >"$work/special"
for file in "$source"/conf/*.cfg; do
  awk -v file="$(basename "$file" .cfg)" '
    NR == FNR { special[$1] = $2; next }
    /^#?[a-z]+(-[0-9]+)?: \{/ { section = $1; gsub(/[#:]/, "", section); sub(/-[0-9]+$/, "-<id>", section) }
    /^#?\}/ { section = "" }
    section != "" && /^ *# ?[a-z_0-9]+ = / {
      sub(/^ *# ?/, "")
      name = file "." section "." $1
      sub(/^[a-z_0-9]+ = /, "")
      sub(/ +#.*$/, "")
      if (special[name] == "any" || (special[name] == "none" && ($0 == "\"\"" || $0 == "[]"))) $0 = special[name]
      if (name !~ /_folder$/) print name, $0
    }' "$work/special" "$file"
done | sort >"$work/samples"
verdict "there are settings to compare" "$([ "$(wc -l <"$work/listed")" -gt 80 ] || echo "only $(wc -l <"$work/listed")")"
verdict "every setting is in its sample file, with its default, and no other is" \
  "$(diff "$work/listed" "$work/samples" | sed -n 's/^</listed:/p; s/^>/in the sample:/p')"

verdict "the samples are good as they are" "$(cardea --config "$source/conf" --check-config 2>&1 | grep -v '^The configuration is good\.$')"
mkdir "$work/on"
for file in "$source"/conf/*.cfg; do
  # Folders would be those of an installed gateway; the rest of a room begins with its own sign.
  sed -e '/_folder = /d' -e 's/^ *# \{0,1\}\([a-z_0-9]\{1,\} = [^#]*[^# ]\) *\(#.*\)\{0,1\}$/\1;/' -e 's/^#room-/room-/' -e 's/^#};/};/' \
    -e 's/^ *#  *\({ name = .*\) ) *#.*$/\1 );/' "$file" >"$work/on/$(basename "$file")"
done
sed -i 's/,;$/,/' "$work"/on/*.cfg
on=$(cat "$work"/on/*.cfg | grep -c '^[a-z_0-9]* = .*;$')
verdict "the samples are good with every line switched on" \
  "$([ "$on" -gt 80 ] || echo "only $on lines"; cardea --config "$work/on" --check-config 2>&1 | grep -v '^The configuration is good\.$')"

page=$source/man/cardea.1
cardea --help | grep -o -- '--[a-z][a-z-]*' | sort -u >"$work/options"
sed 's/\\-/-/g' "$page" | grep -o -- '--[a-z][a-z-]*' | sort -u >"$work/described"
verdict "the man page describes the options that --help shows" "$(diff "$work/options" "$work/described" | grep '^[<>]')"
verdict "the man page names every configuration file" \
  "$(for file in "$source"/conf/*.cfg; do grep -q "^\.I.*$(basename "$file")" "$page" || basename "$file"; done)"

finish
