# Sourced by scripts/test: one run of the tests, and their count. Needs common.sh.

# run_suite TITLE SCRATCH [ARGUMENTS OF SWIFT TEST …]: what has been built in SCRATCH. `sanitizer` may name one.
run_suite() {
  local title=$1 scratch=$2 status=0 results
  shift 2
  local build=(--scratch-path "$scratch" ${sanitizer:+--sanitize="$sanitizer"})
  step "$title: build"
  if ! swift build --build-tests "${build[@]}" > "$work/build.log" 2>&1; then
    cat "$work/build.log" >&2
    return 1
  fi
  step "$title: run"
  results=$work/results.xml
  rm -f "$work"/results*.xml
  swift test --skip-build --disable-xctest "${build[@]}" "${width[@]}" --xunit-output "$results" "$@" \
    < /dev/null 2>&1 | tee "$work/test.log" | grep --line-buffered --extended-regexp "$telling" || status=$?
  # A crash leaves no closing line; what it said instead is at the end. A signal may have ended it without a word.
  if ! grep --quiet "Test run with" "$work/test.log"; then
    tail -n 60 "$work/test.log" >&2
    echo "the tests ended before their end" >&2
  fi
  count_results "$results" || status=1
  return "$status"
}

# Of all that a run says: failures and why, what was skipped, the vectors, the closing line.
telling='^(✘|⚠|➜|↳|vectors |soak: |✔ Test run with |error:|SUMMARY: )'

# Few at once: many tests wait for something, and those that only compute would keep them from their deadlines.
width=(--no-parallel)
# Not through a pipe: grep leaves at the first match, and who still writes to it fails.
if [[ $(swift test --help-hidden 2> /dev/null) == *--experimental-maximum-parallelization-width* ]]; then
  width=(--parallel --experimental-maximum-parallelization-width 4)
fi

# Prints the plain line; fails where a test failed or none ran: `swift test --filter` finds nothing wrong with that.
# What was skipped is not among the tests that the report counts.
count_results() {
  local tests failed skipped
  tests=$(attribute tests "$1") failed=$(attribute failures "$1") skipped=$(attribute skipped "$1")
  echo "$((tests - failed)) passed, $failed failed, $skipped skipped"
  [[ $failed == 0 && $tests -gt 0 ]]
}

# 0 where there is no report, or one that ended before its end.
attribute() {
  local found
  found=$(sed -n "s/.*<testsuite [^>]*$1=\"\([0-9]*\)\".*/\1/p" "$2" 2> /dev/null | head -n 1) || true
  echo "${found:-0}"
}
