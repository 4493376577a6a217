// Only + - * / and square roots of IEEE floats, without contraction (see CMakeLists.txt) and without the
// mathematics library: this is what makes the bytes the same everywhere.
#include "data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "data/glyphs.h"
#include "tensor/parallel.h"
#include "tensor/permutation.h"

namespace vae::data {
namespace {

constexpr int kSide = 28;
constexpr float kBox = 20;         // pixels of the unit square before distortion, as in MNIST
constexpr int kPiecesPerSpan = 5;  // line pieces between two control points
constexpr float kFar = 1e9f;

/// A sequence of random numbers that belongs to one image.
class Draws {
 public:
  Draws(RandomKey key, int64_t image) : key_(key), image_(static_cast<uint64_t>(image)) {}
  float uniform(float low, float high) { return low + (high - low) * uniform01(word()); }
  /// Bell-shaped with mean 0, deviation `sigma` and bound 3 sigma: a sum of three uniforms.
  float bell(float sigma) {
    const float sum = uniform01(word()) + uniform01(word()) + uniform01(word());
    return (sum - 1.5f) * 2 * sigma;
  }
  int below(int bound) { return static_cast<int>(uint64_t{word()} * static_cast<uint64_t>(bound) >> 32); }

 private:
  uint32_t word() {
    if (next_ % 4 == 0) block_ = random_block(key_, image_, next_ / 4);
    return block_.v[next_++ % 4];
  }
  RandomKey key_;
  uint64_t image_, next_ = 0;
  PhiloxBlock block_{};
};

/// How this writer bends the square: a smooth random displacement field, then an affine map into pixels.
class Warp {
 public:
  explicit Warp(Draws& draws) {
    for (auto& row : field_)
      for (Point& p : row) p = {draws.bell(0.055f), draws.bell(0.055f)};
    const float half_angle = draws.bell(0.06f);  // tangent of half the rotation angle
    const float norm = 1 + half_angle * half_angle;
    const float cosine = (1 - half_angle * half_angle) / norm, sine = 2 * half_angle / norm;
    const float slant = draws.bell(0.16f) - 0.12f;
    const float width = kBox * draws.uniform(0.75f, 1.05f), height = kBox * draws.uniform(0.88f, 1.06f);
    xx_ = cosine * width;
    xy_ = (cosine * slant - sine) * height;
    yx_ = sine * width;
    yy_ = (sine * slant + cosine) * height;
    shift_ = {kSide * 0.5f + draws.bell(0.7f), kSide * 0.5f + draws.bell(0.7f)};
  }

  Point operator()(Point p) const {
    const Point d = displacement(p);
    const float x = p.x + d.x - 0.5f, y = p.y + d.y - 0.5f;
    return {xx_ * x + xy_ * y + shift_.x, yx_ * x + yy_ * y + shift_.y};
  }

 private:
  /// Bilinear interpolation of the 3x3 field.
  Point displacement(Point p) const {
    const float u = std::clamp(p.x, 0.0f, 1.0f) * 2, v = std::clamp(p.y, 0.0f, 1.0f) * 2;
    const int i = u < 1 ? 0 : 1, j = v < 1 ? 0 : 1;
    const float a = u - static_cast<float>(i), b = v - static_cast<float>(j);
    const auto mix = [&](float Point::*c) {
      return (field_[j][i].*c * (1 - a) + field_[j][i + 1].*c * a) * (1 - b) +
             (field_[j + 1][i].*c * (1 - a) + field_[j + 1][i + 1].*c * a) * b;
    };
    return {mix(&Point::x), mix(&Point::y)};
  }

  std::array<std::array<Point, 3>, 3> field_;
  float xx_, xy_, yx_, yy_;
  Point shift_;
};

/// Squared distance of every pixel centre to the nearest ink, as far as `reach` pixels.
class Canvas {
 public:
  explicit Canvas(float reach) : reach_(reach) { distance2_.fill(kFar); }

  void line(Point a, Point b) {
    const float dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
    const auto [x0, x1] = range(a.x, b.x);
    const auto [y0, y1] = range(a.y, b.y);
    for (int y = y0; y < y1; ++y)
      for (int x = x0; x < x1; ++x) {
        const float px = static_cast<float>(x) + 0.5f - a.x, py = static_cast<float>(y) + 0.5f - a.y;
        const float along = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0f, 1.0f) : 0.0f;
        const float ex = px - along * dx, ey = py - along * dy;
        float& nearest = distance2_[y * kSide + x];
        nearest = std::min(nearest, ex * ex + ey * ey);
      }
  }

  /// A Catmull-Rom spline through the points.
  void curve(std::span<const Point> points) {
    const auto at = [&](size_t i) { return points[std::min(i, points.size() - 1)]; };
    for (size_t i = 0; i + 1 < points.size(); ++i) {
      const Point p0 = at(i == 0 ? 0 : i - 1), p1 = at(i), p2 = at(i + 1), p3 = at(i + 2);
      const auto spline = [](float t, float a, float b, float c, float d) {
        return b + 0.5f * t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * (b - c) + d - a)));
      };
      Point from = p1;
      for (int k = 1; k <= kPiecesPerSpan; ++k) {
        const float t = static_cast<float>(k) / kPiecesPerSpan;
        const Point to{spline(t, p0.x, p1.x, p2.x, p3.x), spline(t, p0.y, p1.y, p2.y, p3.y)};
        line(from, to);
        from = to;
      }
    }
  }

  float distance(int pixel) const { return std::sqrt(distance2_[pixel]); }

 private:
  std::pair<int, int> range(float a, float b) const {
    const auto clip = [](float v) {
      return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(kSide)));
    };
    return {clip(std::min(a, b) - reach_), clip(std::max(a, b) + reach_ + 1)};
  }

  float reach_;
  std::array<float, kSide * kSide> distance2_;
};

void draw_digit(int digit, Draws& draws, uint8_t* pixels) {
  const auto& glyphs = glyphs_of(digit);
  const Glyph& glyph = glyphs[draws.below(static_cast<int>(glyphs.size()))];
  const Warp warp(draws);
  const float radius = draws.uniform(0.95f, 1.75f);  // half the pen's width in pixels
  const float edge = draws.uniform(0.9f, 1.6f);      // pixels over which ink fades
  const float ink = draws.uniform(200, 280);
  Canvas canvas(radius + edge);
  Stroke points;
  for (const Stroke& stroke : glyph) {
    points.clear();
    for (const Point p : stroke) points.push_back(warp({p.x + draws.bell(0.022f), p.y + draws.bell(0.022f)}));
    canvas.curve(points);
  }
  for (int i = 0; i < kSide * kSide; ++i) {
    const float cover = std::clamp(0.5f + (radius - canvas.distance(i)) / edge, 0.0f, 1.0f);
    const float value = ink * cover + draws.bell(12);
    pixels[i] = static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
  }
}

}  // namespace

Dataset synthetic_digits(int64_t count, Part part, uint64_t seed) {
  if (count <= 0) fail(ErrorKind::usage, "a synthetic data set of {} images", count);
  const bool train = part == Part::train;
  const auto pixel_key = RandomKey::named(seed, train ? "synth/train" : "synth/test");
  const auto label_key = RandomKey::named(seed, train ? "synth/train/labels" : "synth/test/labels");
  const IndexPermutation ten(10);
  Tensor images = Tensor::empty({count, kSide, kSide, 1}, DType::u8),
         labels = Tensor::empty({count}, DType::i64);
  parallel_for(count, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t digit = ten(label_key, static_cast<uint64_t>(i / 10), i % 10);
      Draws draws(pixel_key, i);
      draw_digit(static_cast<int>(digit), draws, images.data<uint8_t>() + i * kSide * kSide);
      labels.data<int64_t>()[i] = digit;
    }
  });
  return make_dataset(train ? "synthetic digits (train)" : "synthetic digits (test)", images, labels, 10);
}

}  // namespace vae::data
