#!/usr/bin/env bash
# tools/gpu_prefix.sh FOLDER: unpacks the libraries that a build needs (those of install_packages.sh, with what they depend
# on) into FOLDER, installing nothing. Carry the folder to a machine without network or packages and name it there in
# VAE_PREFIX: tools/gpu_check.sh builds against it. The other machine's C library must not be older than this one's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
. "$here/install_packages.sh"

# Libraries alone, without Boost, which only the emulator needs: compilers and tools must be there, and the C and C++
# runtimes are those of the machine.
wanted=()
for name in "${packages[@]}"; do [[ $name == *-dev && $name != libboost* ]] && wanted+=("$name"); done
mapfile -t closure < <(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
  --no-enhances "${wanted[@]}" | grep '^[a-z]' | sort -u |
  grep -Ev ':|^(libc6|libc6-dev|libc-dev-bin|libc-bin|linux-libc-dev|libcrypt-dev|libcrypt1|libnsl-dev|libtirpc.*|rpcsvc-proto|libstdc\+\+.*|libgcc.*|libgomp.*|gcc.*|g\+\+.*|cpp.*|binutils.*|debconf.*|dpkg|perl.*|tar|install-info|ocl-icd.*|opencl.*|libpython.*|python3.*|media-types|cdebconf|libtext.*|libdebconf.*|lib(asan|tsan|ubsan|lsan|itm|atomic|cc1).*)$')
downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
(
  cd "$downloads"
  for name in "${closure[@]}"; do
    apt-get download -qq "$name" 2>/dev/null || true # a virtual name
  done
  shopt -s nullglob
  for file in *.deb; do dpkg -x "$file" "$prefix"; done
)
# What the alternatives system would do for OpenBLAS.
arch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)
(cd "$prefix/usr/lib/$arch" && ln -sf openblas-openmp/libopenblas* .)
(cd "$prefix/usr/include/$arch" && ln -sf openblas-openmp/*.h .)
rm -rf "$prefix/usr/share/doc" "$prefix/usr/share/man"
find "$prefix/usr/lib" -name '*.a' ! -name 'libg*' -delete # of static libraries only GoogleTest's are used
for library in dnnl openblas fmt; do
  [ -e "$prefix/usr/lib/$arch/lib$library.so" ] || { echo "error: lib$library.so was not found among the packages" >&2; exit 1; }
done
echo "$prefix: $(du -sh "$prefix" | cut -f1)"
