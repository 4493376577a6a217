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

constexpr float kBox = 20.0f / 28;  // of the image: the unit square before distortion, as in MNIST
constexpr int kPiecesPerSpan = 5;   // line pieces between two control points
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
  Warp(Draws& draws, int side) {
    for (auto& row : field_)
      for (Point& p : row) p = {draws.bell(0.055f), draws.bell(0.055f)};
    const float half_angle = draws.bell(0.06f);  // tangent of half the rotation angle
    const float norm = 1 + half_angle * half_angle;
    const float cosine = (1 - half_angle * half_angle) / norm, sine = 2 * half_angle / norm;
    const float slant = draws.bell(0.16f) - 0.12f;
    const float box = kBox * static_cast<float>(side), centre = static_cast<float>(side) * 0.5f;
    const float width = box * draws.uniform(0.75f, 1.05f), height = box * draws.uniform(0.88f, 1.06f);
    xx_ = cosine * width;
    xy_ = (cosine * slant - sine) * height;
    yx_ = sine * width;
    yy_ = (sine * slant + cosine) * height;
    shift_ = {centre + draws.bell(0.7f), centre + draws.bell(0.7f)};
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
  Canvas(int side, float reach) : side_(side), reach_(reach), distance2_(side * side, kFar) {}

  void line(Point a, Point b) {
    const float dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
    const auto [x0, x1] = range(a.x, b.x);
    const auto [y0, y1] = range(a.y, b.y);
    for (int y = y0; y < y1; ++y)
      for (int x = x0; x < x1; ++x) {
        const float px = static_cast<float>(x) + 0.5f - a.x, py = static_cast<float>(y) + 0.5f - a.y;
        const float along = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0f, 1.0f) : 0.0f;
        const float ex = px - along * dx, ey = py - along * dy;
        float& nearest = distance2_[y * side_ + x];
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
    const auto clip = [&](float v) {
      return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(side_)));
    };
    return {clip(std::min(a, b) - reach_), clip(std::max(a, b) + reach_ + 1)};
  }

  int side_;
  float reach_;
  std::vector<float> distance2_;
};

/// How much of each pixel the ink of a digit covers, from 0 to 1.
class Digit {
 public:
  Digit(int digit, int side, Draws& draws)
      : glyph_(pick(glyphs_of(digit), draws)), warp_(draws, side), side_(side) {
    radius_ = draws.uniform(0.95f, 1.75f);
    edge_ = draws.uniform(0.9f, 1.6f);
  }

  std::vector<float> draw(Draws& draws) const {
    Canvas canvas(side_, radius_ + edge_);
    Stroke points;
    for (const Stroke& stroke : glyph_) {
      points.clear();
      for (const Point p : stroke)
        points.push_back(warp_({p.x + draws.bell(0.022f), p.y + draws.bell(0.022f)}));
      canvas.curve(points);
    }
    std::vector<float> cover(side_ * side_);
    for (int i = 0; i < side_ * side_; ++i)
      cover[i] = std::clamp(0.5f + (radius_ - canvas.distance(i)) / edge_, 0.0f, 1.0f);
    return cover;
  }

 private:
  static const Glyph& pick(const std::vector<Glyph>& glyphs, Draws& draws) {
    return glyphs[draws.below(static_cast<int>(glyphs.size()))];
  }
  const Glyph& glyph_;
  Warp warp_;
  int side_;
  float radius_;  // half the pen's width in pixels
  float edge_;    // pixels over which ink fades
};

uint8_t as_byte(float value) { return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f)); }

/// White ink on black.
void draw_grey(int digit, int side, Draws& draws, uint8_t* pixels) {
  const Digit drawn(digit, side, draws);
  const float ink = draws.uniform(200, 280);
  for (const float cover : drawn.draw(draws)) *pixels++ = as_byte(ink * cover + draws.bell(12));
}

/// A smooth random field: bilinear between the values of a grid over the image.
class Mottle {
 public:
  Mottle(Draws& draws, int side) : step_(static_cast<float>(kCells) / static_cast<float>(side)) {
    for (auto& row : values_)
      for (float& value : row) value = draws.bell(16);
  }
  float at(int y, int x) const {
    const float u = (static_cast<float>(x) + 0.5f) * step_, v = (static_cast<float>(y) + 0.5f) * step_;
    const int i = static_cast<int>(u), j = static_cast<int>(v);
    const float a = u - static_cast<float>(i), b = v - static_cast<float>(j);
    return (values_[j][i] * (1 - a) + values_[j][i + 1] * a) * (1 - b) +
           (values_[j + 1][i] * (1 - a) + values_[j + 1][i + 1] * a) * b;
  }

 private:
  static constexpr int kCells = 4;
  float step_;
  std::array<std::array<float, kCells + 1>, kCells + 1> values_;
};

/// Ink that differs from the background in every channel.
void draw_color(int digit, int side, Draws& draws, uint8_t* pixels) {
  const Digit drawn(digit, side, draws);
  const std::vector<float> covers = drawn.draw(draws);
  for (int c = 0; c < 3; ++c) {
    const float ground = draws.uniform(30, 225), contrast = draws.uniform(60, 140);
    const float ink = ground < 128 ? ground + contrast : ground - contrast;
    const Mottle mottle(draws, side);
    for (int i = 0; i < side * side; ++i) {
      const float under = ground + mottle.at(i / side, i % side);
      pixels[3 * i + c] = as_byte(under + (ink - under) * covers[i] + draws.bell(6));
    }
  }
}

/// What a set of synthetic digits is made of; the streams of random numbers bear the name.
struct Style {
  const char *name, *title;
  int side, channels;
  void (*draw)(int digit, int side, Draws& draws, uint8_t* pixels);
};

Dataset draw_set(const Style& style, int64_t count, Part part, uint64_t seed) {
  if (count <= 0) fail(ErrorKind::usage, "a synthetic data set of {} images", count);
  const std::string stream = fmt::format("{}/{}", style.name, name_of(part));
  const auto pixel_key = RandomKey::named(seed, stream),
             label_key = RandomKey::named(seed, stream + "/labels");
  const IndexPermutation ten(10);
  const int64_t bytes = int64_t{style.side} * style.side * style.channels;
  Tensor images = Tensor::empty({count, style.side, style.side, style.channels}, DType::u8),
         labels = Tensor::empty({count}, DType::i64);
  parallel_for(count, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t digit = ten(label_key, static_cast<uint64_t>(i / 10), i % 10);
      Draws draws(pixel_key, i);
      style.draw(static_cast<int>(digit), style.side, draws, images.data<uint8_t>() + i * bytes);
      labels.data<int64_t>()[i] = digit;
    }
  });
  return make_dataset(fmt::format("{} ({})", style.title, name_of(part)), images, labels, 10);
}

}  // namespace

Dataset synthetic_digits(int64_t count, Part part, uint64_t seed) {
  return draw_set({"synth", "synthetic digits", 28, 1, draw_grey}, count, part, seed);
}

Dataset synthetic_color_digits(int64_t count, Part part, uint64_t seed) {
  return draw_set({"synth-color", "synthetic digits in colour", 32, 3, draw_color}, count, part, seed);
}

}  // namespace vae::data
