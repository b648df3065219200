#!/usr/bin/env bash
# `sedd bench` beside a plain PyTorch SEDD, alternately on the same shapes, with a table of the results.
#
#   ROUNDS=3       measurements of each; the table has the medians
#   SHAPES=...     rows of the table to measure, by number (default: 1 2 3)
#   PYTORCH=...    PyTorch to install with pip (default: torch==2.11.0, the same version as libtorch; a CPU-only
#                  wheel of 2.11 is enough)
#   RESULT=FILE    measurements as JSON, one object per line (default: .build/bench.jsonl)
set -euo pipefail
sedd=$(realpath "$1")
cd "$(dirname "$0")/.."

# sedd does not use it.
python=$(Scripts/venv.sh "${PYTORCH:-torch==2.11.0}" numpy)
exec "$python" Benchmarks/compare.py --sedd "$sedd" --rounds "${ROUNDS:-3}" --shapes ${SHAPES:-1 2 3} \
    --result "${RESULT:-.build/bench.jsonl}"
