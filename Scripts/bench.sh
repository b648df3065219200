#!/usr/bin/env bash
# Training and sampling steps at the two small shapes that the documentation quotes.
set -euo pipefail
sedd=$1
echo "27 tokens, width 192, 4 blocks, length 128, batch 16"
"$sedd" bench --tokens 27 --hidden 192 --heads 4 --blocks 4 --length 128 --batch 16
echo
echo "66 tokens, width 384, 6 blocks, length 256, batch 8"
"$sedd" bench --tokens 66 --hidden 384 --heads 6 --blocks 6 --length 256 --batch 8
