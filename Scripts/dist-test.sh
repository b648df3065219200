#!/usr/bin/env bash
# Tests the archive of `make dist` in a bare Debian, without Swift or Python: dist-test.sh [SUITE...] (default: bookworm)
#
# Needs root and debootstrap. The systems are created once and kept with the other caches; no process of the test can
# access the network, or anything on this machine but the unpacked archive.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "dist test: chroot needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "dist test: debootstrap is missing (Debian: apt-get install debootstrap)" >&2; exit 1; }
name="sedd-$(Scripts/packaging/version.sh)-linux-$(uname -m)"
archive=$(realpath ".build/dist/$name.tar.gz")
cache=${SEDD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swift-sedd}

for suite in "${@:-bookworm}"; do
    system="$cache/debian-$suite"
    if [ ! -x "$system/bin/sh" ]; then
        echo "dist test: making a bare Debian $suite in $system, once" >&2
        debootstrap --variant=minbase "$suite" "$system.partial" >"$system.log" 2>&1 || { tail -n 5 "$system.log" >&2; exit 1; }
        mv "$system.partial" "$system"
    fi
    rm -rf "$system/opt/sedd"
    mkdir -p "$system/opt/sedd"
    (cd "$(dirname "$archive")" && sha256sum --quiet --check "$name.tar.gz.sha256")
    tar -xzf "$archive" -C "$system/opt/sedd" --strip-components=1
    run() { # in an empty network and with an empty environment
        unshare --net --mount bash -c 'mount --bind /proc "$0/proc" && mount --bind /dev "$0/dev" && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot "$0" "$@"' "$system" "$@"
    }
    echo "dist test: Debian $suite, $(run /lib/x86_64-linux-gnu/libc.so.6 2>/dev/null | head -n 1 || true)"
    ! run sh -c 'command -v swift || command -v python3' || { echo "dist test: the system is not bare" >&2; exit 1; }
    run /opt/sedd/bin/sedd doctor
    run /opt/sedd/bin/sedd models
    text=$(run /opt/sedd/bin/sedd sample --model gutenberg --length 64 --steps 8 --seed 1)
    [ "${#text}" -ge 32 ] || { echo "dist test: sample wrote '$text'" >&2; exit 1; }
    echo "dist test: sampled ${#text} characters"
    run sh -c 'mkdir -p /tmp/trial && cd /tmp/trial && yes "the cat sat on the mat, and the dog ran to the sea." | head -n 400 >story.txt &&
        /opt/sedd/bin/sedd train --config tiny-cpu --set training.n_iters=4 --set training.batch_size=2 --set optim.warmup=1 \
            --set training.eval_freq=4 --set training.snapshot_freq=4 --data story.txt --output run 2>/dev/null &&
        /opt/sedd/bin/sedd sample --model run --length 16 --steps 2 --seed 1 2>/dev/null >text && test -s text && rm -rf /tmp/trial'
    echo "dist test: trained, and sampled from the run"
    rm -rf "$system/opt/sedd"
done
echo "dist test: all passed"
