#!/usr/bin/env bash
# A Python environment with packages from PyPI, installed once: venv.sh PACKAGE==VERSION... prints its interpreter.
set -euo pipefail
name=$(IFS=_; echo "$*")
folder="${SEDD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swift-sedd}/python-${name//[^A-Za-z0-9.=_-]/-}"
if [ ! -e "$folder/complete" ]; then
    echo "installing $* into $folder, once" >&2
    rm -rf "$folder"
    python3 -m venv "$folder" >&2
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir "$@" >&2
    touch "$folder/complete"
fi
echo "$folder/bin/python"
