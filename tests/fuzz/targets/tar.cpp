#include "data/tar.h"

#include <fmt/format.h>

#include "tests/fuzz/target.h"

namespace {

/// The archive with right checksums of headers, which chance would not find.
std::string with_sums(std::string archive) {
  for (size_t at = 0; at + 512 <= archive.size(); at += 512) {
    if (archive.compare(at + 257, 5, "ustar") != 0) continue;
    archive.replace(at + 148, 8, 8, ' ');
    unsigned sum = 0;
    for (size_t i = at; i < at + 512; ++i) sum += static_cast<unsigned char>(archive[i]);
    archive.replace(at + 148, 7, fmt::format("{:06o}", sum) + '\0');
  }
  return archive;
}

}  // namespace

VAE_FUZZ_TARGET(tar) {
  using namespace vae;
  const std::string archive = with_sums(fuzz::text(input));
  const fuzz::Bytes all = fuzz::bytes(archive);
  fuzz::accepts([&] {
    for (const data::TarFile& file : data::read_tar(all, "archive")) {
      fuzz::require(file.name.find('/') == std::string::npos, "names without folders");
      fuzz::require(
          file.content.empty() || (file.content.data() >= all.data() &&
                                   file.content.data() + file.content.size() <= all.data() + all.size()),
          "contents within the archive");
    }
  });
}
