#!/usr/bin/env bash
# The documentation as a site: DocC over the library's doc comments, with the pages of docs/ as articles.
set -euo pipefail
cd "$(dirname "$0")/.."
output=$1 catalog=Sources/SEDD/SEDD.docc
python3 Scripts/articles.py docs "$catalog/Pages"
trap 'rm -rf "$catalog/Pages"' EXIT
# Parameters whose names say everything have no comment.
swift package --allow-writing-to-directory "$output" generate-documentation --target SEDD \
    --output-path "$output" --disable-indexing --disable-parameters-and-returns-validation --transform-for-static-hosting
echo "docs: $output/index.html; view it with: python3 -m http.server --directory $output"
