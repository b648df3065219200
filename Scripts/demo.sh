#!/usr/bin/env bash
# The demo on the bundled model: text from noise, step by step, then holes of every kind.
set -euo pipefail
sedd=$1 model=$2
step() { printf '\n\033[1m%s\033[0m\n$ sedd %s\n' "$1" "${*:2}" >&2; "$sedd" "${@:2}"; }

step "Text from noise; ░ is a position that has not settled." \
    sample --model "$model" --steps 64 --seed 11 --show
step "A prefix: the model continues it." \
    sample --model "$model" --steps 64 --seed 1 --length 192 --template 'The old prince came into the drawing room and [[*]]'
step "A suffix: the model writes what precedes it." \
    sample --model "$model" --steps 64 --seed 2 --length 192 --template '[[*]] and they lived in Moscow ever after.'
step "A hole in the middle." \
    sample --model "$model" --steps 64 --seed 3 --length 192 --template 'She opened the letter. [[*]] Then she wept.'
step "Several holes of given sizes." \
    sample --model "$model" --steps 64 --seed 4 --template '"[[24]]?" said Pierre. "[[40]]," replied the [[8]], and left the room.'
