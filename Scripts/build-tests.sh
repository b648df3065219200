#!/usr/bin/env bash
# Builds the tests, and fails if a source of this package causes a warning. (The compiler flag for that cannot be
# used, because it conflicts with silencing the warnings of dependencies.)
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build
swift build --build-tests 2>&1 | tee .build/build-tests.log
if grep -E "^$PWD/(Sources|Tests|Configurations)/.*(warning|error):" .build/build-tests.log; then
    # A build that is up to date does not repeat the warnings of the one before.
    sed -nE "s,^($PWD/(Sources|Tests|Configurations)/[^:]+):.*warning:.*,\\1,p" .build/build-tests.log | sort -u | xargs touch -c
    echo "warnings count as errors: fix them" >&2
    exit 1
fi
