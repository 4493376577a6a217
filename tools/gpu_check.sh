#!/usr/bin/env bash
# tools/gpu_check.sh [--part build|test|sanitize|bench|train|all] [--build DIR] [--results FILE] [--budget SECONDS] [--model]
# Everything that needs a GPU, on a machine that may have no network: builds for its card, with cuDNN; runs all tests with the
# CUDA device among them, compute-sanitizer on our own kernels, the benchmarks beside PyTorch's, and a training run with and
# without graphs. Each part has a budget of time (540 s), which its checks share: one that hangs or fails keeps no other from
# running. The results (Markdown) are whole at any moment, also where the script is stopped. The exit code is 1 where a check
# failed or had no time left. Without a GPU it stops after the build.
#   --model         the same with the tests' model of the CUDA libraries in place of a card, on small sizes
#   VAE_PREFIX      folder of packages made by tools/gpu_prefix.sh, where the machine lacks them
#   VAE_BENCH_DIR   folder with torch_steps.py, PyTorch's side of the benchmark
#   VAE_GOLDEN_DIR, VAE_DATA_DIR   as for the tests
set -uo pipefail
unset CDPATH
for name in VAE_PREFIX VAE_BENCH_DIR VAE_GOLDEN_DIR VAE_DATA_DIR; do # folders of the caller, who may be elsewhere
  [ -n "${!name:-}" ] || continue
  folder=$(realpath -e -- "${!name}") || exit 1
  export "$name=$folder"
done

part=all build=build-gpu results="" budget=540 model=""
while [ $# -gt 0 ]; do
  if [ "$1" = --model ]; then model=yes; shift; continue; fi
  [ $# -ge 2 ] || { echo "error: $1 needs a value" >&2; exit 2; }
  case $1 in
    --part) part=$2 ;;
    --build) build=$(realpath -m -- "$2") ;;
    --results) results=$(realpath -m -- "$2") ;;
    --budget) budget=$2 ;;
    *) echo "error: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
case $part in build | test | sanitize | bench | train | all) ;; *)
  echo "error: unknown part '$part': expected build, test, sanitize, bench, train or all" >&2; exit 2 ;;
esac
[[ $budget =~ ^[1-9][0-9]*$ ]] || { echo "error: --budget $budget: expected a number of seconds" >&2; exit 2; }
cd -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/.." || exit 1
build=$(realpath -m -- "$build")
results=${results:-$build/gpu_results.md}
mkdir -p "$build" "$(dirname "$results")" || exit 1
bin=$build/bin            # of tests
tools=$build/${model:+model/}bin # of tools
log=$build/last_check.log
ok=0 failed=0 skipped=0
running= # process id of the check that runs
ended=$SECONDS # when the part's time is over

# -- The report

say() { printf '%s\n' "$@" | tee -a "$results"; }
skip() { skipped=$((skipped + 1)); say "- skipped: $*"; }
quote() { { echo '```'; cat; echo '```'; } | tee -a "$results"; }
begin_part() { ended=$((SECONDS + budget)); say "" "## $1" ""; }
left() { local seconds=$((ended - SECONDS)); echo $((seconds > 0 ? seconds : 0)); }
share() { echo $((($(left) + $1 - 1) / $1)); } # of the time left, for the first of so many checks

finish() { # on any way out
  say "" "$part: $ok ok, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] || exit 1
}
stop() { # on a signal: ends what is running, and the line that it has in the report
  trap '' INT TERM HUP
  [ -z "$running" ] || { kill -TERM "$running" && wait "$running"; } 2>/dev/null
  failed=$((failed + 1))
  say "STOPPED by SIG$1"
  exit 1
}

# check TITLE SECONDS COMMAND...: a line in the results, begun before the command; where it fails, what failed in it and the
# end of its output.
check() {
  local title=$1 seconds=$2 begin=$SECONDS status
  shift 2
  [ "$seconds" -le "$(left)" ] || seconds=$(left)
  printf -- '- %s: ' "$title" | tee -a "$results"
  if [ "$seconds" -eq 0 ]; then
    failed=$((failed + 1))
    say "NOT RUN, the time of this part is over"
    return 1
  fi
  timeout --kill-after=5 "$seconds" "$@" >"$log" 2>&1 </dev/null &
  running=$!
  wait "$running"
  status=$?
  running=
  if [ $status -eq 0 ]; then
    ok=$((ok + 1))
    say "ok ($((SECONDS - begin)) s)"
    return 0
  fi
  failed=$((failed + 1))
  case $status in
    124 | 137) say "FAILED, not done after $seconds s" ;;
    *) say "FAILED, exit code $status" ;;
  esac
  { grep -aE '\[  FAILED  \]|\*\*\*|\berror\b|ERROR SUMMARY' "$log" | head -n 40; echo ...; tail -n 40 "$log"; } | quote
  return $status
}

# table TITLE SECONDS COMMAND...: a check whose output belongs into the results.
table() { check "$@" && quote <"$log"; }

# -- The machine

have_gpu() { [ -n "$model" ] || { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU; }; }
gpu() { [ -n "$model" ] || nvidia-smi --query-gpu="$1" --format=csv,noheader -i 0 2>/dev/null; }

# Unpacks the packages in VAE_PREFIX, unless that is done, and sets what the build looks at.
use_prefix() {
  local prefix=$build/prefix package arch
  arch=$(gcc -print-multiarch)
  if [ "$(cat "$prefix/packages" 2>/dev/null)" != "$(ls "$VAE_PREFIX")" ]; then
    rm -rf "$prefix"
    mkdir -p "$prefix"
    for package in "$VAE_PREFIX"/*.deb; do dpkg-deb -x "$package" "$prefix" || return 1; done
    # What the alternatives system would do for OpenBLAS.
    (cd "$prefix/usr/lib/$arch" && ln -sf openblas-openmp/libopenblas* .) || return 1
    (cd "$prefix/usr/include/$arch" && ln -sf openblas-openmp/*.h .) || return 1
    ls "$VAE_PREFIX" >"$prefix/packages"
  fi
  export CMAKE_PREFIX_PATH=$prefix/usr${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
  [ ! -e "$prefix/etc/fonts/fonts.conf" ] || export FONTCONFIG_SYSROOT=$prefix
  export LD_LIBRARY_PATH=$prefix/usr/lib/$arch${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# -- The parts

part_build() {
  local arch options=(-DCMAKE_BUILD_TYPE=Release) keep_going=-k
  {
    echo "# Check on a GPU, $(date -u +%Y-%m-%d)"
    echo
    if [ -n "$model" ]; then
      echo "- card: none, a model of the CUDA libraries"
    else
      echo "- card: $(gpu name || true), driver $(gpu driver_version || true), $(gpu memory.total || true)"
      echo "- toolkit: $(nvcc --version 2>/dev/null | sed -n 's/.*release \([^,]*\).*/\1/p')"
    fi
    echo "- revision: $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  } >"$results"
  begin_part Build
  arch=$(gpu compute_cap | tr -d .)
  arch=${arch:-90}
  if [ -n "$model" ]; then
    options+=(-DVAE_SIMT=ON -DVAE_TEST_GPU=OFF)
  else
    options+=(-DVAE_CUDA=ON -DVAE_CUDNN=ON -DVAE_SIMT=OFF -DVAE_TEST_GPU=ON -DCMAKE_CUDA_ARCHITECTURES="$arch")
  fi
  if command -v ninja >/dev/null; then options+=(-G Ninja); keep_going="-k 0"; fi
  check "configure for $([ -n "$model" ] && echo the model || echo "sm_$arch")" "$(left)" cmake -S . -B "$build" "${options[@]}" || exit 1
  sed -n 's/^-- \(CUDA backend.*\)/  \1/p' "$log" | tee -a "$results"
  # shellcheck disable=SC2086
  check "build" "$(left)" cmake --build "$build" -j "$(nproc)" -- $keep_going || exit 1
}

# The programs see the card: without it their tests would be skipped, and nothing would fail.
card_is_seen() { check "the card is seen" 60 "$tools/bench_kernels" --list --device cuda:0; }

part_test() {
  local label labels=(cuda gradcheck golden unit e2e) golden=Golden.Folder
  begin_part Tests
  card_is_seen || return
  [ -z "$model" ] || { labels=(cuda) golden='*GoldenOnDevices*'; }
  local count=$((${#labels[@]} + 2)) # checks to come
  check "recorded steps, every kernel waited for" "$(share $count)" \
    env VAE_SYNC=1 "$bin/test_models" --gtest_filter='RecordedSteps.*'
  count=$((count - 1))
  if [ -n "${VAE_GOLDEN_DIR:-}" ]; then
    check "golden values on the card" "$(share $count)" env VAE_TEST_DEVICE=cuda:0 "$bin/golden" --gtest_filter="$golden" &&
      grep -E 'files run' "$log" | sed 's/^/  /' | tee -a "$results"
  else
    skip "golden values (VAE_GOLDEN_DIR is not set)"
  fi
  for label in "${labels[@]}"; do
    count=$((count - 1))
    check "tests with label $label" "$(share $count)" ctest --test-dir "$build" -j "$(nproc)" --timeout 120 \
      --output-on-failure -L "^$label\$" -LE "install|recipe"
    sed -n 's/^\([0-9]*% tests passed\)/  \1/p' "$log" | tee -a "$results"
  done
}

part_sanitize() {
  local checker shard i own=() shards=8 count checkers=(memcheck racecheck initcheck synccheck) command=()
  begin_part compute-sanitizer
  if [ -n "$model" ]; then
    checkers=(model)
  elif ! command -v compute-sanitizer >/dev/null; then
    skip "no compute-sanitizer on the PATH"
    return
  fi
  card_is_seen || return
  # Products and convolutions are the libraries'; what those write, initcheck does not see.
  mapfile -t own < <(cut -d' ' -f1 "$log" | sort -u | grep -Ev '^(gemm|linear_fwd|conv2d_.*)$')
  [ ${#own[@]} -ge $shards ] || shards=${#own[@]}
  count=$((shards * ${#checkers[@]}))
  for checker in "${checkers[@]}"; do
    [ -n "$model" ] || command=(compute-sanitizer --tool "$checker" --kernel-name kns=vae --error-exitcode 9)
    for ((shard = 0; shard < shards; ++shard)); do
      local names=()
      for ((i = shard; i < ${#own[@]}; i += shards)); do names+=("${own[i]}"); done
      check "$checker: ${names[*]}" "$(share $count)" env VAE_TEST_KERNELS="${names[*]}" "${command[@]}" \
        "$bin/test_parity" --gtest_filter='Cuda/DeviceKernels.AgreeWithTheCpu*'
      count=$((count - 1))
    done
  done
}

part_bench() {
  local precision mode names chunk=24 first count torch=${VAE_BENCH_DIR:-}/torch_steps.py
  local small=(adgm m2 ml_vae sym_vae smooth_mnist) deep=shot_wrn_28_2 # a deep step takes as long as a hundred small ones
  begin_part Benchmarks
  card_is_seen || return
  if [ -n "$model" ]; then
    table "a training step" "$(left)" "$tools/bench_step" m2 --device cuda:0 --graph on --steps 1
    skip "kernels, and steps beside PyTorch's (too large for the model)"
    return
  fi
  mapfile -t names <"$log"
  local kernel_runs=$(((${#names[@]} + chunk - 1) / chunk)) torch_runs=0
  if [ ! -f "$torch" ]; then
    skip "PyTorch's side (VAE_BENCH_DIR names no folder with torch_steps.py)"
  elif ! python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    skip "PyTorch's side (python3 has no torch that sees the card)"
  else
    torch_runs=18
  fi
  count=$((12 + torch_runs + kernel_runs))
  for precision in fp32 tf32 bf16; do
    for mode in off on; do
      table "steps, $precision, graph $mode" "$(share $count)" "$tools/bench_step" "${small[@]}" --device cuda:0 \
        --precision $precision --graph $mode --steps 100
      table "deep step, $precision, graph $mode" "$(share $((count - 1)))" "$tools/bench_step" $deep --device cuda:0 \
        --precision $precision --graph $mode --steps 4
      count=$((count - 2))
    done
    [ $torch_runs -gt 0 ] || continue
    for mode in eager compile graph; do
      table "PyTorch's steps, $precision, $mode" "$(share $count)" python3 "$torch" "${small[@]:0:4}" --device cuda \
        --precision $precision --mode $mode --steps 100
      table "PyTorch's deep step, $precision, $mode" "$(share $((count - 1)))" python3 "$torch" $deep --device cuda \
        --precision $precision --mode $mode --steps 4
      count=$((count - 2))
    done
  done
  for ((first = 0; first < ${#names[@]}; first += chunk)); do # caches flushed before each run
    table "kernels from ${names[first]}" "$(share $count)" "$tools/bench_kernels" "${names[@]:first:chunk}" --device cuda:0 \
      --seconds 0.02 --rounds 3 --json "$build/bench_kernels_$first.json"
    count=$((count - 1))
  done
}

part_train() {
  local runs=$build/gpu_runs mode done=0
  local size=(--synth-train 20000 --synth-test 2000 --validation 2000 --epochs 3 --iters-per-epoch 500)
  [ -z "$model" ] || size=(--synth-train 1000 --synth-test 200 --validation 200 --epochs 2 --iters-per-epoch 10 --hidden 32 --z 4)
  begin_part Training
  card_is_seen || return
  rm -rf "$runs"
  for mode in on off; do
    check "m2 on synthetic digits, --graph $mode" "$(share $((2 - done)))" "$tools/m2" train --data synth "${size[@]}" \
      --device cuda:0 --graph $mode --run "$runs/$mode" && say "  $(grep -E 'test accuracy' "$log" | tail -1)"
    done=1
  done
  check "the same metrics with and without graphs" 10 cmp "$runs/on/metrics.jsonl" "$runs/off/metrics.jsonl"
}

trap finish EXIT
for signal in INT TERM HUP; do trap "stop $signal" "$signal"; done
if [ -n "${VAE_PREFIX:-}" ]; then use_prefix || { echo "error: VAE_PREFIX has no usable packages" >&2; exit 1; }; fi
if [ "$part" = build ] || [ "$part" = all ]; then part_build; fi
if ! have_gpu; then
  say "- no GPU on this machine: nothing is run"
  exit 0
fi
[ -x "$tools/bench_kernels" ] || { failed=1; echo "error: no build in $build: run --part build first" >&2; exit 1; }
for name in test sanitize bench train; do
  if [ "$part" = "$name" ] || [ "$part" = all ]; then "part_$name"; fi
done
echo "results: $results"
