#!/bin/sh
# install_test.sh BUILD: installs that build into a scratch folder, then configures, compiles and runs the project
# beside this script against it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$1" --prefix "$scratch/prefix" >/dev/null
cmake -G Ninja -S "$here" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_BUILD_TYPE=Debug
cmake --build "$scratch/build"
"$scratch/build/train_step"
