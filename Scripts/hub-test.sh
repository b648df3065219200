#!/usr/bin/env bash
# The hub's own client, of PyPI, and sedd over one cache: hub-test.sh SEDD MODEL
#
# The client goes into a folder of its own, never into the product; the hub is a server of this test's on this machine.
set -euo pipefail
[ $# = 2 ] || { echo "hub test: expected SEDD MODEL, as in Scripts/hub-test.sh .build/release/sedd Models/gutenberg" >&2; exit 64; }
sedd=$(realpath "$1") model=$(realpath "$2")
cd "$(dirname "$0")/.."

# The newest when this was written.
python=$(Scripts/venv.sh huggingface_hub==2.4.0)
PYTHONDONTWRITEBYTECODE=1 "$python" Tests/Hub/hub_test.py "$sedd" "$model"
