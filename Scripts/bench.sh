#!/usr/bin/env bash
# `sedd bench` beside a plain PyTorch SEDD, by turns in one run on the same shapes, and a table of what came out.
#
#   ROUNDS=3       how often each is measured; the table has the medians
#   SHAPES=...     which rows of the table, by number (default: 1 2 3)
#   PYTORCH=...    what pip installs for the other side (default: torch==2.11.0, the version of libtorch here; a wheel of
#                  2.11 for the CPU alone is enough)
#   RESULT=FILE    where the measurements go as JSON, one object a line (default: .build/bench.jsonl)
set -euo pipefail
sedd=$(realpath "$1")
cd "$(dirname "$0")/.."

cache=${SEDD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swift-sedd}
pytorch=${PYTORCH:-torch==2.11.0}
python="$cache/benchmark-${pytorch//[^A-Za-z0-9.=]/-}/bin/python"
if ! "$python" -c 'import torch' 2>/dev/null; then
    echo "bench: installing $pytorch into $(dirname "$(dirname "$python")"), once; nothing of it is used by sedd" >&2
    rm -rf "$(dirname "$(dirname "$python")")"
    python3 -m venv "$(dirname "$(dirname "$python")")"
    "$python" -m pip install --quiet --disable-pip-version-check --no-cache-dir "$pytorch" numpy
fi
exec "$python" Benchmarks/compare.py --sedd "$sedd" --rounds "${ROUNDS:-3}" --shapes ${SHAPES:-1 2 3} \
    --result "${RESULT:-.build/bench.jsonl}"
