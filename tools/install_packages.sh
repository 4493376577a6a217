# Sourced by demo.sh and test.sh: installs the Debian packages that are missing, as root or through sudo.

packages=(
  g++ mold cmake ninja-build python3
  libopenblas-openmp-dev libdnnl-dev                  # matrix products, and LAPACK within OpenBLAS
  libcli11-dev nlohmann-json3-dev libfmt-dev          # options, JSON, text
  zlib1g-dev libjpeg-dev libstb-dev                   # packed files and PNG, JPEG, pictures written
  libcairo2-dev fonts-dejavu-core                     # figures
  libcurl4-openssl-dev libssl-dev                     # downloads, hashes
  libonnx-dev libprotobuf-dev                         # trained models for other programs
  libopenmpi-dev openmpi-bin                          # training on several processes
  libgtest-dev libboost-context-dev doxygen           # tests, the emulator of CUDA kernels, the reference
)

install_packages() {
  local missing=() name
  for name in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "error: these packages are missing, and neither root nor sudo is at hand: ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  echo "== installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
