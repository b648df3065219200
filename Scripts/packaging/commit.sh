#!/usr/bin/env bash
# Writes the commit being built to Sources/CStartup/commit.h, for `sedd --version`. Written only when it changes, so that an
# unchanged checkout rebuilds nothing; removed if this is not a checkout.
set -euo pipefail
cd "$(dirname "$0")/../.."
header=Sources/CStartup/commit.h
if ! commit=$(git rev-parse --short=12 HEAD 2>/dev/null); then
    rm -f "$header"
    exit 0
fi
[ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] || commit="$commit, modified"
line="#define SEDD_COMMIT \"$commit\""
[ -f "$header" ] && [ "$(cat "$header")" = "$line" ] || printf '%s\n' "$line" >"$header"
