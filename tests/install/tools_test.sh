#!/bin/sh
# tools_test.sh BUILD: installs that build into a scratch folder and works with its tools from there.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$1" --prefix "$scratch/prefix" >/dev/null
cd "$scratch"
for tool in prefix/bin/*; do "$tool" --version; done
prefix/bin/datasets synth --out digits --train 200 --test 100
prefix/bin/m2 train --data mnist --data-dir "$scratch/digits" --labels 100 --validation 0 --epochs 1 --iters-per-epoch 5 --run run
prefix/bin/m2 test --run run
prefix/bin/bench_step --list
prefix/bin/bench_kernels 'sum bias' --seconds 0.001
