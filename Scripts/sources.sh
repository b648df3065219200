#!/usr/bin/env bash
# The hand-written Swift files, without generated ones (*.pb.swift) and deleted ones.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files --cached --others --exclude-standard -- '*.swift' ':!*.pb.swift' | while read -r file; do
    if [ -e "$file" ]; then echo "$file"; fi
done
