#!/usr/bin/env bash
# The demo on the bundled model: a story from noise, step by step, then holes of every kind. Temperature and top-p make a small
# model safer and less varied than its own distribution.
set -euo pipefail
sedd=$1 model=$2
filters=(--temperature 0.8 --top-p 0.9)
step() { printf '\n\033[1m%s\033[0m\n$ sedd %s\n' "$1" "${*:2}" >&2; "$sedd" "${@:2}"; }

step "A story from noise; ░ is a position that has not settled." \
    sample --model "$model" --steps 128 --seed 5 "${filters[@]}" --template '[[end]][[*]]' --show
step "A beginning: the model continues it." \
    sample --model "$model" --steps 128 --seed 1 "${filters[@]}" --length 128 --template 'Once upon a time, there was a little fox who[[*]]'
step "An ending: the model writes what leads up to it." \
    sample --model "$model" --steps 128 --seed 2 "${filters[@]}" --length 128 --template '[[end]][[*]] And they all lived happily ever after.[[end]]'
step "A hole in the middle." \
    sample --model "$model" --steps 128 --seed 3 "${filters[@]}" --template 'Lily found a shiny key in the garden.[[60]] Then they went home and were happy.[[end]]'
step "Several holes of given sizes." \
    sample --model "$model" --steps 128 --seed 4 "${filters[@]}" --template '"[[8]]!" said Tom.[[24]] His mom smiled and said, "[[10]]."[[end]]'
