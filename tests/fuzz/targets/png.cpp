#include <zlib.h>

#include <algorithm>

#include "data/bytes.h"
#include "tests/data/pictures.h"
#include "tests/fuzz/picture.h"

namespace {

/// The file with right checksums of its chunks, which chance would not find.
std::string with_checksums(std::string file) {
  const auto* bytes = reinterpret_cast<const std::byte*>(file.data());
  for (size_t at = 8; at + 12 <= file.size();) {
    const size_t length = vae::data::big_endian32(bytes + at);
    if (length > file.size() - at - 12) break;
    const auto* checked = reinterpret_cast<const Bytef*>(file.data() + at + 4);
    const auto crc = static_cast<uint32_t>(crc32(0, checked, static_cast<uInt>(length + 4)));
    file.replace(at + 8 + length, 4, vae::test::big_endian(crc));
    at += 12 + length;
  }
  return file;
}

}  // namespace

VAE_FUZZ_TARGET(png) {
  using namespace vae::fuzz;
  check_picture("picture.png", with_checksums(text(input)));
}
