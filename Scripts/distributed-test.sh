#!/usr/bin/env bash
# Many processes that train as one: distributed-test.sh SEDD [ARGS of Tests/Distributed/distributed_test.py]
#
#   TORCHRUN=/path   torchrun of PyTorch 2.11 (default: the one in the path); that trial is skipped, and said so, where there is none
#
# Two machines are network namespaces of this one, which root may make; otherwise that trial is skipped, and said so.
set -euo pipefail
[ $# -ge 1 ] || { echo "distributed test: expected SEDD, as in Scripts/distributed-test.sh .build/release/sedd" >&2; exit 64; }
sedd=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
torchrun=${TORCHRUN:-$(command -v torchrun || true)}
PYTHONDONTWRITEBYTECODE=1 exec python3 Tests/Distributed/distributed_test.py --sedd "$sedd" ${torchrun:+--torchrun "$torchrun"} "$@"
