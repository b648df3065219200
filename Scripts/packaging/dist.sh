#!/usr/bin/env bash
# Creates a folder and an archive that run without this checkout, Swift or Python: dist.sh SEDD
#
# Both are in .build/dist. The archive is reproducible from the built program: names are sorted, times are the commit's.
set -euo pipefail
[ $# = 1 ] || { echo "dist: expected SEDD" >&2; exit 64; }
sedd=$(realpath "$1")
cd "$(dirname "$0")/../.."
name="sedd-$(Scripts/packaging/version.sh)-linux-$(uname -m)"
folder=.build/dist/$name
Scripts/packaging/stage.sh "$sedd" "$folder"
time=$(git log -1 --format=%ct 2>/dev/null || echo 0)
tar --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner -C .build/dist -cf - "$name" | gzip -9n >"$folder.tar.gz.partial"
mv "$folder.tar.gz.partial" "$folder.tar.gz"
(cd .build/dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
needed() { find "$folder" -type f \( -name '*.so*' -o -name sedd -path '*/bin/*' \) -exec objdump -T {} + 2>/dev/null | grep -oE "$1_[0-9.]+" | sort -uV | tail -n 1; }
echo "$folder: $(du -sh --apparent-size "$folder" | cut -f1)"
echo "$folder.tar.gz: $(du -h --apparent-size "$folder.tar.gz" | cut -f1)"
echo "needs $(needed GLIBC), $(needed GLIBCXX) or newer"
