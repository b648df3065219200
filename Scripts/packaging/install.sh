#!/usr/bin/env bash
# install.sh SEDD PREFIX [DESTDIR], or install.sh --remove PREFIX [DESTDIR]
#
# PREFIX/share/sedd/installed lists the installed files; --remove removes exactly those.
set -euo pipefail
fail() { echo "install: $*" >&2; exit 1; }
[ $# -ge 2 ] || fail "expected SEDD PREFIX [DESTDIR], or --remove PREFIX [DESTDIR]"
what=$1 prefix=$2 root=${3:-}
[[ "$prefix" == /* ]] || fail "PREFIX is '$prefix'; expected a whole path"
target=$root$prefix
list=$target/share/sedd/installed

remove() {
    # The list contains itself.
    local names
    mapfile -t names <"$list"
    for name in "${names[@]}"; do
        case /$name/ in */../*) fail "$list names '$name', which is not within the installation" ;; esac
    done
    for name in "${names[@]}"; do rm -f "$target/$name"; done
    # Removes the folders that are now empty, deepest first; folders with other files stay.
    printf '%s\n' "${names[@]}" | awk '{ while (sub("/[^/]*$", "") && !seen[$0]++) print }' |
        awk '{ print gsub("/", "/") " " $0 }' | sort -rn | cut -d' ' -f2- | while IFS= read -r folder; do
        rmdir "$target/$folder" 2>/dev/null || true
    done
}

if [ "$what" = --remove ]; then
    [ -f "$list" ] || fail "nothing of sedd is installed in $target"
    remove
    echo "removed from $target"
    exit 0
fi
sedd=$(realpath "$what")
cd "$(dirname "$0")/../.."
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
Scripts/packaging/stage.sh "$sedd" "$stage/tree"
(cd "$stage/tree" && find . -type f -printf '%P\n' | sort; echo share/sedd/installed) >"$stage/installed"
mv "$stage/installed" "$stage/tree/share/sedd/installed"
# Removes the files of an earlier installation.
[ ! -f "$list" ] || remove
mkdir -p "$target" || fail "cannot write to $target; choose another PREFIX, or become its owner"
cp -R --no-preserve=ownership "$stage/tree/." "$target/"
echo "installed in $target: $("$target/bin/sedd" --version)"
