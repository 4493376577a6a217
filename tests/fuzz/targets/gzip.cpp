#include "data/gzip.h"

#include <algorithm>

#include "tests/fuzz/target.h"

/// Heads are what the whole begins with, and nothing unpacks to more than it may.
VAE_FUZZ_TARGET(gzip) {
  using namespace vae;
  constexpr size_t kMost = size_t{1} << 14, kHead = 100;
  const auto check = [&](auto unpack, auto unpack_head) {
    std::vector<std::byte> whole, head;
    if (fuzz::accepts([&] { whole = unpack(input, kMost, "file"); })) {
      fuzz::require(whole.size() <= kMost, "no more than may be unpacked");
      fuzz::require(fuzz::accepts([&] { head = unpack_head(input, kHead, "file"); }), "there is a head");
      whole.resize(std::min(whole.size(), kHead));
      fuzz::require(head == whole, "the head is that of the whole");
    }
  };
  check(data::gunzip, data::gunzip_head);
  check(data::unzlib, data::unzlib_head);
}
