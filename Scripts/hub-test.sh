#!/usr/bin/env bash
# Tests huggingface_hub (from PyPI) and sedd on one cache: hub-test.sh SEDD MODEL
#
# The client is installed in a separate folder, never in the product; the hub is a local server of this test.
set -euo pipefail
[ $# = 2 ] || { echo "hub test: expected SEDD MODEL, as in Scripts/hub-test.sh .build/release/sedd Models/stories" >&2; exit 64; }
sedd=$(realpath "$1") model=$(realpath "$2")
cd "$(dirname "$0")/.."

# The newest version when this was written.
python=$(Scripts/venv.sh huggingface_hub==2.4.0)
PYTHONDONTWRITEBYTECODE=1 "$python" Tests/Hub/hub_test.py "$sedd" "$model"
