#!/usr/bin/env bash
# Fuzzes the file readers: fuzz.sh [RUNS] [TARGET...]
# Each target runs RUNS times (default 20000) from its seeds and from earlier findings in Fuzz/corpus, with
# libFuzzer's coverage and the address sanitizer; a crash, a time-out of 10 s or 2 GiB of memory end it with the input in
# .build-fuzz/findings. Prints executions, coverage at the start and at the end, and findings.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-20000}
shift || true
files=(json safetensors weights pickle index bytepair tokenizer characters tokens texts)
models=(config model hydra run override template)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${files[@]}" "${models[@]}")
build=.build-fuzz
needs() { local target; for target in "${targets[@]}"; do [[ " $* " == *" $target "* ]] && return 0; done; return 1; }
compile() { # PRODUCT
    SEDD_FUZZ=1 swift build --scratch-path "$build" -c release --product "$1" -Xswiftc -sanitize=fuzzer,address \
        -Xswiftc -use-ld=lld >&2
}
! needs "${files[@]}" || compile fuzz-files
! needs "${models[@]}" || compile fuzz-models
mkdir -p "$build/findings"
python3 Scripts/fuzz-seeds.py . "$build/seeds"
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 OMP_NUM_THREADS=1
failed=0 total=0
printf '%-12s %10s %10s %10s %8s\n' target executions from to corpus
for target in "${targets[@]}"; do
    program=fuzz-models
    [[ " ${files[*]} " != *" $target "* ]] || program=fuzz-files
    corpus="$build/corpus/$target" log="$build/$target.log"
    mkdir -p "$corpus" "Fuzz/corpus/$target"
    status=0
    "$build/release/$program" "$target" -runs="$runs" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -verbosity=1 \
        -artifact_prefix="$build/findings/$target-" "$corpus" "$build/seeds/$target" "Fuzz/corpus/$target" \
        >"$log" 2>&1 || status=$?
    count=$(grep -oE '^#[0-9]+' "$log" | tail -n 1 | tr -d '#' || true)
    from=$(grep -m 1 INITED "$log" | grep -oE 'cov: [0-9]+' | cut -d' ' -f2 || true)
    to=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f2 || true)
    printf '%-12s %10s %10s %10s %8s\n' "$target" "${count:-0}" "${from:-?}" "${to:-?}" "$(ls "$corpus" | wc -l)"
    total=$((total + ${count:-0}))
    if [ $status != 0 ]; then
        failed=1
        echo "$target: $(grep -m 1 -E 'ERROR|SUMMARY|precondition|Fatal' "$log" || tail -n 1 "$log")"
    fi
done
echo "$total executions"
exit $failed
