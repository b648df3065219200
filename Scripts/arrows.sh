#!/usr/bin/env bash
# Dependencies point one way: CTorch <- Torch <- SEDD <- SEDDServer <- sedd, Files <- Torch and Files <- Text <- SEDD, Files <- Hub <- sedd; inside SEDD a file
# names only types of its own folder and of earlier ones. Prints every dependency that points backward, and fails if there is one.
set -euo pipefail
cd "$(dirname "$0")/../Sources"
failed=0
say() { echo "$1" >&2; failed=1; }

forbidden() { # forbidden ROOM MODULES: no file of the room may import them
    local found
    found=$(grep -rnE "^(public |package |internal )?import ($2)$" --include='*.swift' "$1" || true)
    [ -z "$found" ] || say "$1 must not import these: $found"
}
forbidden Files 'CTorch|Torch|Text|SEDD|Hub'
forbidden Hub 'CTorch|Torch|TensorFiles|Text|SEDD|SEDDServer'
forbidden Text 'CTorch|Torch|TensorFiles|SEDD'
forbidden TensorFiles 'CTorch|Torch|Text|SEDD'
forbidden Torch 'Text|SEDD'
forbidden SEDD 'CTorch|CDistributed|SEDDServer|Hub|Hummingbird|NIOCore|AsyncHTTPClient'
forbidden SEDDServer 'CTorch|CDistributed|Torch|Hub'
forbidden sedd 'CTorch|CDistributed|Hummingbird|NIOCore|AsyncHTTPClient'

order=(Plots Distributed Randomness Process Network Objective Autoregressive Models Sampling Training Evaluation Judging Studies)
types() { # the types that the files of a folder declare at their outermost level
    grep -rhoE --include='*.swift' --exclude='*.pb.swift' '^(public |package |final |indirect )*(struct|class|enum|protocol|actor) [A-Z][A-Za-z0-9]*' "SEDD/$1" |
        awk '{print $NF}' | sort -u
}
for ((earlier = 0; earlier < ${#order[@]}; earlier++)); do
    for ((later = earlier + 1; later < ${#order[@]}; later++)); do
        names=$(types "${order[later]}" | paste -sd '|' -)
        [ -n "$names" ] || continue
        # Comments may refer to later folders; code may not.
        found=$(grep -rnwE --include='*.swift' "$names" "SEDD/${order[earlier]}" | grep -vE ':[0-9]+: *///?' || true)
        [ -z "$found" ] || say "${order[earlier]} names a type of ${order[later]}: $found"
    done
done
[ $failed = 0 ] && echo "arrows: none runs backward"
exit $failed
