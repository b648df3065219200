#!/usr/bin/env bash
# Builds and runs the example package, which depends on this package as a user's package would.
set -euo pipefail
cd "$(dirname "$0")/../Examples/TrainAndSample"
swift build
swift run --skip-build TrainAndSample
