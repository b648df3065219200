#!/usr/bin/env bash
# Tests training with several processes: distributed-test.sh SEDD [ARGS of Tests/Distributed/distributed_test.py]
#
#   TORCHRUN=/path   torchrun of PyTorch 2.11 (default: the one in the path); without one, that trial is reported as skipped
#
# Two machines are network namespaces of this one, which only root can create. Open MPI and SLURM are tried if they are installed
# (Debian: openmpi-bin, slurm-wlm and munge; none of their services has to run). What cannot be tried is reported as skipped.
set -euo pipefail
[ $# -ge 1 ] || { echo "distributed test: expected SEDD, as in Scripts/distributed-test.sh .build/release/sedd" >&2; exit 64; }
sedd=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
torchrun=${TORCHRUN:-$(command -v torchrun || true)}
PYTHONDONTWRITEBYTECODE=1 exec python3 Tests/Distributed/distributed_test.py --sedd "$sedd" ${torchrun:+--torchrun "$torchrun"} "$@"
