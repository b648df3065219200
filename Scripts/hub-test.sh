#!/usr/bin/env bash
# The hub's own client, of PyPI, and sedd over one cache: hub-test.sh SEDD MODEL
#
# The client goes into a folder of its own, never into the product; the hub is a server of this test's on this machine.
set -euo pipefail
[ $# = 2 ] || { echo "hub test: expected SEDD MODEL, as in Scripts/hub-test.sh .build/release/sedd Models/gutenberg" >&2; exit 64; }
sedd=$(realpath "$1") model=$(realpath "$2")
cd "$(dirname "$0")/.."

version=2.4.0  # the newest when this was written
cache=${SEDD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swift-sedd}
client="$cache/huggingface_hub-$version"
if ! "$client/bin/python" -c 'import huggingface_hub' 2>/dev/null; then
    echo "hub test: installing huggingface_hub $version into $client, once" >&2
    rm -rf "$client"
    python3 -m venv "$client"
    "$client/bin/python" -m pip install --quiet --disable-pip-version-check "huggingface_hub==$version"
fi
PYTHONDONTWRITEBYTECODE=1 "$client/bin/python" Tests/Hub/hub_test.py "$sedd" "$model"
