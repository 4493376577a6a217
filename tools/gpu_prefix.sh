#!/usr/bin/env bash
# tools/gpu_prefix.sh FOLDER: fetches the packages that a build needs (the libraries of install_packages.sh, with what they
# depend on) into FOLDER, new or empty, and installs nothing. Carry the folder to a machine without network or packages and
# name it there in VAE_PREFIX: tools/gpu_check.sh unpacks the packages and builds against them. The other machine's C library
# must not be older than this one's.
set -euo pipefail
unset CDPATH # with it cd may go elsewhere, and says where
here=$(cd -- "$(dirname -- "$(realpath -- "$0")")" && pwd)
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p -- "$1"
folder=$(realpath -- "$1")
[ -z "$(ls -A -- "$folder")" ] || { echo "error: $1 is not empty" >&2; exit 2; }
. "$here/install_packages.sh"

# Libraries alone, without Boost, which only the emulator needs, Open MPI, over which CPUs speak, and ONNX: compilers and tools
# must be there, and the C and C++ runtimes are those of the machine. Of the fonts that Debian lets choose from, DejaVu.
wanted=()
for name in "${packages[@]}"; do [[ $name == *-dev && $name != libboost* && $name != libopenmpi* && $name != libonnx* && $name != libprotobuf* ]] && wanted+=("$name"); done
mapfile -t closure < <(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
  --no-enhances "${wanted[@]}" | grep '^[a-z]' | sort -u |
  grep -Ev ':|^(libc6|libc6-dev|libc-dev-bin|libc-bin|linux-libc-dev|libcrypt-dev|libcrypt1|libnsl-dev|libtirpc.*|rpcsvc-proto|libstdc\+\+.*|libgcc.*|libgomp.*|gcc.*|g\+\+.*|cpp.*|binutils.*|debconf.*|dpkg|perl.*|tar|install-info|libpython.*|python3.*|libperl.*|libglib2.*|fonts-[a-ce-z].*|media-types|cdebconf|libtext.*|libdebconf.*|lib(asan|tsan|ubsan|lsan|itm|atomic|cc1).*)$')
trap 'rm -f -- "$folder"/*.deb' EXIT # all or nothing
mapfile -t available < <(apt-cache show --no-all-versions "${closure[@]}" 2>/dev/null | sed -n 's/^Package: //p' | sort -u)
(cd -- "$folder" && apt-get download -qq -o APT::Sandbox::User=root "${available[@]}") # the others are names without a package
for library in libdnnl.so libopenblas.so libfmt.so libOpenCL.so.1; do # the last one is the loader that libdnnl wants
  for package in "$folder"/*.deb; do
    if dpkg-deb --contents "$package" | grep -q "/$library\( \|$\)"; then continue 2; fi
  done
  echo "error: $library was not found among the packages" >&2
  exit 1
done
trap - EXIT
echo "$folder: $(ls "$folder" | wc -l) packages, $(du -sh "$folder" | cut -f1)"
