#pragma once
// Strong augmentation of pictures: operations of RandAugment (Cubuk et al., arXiv:1909.13719) as FixMatch
// uses them (Sohn et al., arXiv:2001.07685), one after the other, then Cutout (DeVries & Taylor,
// arXiv:1708.04552). All arithmetic is that of integers, in fixed point, so every backend gives the same
// bytes. What a backend computes for one value stands here.
#include <cmath>

#include "kernels/kernel.h"
#include "tensor/host_device.h"

namespace vae::kernels {

enum class Distortion : int64_t {
  identity,
  autocontrast,  ///< the least value of a channel becomes 0, the greatest 255
  brightness,    ///< between black and the picture
  color,         ///< between grey and the picture
  contrast,      ///< between the mean grey and the picture
  equalize,      ///< the values of a channel as often as each other, as near as may be
  posterize,     ///< the upper 4 to 8 bits
  rotate,        ///< by -30 to 30 degrees clockwise
  sharpness,     ///< between a blurred picture and the picture
  shear_x,       ///< by -0.3 to 0.3
  shear_y,
  solarize,     ///< values from a threshold on are inverted
  translate_x,  ///< by -0.3 to 0.3 of the picture
  translate_y,
};
constexpr int64_t kDistortions = 14;
/// Levels are drawn from [0, kLevels); each operation has its range of them.
constexpr int64_t kLevels = 1 << 16;
constexpr int64_t kMaxStrongChannels = 4;

struct StrongSizes {
  int64_t images, height, width, channels;
  int64_t operations;  ///< of each image
  VAE_HD int64_t pixels() const { return height * width; }
  VAE_HD int64_t elements() const { return height * width * channels; }
};

/// strong_augment: image i of u8 y [N, H, W, C] is that of x after the operations operation[i, 0],
/// operation[i, 1], ... in [0, kDistortions) at their levels level[i, ...] in [0, kLevels), both i64 [N, K],
/// K >= 1. Then a grey square, half as wide as the shorter side, covers the pixels around the point that
/// i64 centre[i] in [0, kLevels)^2 stands for; undefined: none. Pixels are moved to the nearest place, and
/// those from outside are black. Throws for a number out of its range; a device, which cannot throw, makes
/// the image black.
StrongSizes check_strong(In x, In operation, In level, In centre, Out y);

// ---- levels as the numbers of the operations, in fixed point with 16 binary places

constexpr int64_t kOne = 1 << 16;

static_assert(kLevels == kOne);

/// 0.05 to 0.95, the share of the picture beside what it is blended with.
VAE_HD int64_t share_of(int64_t level) { return (kOne + 18 * level) / 20; }
VAE_HD int64_t bits_of(int64_t level) { return 4 + level * 5 / kLevels; }
/// 0 to 256
VAE_HD int64_t threshold_of(int64_t level) { return level * 257 / kLevels; }
/// A number from -limit to limit
VAE_HD double signed_of(int64_t level, double limit) {
  return limit * static_cast<double>(2 * level - (kLevels - 1)) / static_cast<double>(kLevels - 1);
}

// ---- values

/// share of b, the rest of a
VAE_HD int64_t blended(int64_t a, int64_t b, int64_t share) {
  return (a * (kOne - share) + b * share + kOne / 2) / kOne;
}
VAE_HD int64_t posterized(int64_t value, int64_t bits) { return value & (0xFF00 >> bits); }
VAE_HD int64_t solarized(int64_t value, int64_t threshold) { return value < threshold ? value : 255 - value; }

/// How often the values of a channel occur, in short.
struct ChannelCounts {
  int64_t lowest, highest;  ///< values that occur
  int64_t of_highest;       ///< pixels that have the highest
  int64_t sum;              ///< of all values
};
/// From below(v), the number of pixels whose value is less than v, 0 <= v <= 256.
template <class Below>
VAE_HD ChannelCounts counts_of(const Below& below) {
  ChannelCounts c{0, 0, 0, 0};
  for (int64_t v = 0; v < 256; ++v) {
    const int64_t less = below(v), count = below(v + 1) - less;
    if (count > 0 && less == 0) c.lowest = v;
    if (count > 0) c.highest = v, c.of_highest = count;
    c.sum += v * count;
  }
  return c;
}

VAE_HD int64_t autocontrasted(int64_t value, const ChannelCounts& c) {
  return c.highest > c.lowest ? (value - c.lowest) * 255 / (c.highest - c.lowest) : value;
}
/// `below` pixels of the channel have lesser values.
VAE_HD int64_t equalized(int64_t value, int64_t below, const ChannelCounts& c, int64_t pixels) {
  const int64_t step = (pixels - c.of_highest) / 255, rank = step > 0 ? (step / 2 + below) / step : value;
  return rank < 255 ? rank : 255;
}

/// Weight of a channel in the grey of a pixel, of 2^16 in all.
VAE_HD int64_t grey_weight(int64_t channel, int64_t channels) {
  if (channels != 3) return kOne / channels;
  return channel == 0 ? 19595 : channel == 1 ? 38470 : 7471;
}
VAE_HD int64_t grey_of(const uint8_t* pixel, int64_t channels) {
  int64_t sum = kOne / 2;
  for (int64_t k = 0; k < channels; ++k) sum += grey_weight(k, channels) * pixel[k];
  return sum / kOne;
}

/// The mean grey of a picture, rounded, from counts(k) of channel k.
template <class Counts>
VAE_HD int64_t mean_grey(const StrongSizes& s, const Counts& counts) {
  int64_t sum = s.pixels() * kOne / 2;
  for (int64_t k = 0; k < s.channels; ++k) sum += grey_weight(k, s.channels) * counts(k).sum;
  return sum / (s.pixels() * kOne);
}

/// Operations that replace each value of a channel by another one that depends on how often they occur; so
/// does the mean grey.
VAE_HD bool needs_counts(Distortion d) {
  return d == Distortion::autocontrast || d == Distortion::contrast || d == Distortion::equalize;
}
VAE_HD int64_t by_counts(Distortion d, int64_t level, int64_t value, int64_t below, const ChannelCounts& c,
                         int64_t mean, int64_t pixels) {
  if (d == Distortion::autocontrast) return autocontrasted(value, c);
  if (d == Distortion::equalize) return equalized(value, below, c, pixels);
  return blended(mean, value, share_of(level));
}

// ---- places

/// Where the pixels of a picture come from: an affine map around its centre, in fixed point.
struct Placement {
  int64_t xx = kOne, xy = 0, yx = 0, yy = kOne, x = 0, y = 0;
  struct Source {
    int64_t row, column;
  };
  /// The nearest pixel, perhaps outside of the picture.
  VAE_HD Source source(int64_t row, int64_t column, int64_t height, int64_t width) const {
    const int64_t down = 2 * row + 1 - height, right = 2 * column + 1 - width;  // from the centre, doubled
    return {(yx * right + yy * down + 2 * y + height * kOne) >> 17,
            (xx * right + xy * down + 2 * x + width * kOne) >> 17};
  }
};

VAE_HD int64_t fixed(double number) { return static_cast<int64_t>(floor(number * kOne + 0.5)); }

VAE_HD Placement placement_of(Distortion d, int64_t level, const StrongSizes& s) {
  Placement p;
  if (d == Distortion::rotate) {
    const double angle = signed_of(level, 3.14159265358979323846 / 6);
    p.xx = p.yy = fixed(cos(angle)), p.xy = fixed(sin(angle)), p.yx = -p.xy;
  }
  if (d == Distortion::shear_x) p.xy = fixed(signed_of(level, 0.3));
  if (d == Distortion::shear_y) p.yx = fixed(signed_of(level, 0.3));
  if (d == Distortion::translate_x) p.x = fixed(signed_of(level, 0.3 * static_cast<double>(s.width)));
  if (d == Distortion::translate_y) p.y = fixed(signed_of(level, 0.3 * static_cast<double>(s.height)));
  return p;
}

/// Value k of a pixel among its neighbours, with weight 5 of 13; at the border itself.
VAE_HD int64_t blurred(const uint8_t* image, const StrongSizes& s, int64_t row, int64_t column, int64_t k) {
  const auto value = [&](int64_t r, int64_t c) {
    return static_cast<int64_t>(image[(r * s.width + c) * s.channels + k]);
  };
  if (row == 0 || column == 0 || row + 1 == s.height || column + 1 == s.width) return value(row, column);
  int64_t sum = 4 * value(row, column);
  for (int64_t r = row - 1; r <= row + 1; ++r)
    for (int64_t c = column - 1; c <= column + 1; ++c) sum += value(r, c);
  return (2 * sum + 13) / 26;
}

/// Value k of a pixel after an operation that needs no counts.
VAE_HD int64_t distorted(Distortion d, int64_t level, const Placement& place, const uint8_t* image,
                         const StrongSizes& s, int64_t row, int64_t column, int64_t k) {
  const uint8_t* pixel = image + (row * s.width + column) * s.channels;
  const int64_t value = pixel[k];
  switch (d) {
    case Distortion::brightness:
      return blended(0, value, share_of(level));
    case Distortion::color:
      return blended(grey_of(pixel, s.channels), value, share_of(level));
    case Distortion::posterize:
      return posterized(value, bits_of(level));
    case Distortion::solarize:
      return solarized(value, threshold_of(level));
    case Distortion::sharpness:
      return blended(blurred(image, s, row, column, k), value, share_of(level));
    case Distortion::rotate:
    case Distortion::shear_x:
    case Distortion::shear_y:
    case Distortion::translate_x:
    case Distortion::translate_y: {
      const Placement::Source from = place.source(row, column, s.height, s.width);
      const bool inside = from.row >= 0 && from.row < s.height && from.column >= 0 && from.column < s.width;
      return inside ? image[(from.row * s.width + from.column) * s.channels + k] : 0;
    }
    default:
      return value;
  }
}

/// The square of Cutout.
struct Cutout {
  static constexpr uint8_t kGrey = 127;
  int64_t top = 0, left = 0, side = 0;
  VAE_HD bool covers(int64_t row, int64_t column) const {
    return row >= top && row < top + side && column >= left && column < left + side;
  }
};
VAE_HD Cutout cutout_of(int64_t centre_row, int64_t centre_column, const StrongSizes& s) {
  const int64_t side = (s.height < s.width ? s.height : s.width) / 2;
  return {centre_row * s.height / kLevels - side / 2, centre_column * s.width / kLevels - side / 2, side};
}

VAE_HD bool strong_fits(int64_t operation, int64_t level) {
  return operation >= 0 && operation < kDistortions && level >= 0 && level < kLevels;
}

}  // namespace vae::kernels
