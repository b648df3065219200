#!/usr/bin/env bash
# Builds and runs the example package, which depends on this one as an outside user's would.
set -euo pipefail
cd "$(dirname "$0")/../Examples/TrainAndSample"
swift build
swift run --skip-build TrainAndSample
