#!/usr/bin/env bash
# Installs NVRTC, NVIDIA's compiler for the kernels, once, into the cache, and prints the folder of its
# libraries. Compiling does not require a GPU; a machine with one has NVRTC with its torch, and does not need this.
set -euo pipefail

version=13.0.2  # of the CUDA toolkit that torch 2.11 goes with
cache=${SEDD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swift-sedd}
target="$cache/nvrtc-$version-$(uname -m)"
libraries="$target/nvidia/cu13/lib"

if ! ls "$libraries"/libnvrtc.so.* >/dev/null 2>&1; then
    mkdir -p "$cache"
    aside=$(mktemp -d "$cache/.unpacking.XXXXXX")
    trap 'rm -rf "$aside"' EXIT
    printf 'nvrtc: installing cuda-toolkit[nvrtc] %s from PyPI into %s (about 220 MB, once)\n' "$version" "$target" >&2
    python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --root-user-action ignore \
        --target "$aside" "cuda-toolkit[nvrtc]==$version" || {
        printf 'nvrtc: pip could not install it; see above\n' >&2
        exit 1
    }
    mv -T "$aside" "$target" 2>/dev/null || [ -d "$libraries" ]
fi
printf '%s\n' "$libraries"
