#!/usr/bin/env bash
# Checks and benchmarks on a machine with a GPU, which needs torch 2.11 (from pip) but not Swift.
#
#   Scripts/gpu-check.sh pack [FILE.tar.gz]   here: builds a stripped release binary with the Swift runtime inside, and packs it
#                                             with golden values, the bundled model and the benchmark (.build/gpu-check.tar.gz)
#   ./gpu-check.sh run                        there, in the unpacked folder: doctor, golden values, CPU against CUDA, the
#                                             benchmark beside PyTorch; leaves gpu-check.json, fails if a check fails
#
# Settings of `run`:
#   LIBTORCH=/path   the folder that holds lib/ (default: where python3 finds torch)
#   DEVICE=cuda      or cpu, to try everything without a GPU
#   SHAPES="small medium"   what the benchmark measures (SEDD small and medium, length 1024), or tiny
#   LARGEST=256      upper limit of the search for the largest batch
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() { echo "gpu-check: $*" >&2; exit 1; }

pack() {
    local root out=$1
    root=$(cd "$here/.." && pwd)
    cd "$root"
    export PKG_CONFIG_PATH="$root/.libtorch:${PKG_CONFIG_PATH:-}"
    # $ORIGIN/lib is the link that `run` makes; a build folder of its own leaves `make build` alone.
    swift build -c release --static-swift-stdlib --scratch-path .build-static --product sedd \
        -Xlinker -rpath -Xlinker '$ORIGIN/lib'
    folder=$(mktemp -d)  # not local: the trap outlives this function
    trap 'rm -rf "$folder"' EXIT
    local box="$folder/gpu-check"
    mkdir -p "$box/golden" "$box/model"
    strip -o "$box/sedd" .build-static/release/sedd
    cp Scripts/gpu-check.sh Scripts/gpu_check.py Benchmarks/PyTorch/sedd_torch.py "$box/"
    cp Models/gutenberg/config.json Models/gutenberg/model.safetensors "$box/model/"
    cat README.md docs/LOG.md >"$box/text.txt"
    git rev-parse HEAD >"$box/commit" 2>/dev/null || true
    if [ -d ../shared/golden ]; then
        for model in absorb absorb-geometric uniform; do
            mkdir "$box/golden/$model"
            cp "../shared/golden/$model"/{config.json,model.safetensors,expected.safetensors} "$box/golden/$model/"
        done
    else
        echo "gpu-check: ../shared/golden not found: packed without golden values" >&2
    fi
    mkdir -p "$(dirname "$out")"
    tar -C "$folder" -czf "$out" gpu-check
    local bytes
    bytes=$(stat -c %s "$out")
    [ "$bytes" -lt $((50 << 20)) ] || fail "$out has $bytes bytes; expected less than 50 MiB"
    echo "gpu-check: $out, $((bytes >> 10)) KiB"
}

run() {
    cd "$here"
    [ -x ./sedd ] || fail "./sedd not found: unpack the output of 'Scripts/gpu-check.sh pack', and run this there"
    local torch=${LIBTORCH:-}
    [ -n "$torch" ] || torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))') ||
        fail "python3 does not find torch: pip install torch==2.11.0, or set LIBTORCH"
    [ -e "$torch/lib/libtorch_cpu.so" ] || fail "$torch/lib has no libtorch_cpu.so; set LIBTORCH to torch's folder"
    # The binary looks there; this takes precedence over another libtorch.
    ln -sfn "$torch/lib" lib
    export LD_LIBRARY_PATH="$torch/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    # Kernels are recompiled, to measure the time.
    export SEDD_CACHE="$here/cache"
    rm -rf "$SEDD_CACHE"
    exec python3 gpu_check.py --device "${DEVICE:-cuda}" --shapes ${SHAPES:-small medium} --largest "${LARGEST:-256}" \
        --output gpu-check.json
}

case "${1:-}" in
pack) pack "$(realpath -m "${2:-$here/../.build/gpu-check.tar.gz}")" ;;
run) run ;;
*) fail "expected 'pack' or 'run'; see the comment at the top" ;;
esac
