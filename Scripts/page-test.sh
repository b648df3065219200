#!/usr/bin/env bash
# Drives a headless Chromium through the page of `sedd serve` with a model: page-test.sh SEDD MODEL
#
#   SCREENSHOTS=DIR  folder for the screenshots (default: .build/page-test)
#
# Chromium and its driver come from the distribution and are installed only if missing. The test implements
# WebDriver itself, so that no Python package is needed.
set -euo pipefail
[ $# -ge 2 ] || { echo "page test: expected SEDD MODEL, as in Scripts/page-test.sh .build/release/sedd Models/stories" >&2; exit 64; }
sedd=$(realpath "$1") model=$(realpath "$2")
shift 2
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    command -v apt-get >/dev/null ||
        { echo "page test: chromium and chromedriver are missing, and apt-get is not available; install them" >&2; exit 69; }
    echo "page test: installing chromium and chromium-driver, once" >&2
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium chromium-driver >/dev/null
fi

screenshots=${SCREENSHOTS:-.build/page-test}
mkdir -p "$screenshots"
"$sedd" serve --model "$model" --port 0 >"$screenshots/address" 2>"$screenshots/server.log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
# The server prints its address once it accepts requests.
for _ in $(seq 600); do
    url=$(grep -oE 'http://[^ ]+' "$screenshots/address" || true)
    [ -z "$url" ] || break
    kill -0 $server 2>/dev/null || { echo "page test: the server did not start:" >&2; cat "$screenshots/server.log" >&2; exit 70; }
    sleep 0.1
done
[ -n "$url" ] || { echo "page test: the server did not print its address within a minute" >&2; exit 70; }
PYTHONDONTWRITEBYTECODE=1 python3 Tests/Page/page_test.py --url "$url" --screenshots "$screenshots" "$@"
# Unless cases were selected, pages of other origins are tested too.
[ $# -gt 0 ] || PYTHONDONTWRITEBYTECODE=1 python3 Tests/Page/origin_test.py --sedd "$sedd" --model "$model"
