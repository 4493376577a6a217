#!/usr/bin/env bash
# tools/gpu_check.sh [--part build|test|sanitize|bench|train|all] [--build DIR] [--results FILE]
# Everything that needs a GPU, on a machine that may have no network: builds for its card, runs all tests with the CUDA
# device among them, compute-sanitizer on the kernel tests, the benchmarks beside PyTorch's, and a training run with and
# without graphs. Each part takes ten minutes at most and adds a section to the results (Markdown). Without a GPU it stops
# after the build.
#   VAE_PREFIX      folder of libraries made by tools/gpu_prefix.sh, where the machine's packages lack them
#   VAE_BENCH_DIR   folder with torch_steps.py, PyTorch's side of the benchmark
#   VAE_GOLDEN_DIR, VAE_DATA_DIR   as for the tests
set -uo pipefail
for name in VAE_PREFIX VAE_BENCH_DIR VAE_GOLDEN_DIR VAE_DATA_DIR; do # folders of the caller, who may be elsewhere
  [ -n "${!name:-}" ] || continue
  folder=$(realpath -e -- "${!name}") || exit 1
  export "$name=$folder"
done

part=all build=build-gpu results=
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { echo "error: $1 needs a value" >&2; exit 2; }
  case $1 in
    --part) part=$2 ;;
    --build) build=$(realpath -m -- "$2") ;;
    --results) results=$(realpath -m -- "$2") ;;
    *) echo "error: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
case $part in build | test | sanitize | bench | train | all) ;; *)
  echo "error: unknown part '$part': expected build, test, sanitize, bench, train or all" >&2; exit 2 ;;
esac
cd "$(dirname "$(realpath -- "${BASH_SOURCE[0]}")")/.." || exit 1
results=${results:-$build/gpu_results.md}
mkdir -p "$build" "$(dirname "$results")" || exit 1
bin=$build/bin
failures=0
limit=540 # seconds of one part's longest command
if [ -n "${VAE_PREFIX:-}" ]; then
  export CMAKE_PREFIX_PATH=$VAE_PREFIX/usr${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
  export LD_LIBRARY_PATH=$VAE_PREFIX/usr/lib/$(gcc -print-multiarch)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi

say() { printf "%s\n" "$@" | tee -a "$results"; }
skip() { say "- skipped: $*"; }
have_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU; }
gpu() { nvidia-smi --query-gpu="$1" --format=csv,noheader -i 0 2>/dev/null; }

# check TITLE SECONDS COMMAND...: runs it; a line in the results, and the end of its output where it failed.
check() {
  local title=$1 seconds=$2 log begin status
  shift 2
  log=$(mktemp)
  begin=$SECONDS
  timeout "$seconds" "$@" >"$log" 2>&1
  status=$?
  if [ $status -eq 0 ]; then
    say "- ok: $title ($((SECONDS - begin)) s)"
  else
    failures=$((failures + 1))
    [ $status -eq 124 ] && say "- FAILED: $title: not done after $seconds s" || say "- FAILED: $title (exit code $status)"
    { echo '```'; tail -n 40 "$log"; echo '```'; } | tee -a "$results"
  fi
  cp "$log" "$build/last_check.log"
  rm -f "$log"
  return $status
}

# table COMMAND...: its output, verbatim.
table() {
  { echo '```'; timeout "$limit" "$@" 2>&1; echo '```'; } | tee -a "$results"
}

part_build() {
  {
    echo "# Check on a GPU, $(date -u +%Y-%m-%d)"
    echo
    echo "- card: $(gpu name || true), driver $(gpu driver_version || true), $(gpu memory.total || true)"
    echo "- toolkit: $(nvcc --version 2>/dev/null | sed -n 's/.*release \([^,]*\).*/\1/p')"
    echo "- revision: $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
    echo
    echo "## Build"
    echo
  } >"$results"
  local arch generator=()
  arch=$(gpu compute_cap | tr -d .)
  command -v ninja >/dev/null && generator=(-G Ninja)
  check "configure for sm_${arch:-90}" "$limit" cmake -S . -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
    -DVAE_CUDA=ON -DVAE_SIMT=OFF -DCMAKE_CUDA_ARCHITECTURES="${arch:-90}" || exit 1
  check "build" "$limit" cmake --build "$build" -j "$(nproc)" || exit 1
}

part_test() {
  say "" "## Tests"; say ""
  check "all tests" "$limit" ctest --test-dir "$build" -j "$(nproc)" --output-on-failure -LE "install|recipe"
  say "  $(grep -E 'tests passed|tests failed' "$build/last_check.log" | tail -1)"
  if [ -n "${VAE_GOLDEN_DIR:-}" ]; then
    check "golden values on the card" 300 env VAE_TEST_DEVICE=cuda:0 "$bin/golden" --gtest_filter=Golden.Folder
    grep -E 'files run' "$build/last_check.log" | sed 's/^/  /' | tee -a "$results"
  else
    skip "golden values (VAE_GOLDEN_DIR is not set)"
  fi
  check "recorded steps, every kernel waited for" 120 env VAE_SYNC=1 "$bin/test_models" --gtest_filter='RecordedSteps.*'
}

part_sanitize() {
  say "" "## compute-sanitizer"; say ""
  command -v compute-sanitizer >/dev/null || { skip "no compute-sanitizer on the PATH"; return; }
  local tool
  for tool in memcheck racecheck initcheck synccheck; do
    check "$tool on every kernel" 140 compute-sanitizer --tool "$tool" --error-exitcode 9 \
      "$bin/test_parity" --gtest_filter='Cuda/DeviceKernels.AgreeWithTheCpu*'
  done
}

part_bench() {
  say "" "## Benchmarks"; say ""
  local precision mode torch=${VAE_BENCH_DIR:-}/torch_steps.py
  local small=(adgm m2 ml_vae sym_vae) deep=shot_wrn_28_2  # a deep step takes as long as a hundred small ones
  say "Kernels, caches flushed before each run:"
  table "$bin/bench_kernels" --device cuda:0 --seconds 0.02 --rounds 3 --json "$build/bench_kernels.json"
  say "" "Training steps, one JSON line each:"
  for precision in fp32 tf32; do
    for mode in off on; do
      table "$bin/bench_step" "${small[@]}" smooth_mnist --device cuda:0 --precision $precision --graph $mode --steps 100
      table "$bin/bench_step" $deep --device cuda:0 --precision $precision --graph $mode --steps 4
    done
  done
  if [ ! -f "$torch" ]; then
    skip "PyTorch's side (VAE_BENCH_DIR names no folder with torch_steps.py)"
  elif ! python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    skip "PyTorch's side (python3 has no torch that sees the card)"
  else
    for precision in fp32 tf32; do
      for mode in eager compile graph; do
        limit=75 table python3 "$torch" "${small[@]}" --device cuda --precision $precision --mode $mode --steps 100
        limit=75 table python3 "$torch" $deep --device cuda --precision $precision --mode $mode --steps 4
      done
    done
  fi
}

part_train() {
  say "" "## Training"; say ""
  local runs=$build/gpu_runs mode
  rm -rf "$runs"
  for mode in on off; do
    check "m2, three epochs of synthetic digits, --graph $mode" 250 "$bin/m2" train --data synth --synth-train 20000 \
      --synth-test 2000 --validation 2000 --epochs 3 --iters-per-epoch 500 --device cuda:0 --graph $mode --run "$runs/$mode" || return
    say "  $(grep -E 'test accuracy' "$build/last_check.log" | tail -1)"
  done
  check "the same metrics with and without graphs" 10 cmp "$runs/on/metrics.jsonl" "$runs/off/metrics.jsonl"
}

if [ "$part" = build ] || [ "$part" = all ]; then part_build; fi
if ! have_gpu; then
  say "- no GPU on this machine: nothing is run"
  exit 0
fi
[ -x "$bin/bench_kernels" ] || { echo "error: no build in $build: run --part build first" >&2; exit 1; }
for name in test sanitize bench train; do
  if [ "$part" = "$name" ] || [ "$part" = all ]; then "part_$name"; fi
done
echo "results: $results"
[ "$failures" -eq 0 ]
