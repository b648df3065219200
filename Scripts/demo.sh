#!/usr/bin/env bash
# The demo on the bundled model: a story from noise, step by step, then holes of every kind. The settings, those of the model's
# card, make a small model's text more probable and less varied than its own distribution.
set -euo pipefail
sedd=$1 model=$2
settings=(--sampler remask --strategy rescale --steps 128 --temperature 0.8 --top-p 0.9)
step() { printf '\n\033[1m%s\033[0m\n$ sedd %s\n' "$1" "${*:2}" >&2; "$sedd" "${@:2}"; }

step "A story from noise; ░ is a position that has not settled." \
    sample --model "$model" --seed 5 "${settings[@]}" --template '[[end]][[*]]' --show
step "A beginning: the model continues it." \
    sample --model "$model" --seed 1 "${settings[@]}" --length 128 --template 'Once upon a time, there was a little fox who[[*]]'
step "An ending: the model writes what leads up to it." \
    sample --model "$model" --seed 2 "${settings[@]}" --length 128 --template '[[end]][[*]] And they all lived happily ever after.[[end]]'
step "A hole in the middle." \
    sample --model "$model" --seed 3 "${settings[@]}" --template 'Lily found a shiny key in the garden.[[60]] Then they went home and were happy.[[end]]'
step "Several holes of given sizes." \
    sample --model "$model" --seed 4 "${settings[@]}" --template '"[[8]]!" said Tom.[[24]] His mom smiled and said, "[[10]]."[[end]]'
