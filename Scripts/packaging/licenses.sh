#!/usr/bin/env bash
# Copies the licences of everything that an installation contains: licenses.sh FOLDER
set -euo pipefail
target=$1
cd "$(dirname "$0")/../.."
mkdir -p "$target"
copy() { # copy NAME FILE...
    local name=$1; shift
    mkdir -p "$target/$name"
    cp "$@" "$target/$name/"
}
fail() { echo "licences: $*" >&2; exit 1; }

# Packages linked into the program; those used only for the documentation are omitted.
for package in .build/checkouts/*/; do
    name=$(basename "$package")
    case $name in swift-docc-*) continue ;; esac
    files=$(find "$package" -maxdepth 1 -type f \( -iname 'LICENSE*' -o -iname 'NOTICE*' -o -iname 'COPYING*' \))
    [ -n "$files" ] || fail "$package has no licence"
    copy "$name" $files
done
# BoringSSL, which two of them contain.
for vendored in .build/checkouts/swift-nio-ssl/Sources/CNIOBoringSSL/LICENSE .build/checkouts/swift-crypto/Sources/CCryptoBoringSSL/LICENSE; do
    [ ! -f "$vendored" ] || copy "$(echo "$vendored" | cut -d/ -f3)/BoringSSL" "$vendored"
done

libraries=$(readlink -f .libtorch/lib)
found=$(find "$(dirname "$(dirname "$libraries")")"/torch-*.dist-info/licenses -type f 2>/dev/null || true)
[ -n "$found" ] || found=$(find "$(dirname "$libraries")" -maxdepth 1 -type f \( -name 'LICENSE*' -o -name 'NOTICE*' \))
[ -n "$found" ] || fail "no licence of libtorch beside $libraries"
copy libtorch $found

swift=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")/share/swift/LICENSE.txt
[ -f "$swift" ] || fail "no licence of Swift's runtime at $swift"
copy swift-runtime "$swift"

zlib=/usr/share/doc/zlib1g/copyright
[ ! -f "$zlib" ] || copy zlib "$zlib"

cat >"$target/README" <<'TEXT'
Licences of what this installation contains beside sedd itself.

libtorch          lib/sedd/libtorch_cpu.so, libc10.so and the libraries beside them, which its LICENSE and NOTICE cover;
                  libgomp (GPL 3 with the GCC runtime library exception) is one of them
swift-runtime     lib/sedd/libswift*.so, libFoundation*.so (with ICU's data), libdispatch.so, libBlocksRuntime.so
zlib              lib/sedd/libz.so.1
the others        Swift packages that are linked into bin/sedd

lib/sedd/libcud*.so and libcup*.so, if present, are not NVIDIA's: they are stubs of the functions that libtorch refers to.
TEXT
