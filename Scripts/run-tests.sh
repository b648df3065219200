#!/usr/bin/env bash
# run-tests.sh [ARGUMENTS...]: runs the tests that have been built, and repeats all failures at the end,
# because tests run in parallel and their output is interleaved.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build
log=.build/tests.log
swift test --skip-build "$@" 2>&1 | tee "$log" && exit 0
printf '\nFailures, from %s:\n' "$log"
grep -aE '✘|recorded an issue|[Ff]atal error|Exited with|error:' "$log" | tail -n 60
exit 1
