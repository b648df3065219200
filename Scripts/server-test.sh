#!/usr/bin/env bash
# Tests the server from outside: server-test.sh SEDD MODEL
#
#   REQUESTS=10000  malformed requests and broken connections of the fuzzing
#
# The clients' PyPI packages are installed into a separate folder. The test of two replicas requires nginx, and
# is reported as skipped without it.
set -euo pipefail
[ $# = 2 ] || { echo "server test: expected SEDD MODEL, as in Scripts/server-test.sh .build/release/sedd Models/stories" >&2; exit 64; }
sedd=$(realpath "$1") model=$(realpath "$2")
cd "$(dirname "$0")/.."

# The newest versions at the time of writing.
python=$(Scripts/venv.sh openai==3.57.0 langchain-openai==1.7.4 litellm==1.110.2)
export PYTHONDONTWRITEBYTECODE=1
"$python" Tests/Server/openai_client.py --sedd "$sedd" --model "$model"
"$python" Tests/Server/other_clients.py --sedd "$sedd" --model "$model"
python3 Tests/Server/fuzz.py --sedd "$sedd" --model "$model" --count "${REQUESTS:-10000}"
if command -v nginx >/dev/null; then
    python3 Tests/Server/replicas.py --sedd "$sedd" --model "$model"
else
    echo "server test: skipped two replicas behind nginx: install nginx to test them" >&2
fi
