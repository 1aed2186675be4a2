# Sourced by the style tests: verdict STATEMENT OFFENDING-LINES tells one as TAP, finish the end.
count=0 failed=0
verdict() {
  count=$((count + 1))
  if [ -z "$2" ]; then
    echo "ok $count - $1"
  else
    failed=$((failed + 1))
    echo "not ok $count - $1"
    printf '%s\n' "$2" | sed 's/^/# /'
  fi
}
finish() {
  echo "1..$count"
  [ "$failed" -eq 0 ]
}
