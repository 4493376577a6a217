#!/usr/bin/env bash
# tools/test.sh [PRESET]: installs what is missing, builds everything in build/, runs all tests.
# PRESET is one of CMakePresets.json (default: release). VAE_GOLDEN_DIR and VAE_DATA_DIR name optional folders of golden
# values and of data sets; tests that need them are skipped without.
set -euo pipefail
for name in VAE_GOLDEN_DIR VAE_DATA_DIR; do # folders of the caller, who may be elsewhere
  [ -n "${!name:-}" ] || continue
  folder=$(realpath -e -- "${!name}") || exit 1
  export "$name=$folder"
done
cd "$(dirname "$(realpath -- "${BASH_SOURCE[0]}")")/.."
preset=${1:-release}
. tools/install_packages.sh
install_packages

echo "== building (preset $preset)"
cmake --preset "$preset"
cmake --build --preset "$preset"
echo "== testing"
ctest --preset "$preset" --no-tests=error -j "$(nproc)"
