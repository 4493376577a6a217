#include "kernels/kernels.h"
#include "kernels/strong_augment.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

/// What an operation makes of every value of a picture that has such counts.
struct Table {
  uint8_t values[kMaxStrongChannels][256];

  Table(Distortion d, int64_t level, const uint8_t* image, const StrongSizes& s) {
    int64_t below[kMaxStrongChannels][257] = {};
    for (int64_t i = 0; i < s.elements(); ++i) ++below[i % s.channels][image[i] + 1];
    ChannelCounts counts[kMaxStrongChannels];
    for (int64_t k = 0; k < s.channels; ++k) {
      for (int64_t v = 0; v < 256; ++v) below[k][v + 1] += below[k][v];
      counts[k] = counts_of([&](int64_t v) { return below[k][v]; });
    }
    const int64_t mean = mean_grey(s, [&](int64_t k) { return counts[k]; });
    for (int64_t k = 0; k < s.channels; ++k)
      for (int64_t v = 0; v < 256; ++v)
        values[k][v] = static_cast<uint8_t>(by_counts(d, level, v, below[k][v], counts[k], mean, s.pixels()));
  }
};

/// Calls body(row, column, channel) for all values of a picture, in the order of its bytes.
template <class Body>
void for_values(const StrongSizes& s, const Body& body) {
  for (int64_t row = 0; row < s.height; ++row)
    for (int64_t column = 0; column < s.width; ++column)
      for (int64_t k = 0; k < s.channels; ++k) body(row, column, k);
}

void distort(Distortion d, int64_t level, const uint8_t* image, uint8_t* out, const StrongSizes& s) {
  if (needs_counts(d)) {
    const Table table(d, level, image, s);
    for (int64_t i = 0; i < s.elements(); ++i) out[i] = table.values[i % s.channels][image[i]];
    return;
  }
  const Placement place = placement_of(d, level, s);
  for_values(s, [&](int64_t row, int64_t column, int64_t k) {
    *out++ = static_cast<uint8_t>(distorted(d, level, place, image, s, row, column, k));
  });
}

}  // namespace

void strong_augment(In x, In operation, In level, In centre, Out y) {
  const StrongSizes s = check_strong(x, operation, level, centre, y);
  const int64_t *operations = operation.data<int64_t>(), *levels = level.data<int64_t>(),
                *centres = centre.defined() ? centre.data<int64_t>() : nullptr;
  for (int64_t i = 0; i < s.images * s.operations; ++i)
    VAE_CHECK(strong_fits(operations[i], levels[i]), "strong_augment: operation {} at level {} of image {}",
              operations[i], levels[i], i / s.operations);
  for (int64_t i = 0; centres && i < 2 * s.images; ++i)
    VAE_CHECK(strong_fits(0, centres[i]), "strong_augment: centre {} of image {}", centres[i], i / 2);
  if (s.elements() == 0) return;
  parallel_for(s.images, std::max<int64_t>(1, 16384 / s.elements()), [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> image(static_cast<size_t>(s.elements()));
    for (int64_t i = begin; i < end; ++i) {
      const uint8_t* from = x.data<uint8_t>() + i * s.elements();
      uint8_t* out = y.data<uint8_t>() + i * s.elements();
      std::copy_n(from, s.elements(), out);
      for (int64_t j = i * s.operations; j < (i + 1) * s.operations; ++j) {
        std::copy_n(out, s.elements(), image.data());
        distort(static_cast<Distortion>(operations[j]), levels[j], image.data(), out, s);
      }
      if (!centres) continue;
      const Cutout square = cutout_of(centres[2 * i], centres[2 * i + 1], s);
      for_values(s, [&](int64_t row, int64_t column, int64_t) {
        if (square.covers(row, column)) *out = Cutout::kGrey;
        ++out;
      });
    }
  });
}

}  // namespace vae::kernels::cpu
