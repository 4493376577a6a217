#!/usr/bin/env bash
# tools/demo.sh [MNIST FOLDER]: installs what is missing, builds the tools in build/, trains M2 with 100 labels for a few
# minutes, and leaves checkpoint, pictures and a report in runs/demo. Without a folder (or VAE_DATA_DIR) it trains on
# synthetic digits, which need no files.
set -euo pipefail

# Folders are those of the caller, who may be elsewhere.
absolute() {
  if [ ! -d "$1" ]; then
    echo "error: $1: no such folder" >&2
    exit 2
  fi
  realpath -- "$1"
}

data=("--data=synth")
if [ $# -ge 1 ]; then
  folder=$(absolute "$1")
  data=("--data=mnist" "--data-dir=$folder")
elif [ -n "${VAE_DATA_DIR:-}" ]; then
  VAE_DATA_DIR=$(absolute "$VAE_DATA_DIR")
  data=("--data=mnist")
fi
cd "$(dirname "$(realpath -- "${BASH_SOURCE[0]}")")/.."
. tools/install_packages.sh
install_packages

echo "== building the tools"
cmake --preset release
cmake --build --preset release --target m2 datasets
echo "== training M2: 100 labels, 49 900 images without"
build/bin/m2 train --run runs/demo --fresh --epochs 8 --iters-per-epoch 500 "${data[@]}"
cat <<END
== done
  runs/demo/report.html             curves, pictures, confusion matrix, configuration
  runs/demo/reconstructed_x.png     reconstructions
  runs/demo/analogy.png             one handwriting, all ten digits
  runs/demo/checkpoint.safetensors  weights, optimiser, counters
Next: build/bin/m2 train --help, or docs/m1_m2.md
END
