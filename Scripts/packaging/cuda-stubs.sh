#!/usr/bin/env bash
# Creates stubs of the CUDA libraries on which a CUDA build of libtorch_cpu depends, although the CPU does not need them: cuda-stubs.sh LIBTORCH_CPU FOLDER
#
# Only its profiler calls them, and sedd does not use it. Each function returns what CUDA returns on a machine without a device, so
# NVIDIA's own libraries need not be copied.
set -euo pipefail
library=$1 target=$2
compiler=$(command -v clang || command -v cc) || { echo "cuda stubs: no C compiler" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for soname in $(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(libcu[a-z]*\.so\.[0-9]*\)\].*/\1/p'); do
    {
        nm -D --undefined-only "$library" | sed -n "s/.* U \([A-Za-z0-9_]*\)@\{1,2\}$soname\$/\1/p" | while read -r name; do
            case $name in
            cudaGetErrorString) echo "const char *$name(int code) { (void)code; return \"no CUDA in this installation\"; }" ;;
            cuptiGetResultString) echo "int $name(int code, const char **text) { (void)code; *text = \"no CUDA in this installation\"; return 0; }" ;;
            cupti*) echo "int $name(void) { return 15; }" ;;  # CUPTI_ERROR_NOT_INITIALIZED
            *) echo "int $name(void) { return 100; }" ;;      # cudaErrorNoDevice
            esac
        done
    } >"$work/stub.c"
    echo "$soname { global: *; };" >"$work/stub.map"
    "$compiler" -shared -fPIC -O1 -nostdlib -Wl,-soname,"$soname" -Wl,--version-script,"$work/stub.map" -o "$target/$soname" "$work/stub.c"
done
