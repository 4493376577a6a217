#include "tests/data/pictures.h"
#include "tests/fuzz/picture.h"

/// A header of any kind, a palette, transparency and rows, within a well-formed file.
VAE_FUZZ_TARGET(png_rows) {
  using namespace vae;
  const std::string all = fuzz::text(input);
  if (all.size() < 7) return;
  const auto number = [&](size_t i) { return static_cast<unsigned char>(all[i]); };
  const size_t palette = number(5), transparency = number(6);
  if (all.size() < 7 + palette + transparency) return;
  std::string chunks = test::png_header(number(0), number(1), number(2), number(3), number(4));
  if (palette > 0) chunks += test::png_chunk("PLTE", all.substr(7, palette));
  if (transparency > 0) chunks += test::png_chunk("tRNS", all.substr(7 + palette, transparency));
  const std::string rows = all.substr(7 + palette + transparency);
  fuzz::check_picture("picture.png", test::png(chunks, rows));
}
