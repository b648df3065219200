#!/usr/bin/env bash
# Finds or installs libtorch and leaves `.libtorch/` in the checkout: `libtorch.pc` for pkg-config and `lib`, a link to
# the folder of the shared libraries. Reports what it found.
#
#   LIBTORCH=/path   use an installed libtorch (2.11 to 2.15; the folder that holds include/ and lib/, for instance
#                    .../site-packages/torch); CPU-only builds work too
#   SEDD_CACHE=/path where the wheel is unpacked (default: $XDG_CACHE_HOME/swift-sedd or ~/.cache/swift-sedd);
#                    clones share it
#
# Without LIBTORCH, the PyPI wheel of torch is unpacked there: it contains headers and libraries; Python is not used.
set -euo pipefail

torch_version=2.11.0      # the version that the golden values were checked with
cuda_runtime=13.0.2       # the small CUDA runtime that libtorch_cpu of that wheel names; no GPU is needed
oldest=2.11
newest=2.15

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${SEDD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swift-sedd}
say() { printf 'libtorch: %s\n' "$*" >&2; }
fail() { printf 'libtorch: %s\n' "$*" >&2; exit 1; }

check() { # check FOLDER: prints its version, or fails with the reason
    local folder=$1
    [ -f "$folder/include/torch/version.h" ] || [ -f "$folder/include/torch/csrc/api/include/torch/version.h" ] ||
        fail "$folder has no include/torch headers; LIBTORCH must name the folder that holds include/ and lib/"
    ls "$folder"/lib/libtorch_cpu.* >/dev/null 2>&1 || fail "$folder/lib has no libtorch_cpu; reinstall it, or unset LIBTORCH"
    local header
    header=$(find "$folder/include/torch" -name version.h | xargs grep -l 'TORCH_VERSION_MAJOR [0-9]' | head -n 1)
    [ -n "$header" ] || fail "$folder/include/torch has no version.h that names a version"
    local major minor
    major=$(sed -n 's/^#define TORCH_VERSION_MAJOR \([0-9]*\).*/\1/p' "$header")
    minor=$(sed -n 's/^#define TORCH_VERSION_MINOR \([0-9]*\).*/\1/p' "$header")
    [ "$major" = 2 ] && [ "$minor" -ge "${oldest#2.}" ] && [ "$minor" -le "${newest#2.}" ] ||
        fail "$folder is version $major.$minor; expected $oldest to $newest. Set LIBTORCH to another, or unset it"
    printf '%s.%s' "$major" "$minor"
}

install_wheel() { # unpacks the wheel into the cache, once, whole or not at all
    local target=$1
    command -v python3 >/dev/null || fail "python3 is missing: install it (Debian: apt-get install python3-pip), or set LIBTORCH"
    python3 -m pip --version >/dev/null 2>&1 || fail "python3 has no pip: install it (Debian: apt-get install python3-pip), or set LIBTORCH"
    mkdir -p "$cache"
    local aside
    aside=$(mktemp -d "$cache/.unpacking.XXXXXX")
    trap 'rm -rf "$aside"' EXIT
    say "installing torch $torch_version from PyPI into $target (about 1.2 GB unpacked, once)"
    local packages=("torch==$torch_version") runtime=()
    [ "$(uname -s)" = Linux ] && runtime=("cuda-toolkit[cudart,cupti]==$cuda_runtime")
    python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --root-user-action ignore \
        --no-deps --target "$aside" "${packages[@]}" || fail "pip could not install torch $torch_version; see above, or set LIBTORCH"
    if [ ${#runtime[@]} -gt 0 ]; then
        python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --root-user-action ignore \
            --target "$aside" "${runtime[@]}" || fail "pip could not install the CUDA runtime that libtorch names; see above"
    fi
    # Another clone may have finished first; its copy is equivalent.
    mv -T "$aside" "$target" 2>/dev/null || mv "$aside" "$target" 2>/dev/null || [ -d "$target/torch" ] ||
        fail "could not move the unpacked wheel to $target"
    trap - EXIT
    rm -rf "$aside"
}

if [ -n "${LIBTORCH:-}" ]; then
    folder=$(cd "$LIBTORCH" 2>/dev/null && pwd) || fail "LIBTORCH=$LIBTORCH is not a folder"
    version=$(check "$folder")
    source="LIBTORCH"
else
    wheel="$cache/torch-$torch_version-$(uname -s)-$(uname -m)"
    [ -d "$wheel/torch/lib" ] || install_wheel "$wheel"
    folder="$wheel/torch"
    version=$(check "$folder")
    source="PyPI wheel"
fi

mkdir -p "$root/.libtorch"
ln -sfn "$folder/lib" "$root/.libtorch/lib"
# Written only if changed, so that an unchanged setup rebuilds nothing.
pc=$(cat <<PC
Name: libtorch
Description: tensor engine (CPU; CUDA is opened at run time)
Version: $version
Cflags: -I$folder/include -I$folder/include/torch/csrc/api/include
Libs: -L$folder/lib -ltorch_cpu -lc10
PC
)
[ -f "$root/.libtorch/libtorch.pc" ] && [ "$(cat "$root/.libtorch/libtorch.pc")" = "$pc" ] ||
    printf '%s\n' "$pc" >"$root/.libtorch/libtorch.pc"
# Headers alone do not show whether the library contains c10d; Sources/CDistributed checks for this mark.
mark="$root/.libtorch/without-c10d.h"
if grep -q _ZN4c10d16ProcessGroupGlooC "$folder"/lib/libtorch_cpu.*; then
    rm -f "$mark"
else
    [ -f "$mark" ] || echo "// This libtorch has no c10d." >"$mark"
    say "it lacks c10d: every process of sedd will work alone"
fi
say "$version ($source) at $folder"
