#!/usr/bin/env bash
# Lays out an installation in FOLDER: stage.sh SEDD FOLDER
#
#   bin/sedd                 finds its libraries and models relative to itself
#   lib/sedd/                libtorch's CPU libraries and Swift's runtime
#   share/sedd/              models, presets
#   share/doc/sedd/          README, changelog, docs/, deployment files and the example, laid out as in the repository; licences
#   share/man/man1/ and the folders in which bash, zsh and fish look for completions
set -euo pipefail
[ $# = 2 ] || { echo "stage: expected SEDD FOLDER" >&2; exit 64; }
sedd=$(realpath "$1") stage=$2
cd "$(dirname "$0")/../.."
here=Scripts/packaging
fail() { echo "stage: $*" >&2; exit 1; }
[ "$(uname -s)" = Linux ] || fail "installations are laid out on Linux; elsewhere run $sedd where it was built"
for tool in ldd readelf nm strip python3; do command -v "$tool" >/dev/null || fail "$tool is missing (Debian: apt-get install binutils python3)"; done
version=$($here/version.sh)
date=$(git log -1 --format=%cs 2>/dev/null || date -u +%F)
[[ "$("$sedd" --version)" == "sedd $version "* ]] || fail "$sedd says '$("$sedd" --version)', and the sources are $version; run make build"

rm -rf "$stage"
mkdir -p "$stage"/{bin,lib/sedd,share/sedd/models,share/sedd/presets,share/doc/sedd,share/man/man1}
stage=$(realpath "$stage")
cp "$sedd" "$stage/bin/sedd"

# All libraries except the C library's and the compiler's, which belong to the system.
system='^(linux-vdso|ld-linux|libc|libm|libdl|libpthread|librt|libutil|libresolv|libstdc\+\+|libgcc_s)[-.]'
ldd "$sedd" | awk '/=> not found/ {print "missing " $1} /=> \// {print $1 " " $3}' | while read -r name path; do
    [ "$name" != missing ] || fail "$path is not found; run make setup"
    [[ "$name" =~ $system ]] && continue
    case $name in libcu*) continue ;; esac
    cp -L "$path" "$stage/lib/sedd/$name"
done
$here/cuda-stubs.sh "$stage/lib/sedd/libtorch_cpu.so" "$stage/lib/sedd"
chmod 755 "$stage"/lib/sedd/*
strip --strip-unneeded "$stage"/lib/sedd/*.so*
strip "$stage/bin/sedd"
python3 $here/runpath.py '$ORIGIN/../lib/sedd' "$stage/bin/sedd"
python3 $here/runpath.py '$ORIGIN' "$stage"/lib/sedd/*.so*

cp -R Models/. "$stage/share/sedd/models/"
cp Configurations/*.yaml "$stage/share/sedd/presets/"
# Laid out as in the repository, so that the links between the files hold.
cp -R README.md CHANGELOG.md CONTRIBUTING.md docs Deployment "$stage/share/doc/sedd/"
mkdir -p "$stage/share/doc/sedd/Examples/TrainAndSample"
cp -R Examples/TrainAndSample/{Package.swift,Sources} "$stage/share/doc/sedd/Examples/TrainAndSample/"
python3 Scripts/links.py "$stage/share/doc/sedd"
$here/licenses.sh "$stage/share/doc/sedd/licenses"

mkdir -p "$stage"/share/{bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
"$sedd" --generate-completion-script bash >"$stage/share/bash-completion/completions/sedd"
"$sedd" --generate-completion-script zsh >"$stage/share/zsh/site-functions/_sedd"
"$sedd" --generate-completion-script fish >"$stage/share/fish/vendor_completions.d/sedd.fish"
python3 $here/manual.py "$sedd" "$version" "$date" "$stage/share/man/man1"
gzip -9n "$stage"/share/man/man1/*.1
