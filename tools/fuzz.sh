#!/usr/bin/env bash
# tools/fuzz.sh SECONDS [TARGET...]: feeds readers of files with any bytes (libFuzzer, address and undefined-behaviour
# sanitizers), one target of tests/fuzz after the other, each for so many seconds; all of them where none is named. Installs
# what is missing, clang-19 among it, builds in build-fuzz/ (preset fuzz), and prints a table of executions and findings.
# What crashes, hangs (10 s) or takes 2 GiB lies in build-fuzz/findings/TARGET, what covers more code in build-fuzz/corpus/TARGET,
# where the next call goes on. The exit code is 1 where anything was found.
set -euo pipefail
unset CDPATH
[[ $# -ge 1 && $1 =~ ^[1-9][0-9]*$ ]] || { echo "usage: $0 SECONDS [TARGET...]" >&2; exit 2; }
cd -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/.."
seconds=$1
shift
for name in "$@"; do
  [[ $name =~ ^[a-z_]+$ && -f tests/fuzz/targets/$name.cpp ]] || { echo "error: no target '$name' in tests/fuzz/targets" >&2; exit 2; }
done
if [ $# -eq 0 ]; then
  for source in tests/fuzz/targets/*.cpp; do set -- "$@" "$(basename "$source" .cpp)"; done
fi
. tools/install_packages.sh
packages+=(clang-19 libomp-19-dev)
install_packages

echo "== building (preset fuzz)"
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
build=$PWD/build-fuzz
"$build/bin/fuzz_seeds" "$build/seeds"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/tmp"
export OMP_NUM_THREADS=1 ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_stack_use_after_return=0

echo "== fuzzing, $seconds s each"
all=0
printf '%-20s %12s %9s\n' target executions findings
for name in "$@"; do
  corpus=$build/corpus/$name findings=$build/findings/$name
  mkdir -p "$corpus" "$findings" "$build/seeds/$name"
  kept=(tests/fuzz/corpus/"$name")
  [ -d "${kept[0]}" ] || kept=()
  executions=0 found=0 kinds=$(find "$findings" -type f ! -name 'log-*' | wc -l) ends=$((SECONDS + seconds))
  while left=$((ends - SECONDS)) && [ $left -gt 0 ]; do # libFuzzer ends with what it finds
    status=0
    TMPDIR=$work/tmp "$build/bin/fuzz_$name" -max_total_time=$left -timeout=10 -rss_limit_mb=2048 -max_len=20000 -print_final_stats=1 \
      -close_fd_mask=1 -artifact_prefix="$findings/" "$corpus" "$build/seeds/$name" "${kept[@]}" \
      2>"$work/log" || status=$?
    executions=$((executions + $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log" | tail -1 || true) + 0))
    rm -rf -- "${work:?}"/tmp/*
    [ $status -eq 0 ] && break
    now=$(find "$findings" -type f ! -name 'log-*' | wc -l)
    found=$((found + (now > kinds || found == 0)))
    cp -- "$work/log" "$findings/log-$found"
    { echo "$name:"; grep -E 'ERROR|SUMMARY|runtime error|does not hold|an error of kind|Test unit' "$work/log" | head -5; } >&2 || true
    if [ "$now" -le "$kinds" ] || [ $found -ge 20 ]; then break; fi # the same again, or enough
    kinds=$now
  done
  printf '%-20s %12d %9d\n' "$name" "$executions" "$found"
  all=$((all + found))
done
[ "$all" -eq 0 ] || { echo "findings: $build/findings" >&2; exit 1; }
