#!/usr/bin/env bash
# tools/reproduce.sh [ROW [OPTION...]]: installs what is missing, builds in build/, trains a published row as published in
# runs/ROW, and prints published numbers beside ours. Without ROW: the rows there are. OPTIONs are those of the training:
# --seeds 1,2,3, --epochs 20, --device cuda:0, --data-dir FOLDER (of the caller). Called again, it goes on where it stopped.
set -euo pipefail
here=$(dirname "$(realpath -- "${BASH_SOURCE[0]}")")
tool=$(python3 -B "$here/published_rows.py" --tool "${1:-}") || exit $?
if [ -n "$tool" ]; then (
  cd "$here/.."
  . tools/install_packages.sh
  install_packages
  echo "== building $tool"
  cmake --preset release >/dev/null
  cmake --build --preset release --target "$tool"
) fi
exec python3 -B "$here/published_rows.py" "$@"
