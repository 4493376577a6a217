#!/bin/sh
# install_test.sh BUILD: installs that build into a scratch folder, then configures, compiles and runs the project
# beside this script and the examples against it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$1" --prefix "$scratch/prefix" >/dev/null
cmake -G Ninja -S "$here" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" -DEXAMPLES="$here/../../examples"
cmake --build "$scratch/build"
"$scratch/build/train_step"
"$1/bin/datasets" synth --out "$scratch/mnist" --train 500 --test 100
"$1/bin/datasets" export-images mnist --data-dir "$scratch/mnist" --out "$scratch/pictures"
VAE_BIN="$scratch/build" DIGITS="$scratch/mnist" PICTURES="$scratch/pictures" PYTHONPATH="$here/../tools" \
  python3 -B "$here/examples_test.py"
