#!/usr/bin/env bash
# Builds and runs the example package, which depends on this package as a user's package would.
set -euo pipefail
cd "$(dirname "$0")/../Examples/TrainAndSample"
# Nothing reads the index of a build that is run once.
swift build --disable-index-store
swift run --skip-build TrainAndSample
