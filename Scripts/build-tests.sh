#!/usr/bin/env bash
# Builds the tests, and fails where a source of this package gives a warning. (The compiler's own flag for that cannot be
# given to dependencies, whose warnings are silenced.)
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build
swift build --build-tests 2>&1 | tee .build/build-tests.log
if grep -E "^$PWD/(Sources|Tests|Configurations)/.*(warning|error):" .build/build-tests.log; then
    echo "warnings count as errors here: put them right" >&2
    exit 1
fi
