#include "models/adgm/pictures.h"

#include "nn/eval/principal_axes.h"
#include "nn/report/pictures.h"

namespace vae::adgm {
namespace {

/// Inputs of random test images; the first `count` of a thousand.
struct Shown {
  Tensor x, items;
};
Shown shown(const PictureSource& s, int64_t count) {
  const Tensor items = train::random_items(s.test, 1000, s.step.key("pictures"));
  const Tensor x = s.test.draw(items, s.step.key("pictures/pixels"), s.step.numbered(0).draw());
  count = std::min(count, x.size(0));
  return {x.slice(0, count), items.slice(0, count)};
}

report::Picture grid(const PictureSource& s, const Tensor& images, int64_t rows, int columns) {
  return report::tensor_grid(images, s.test.pixels.shape(), static_cast<int>(rows), columns);
}

/// Codes from the prior; relaxed classes with uniform entries, as the library shows them.
Tensor prior_codes(const PictureSource& s, int64_t rows) {
  const Config& c = s.model.config();
  const Tensor codes = Tensor::empty({rows, c.z.back()}, DType::f32, s.test.device());
  const Tensor zero = s.step.numbered(0).draw();
  if (c.kind == Kind::gumbel)
    kernels::random_uniform(codes, s.step.key("samples"), zero, {});
  else
    kernels::random_normal(codes, s.step.key("samples"), zero, {});
  return codes;
}

/// Images [rows * columns] of codes that code(row, column) gives variable by variable.
template <class Code>
report::Picture code_grid(const PictureSource& s, int64_t rows, int columns, int64_t width,
                          const Code& code) {
  std::vector<float> codes;
  for (int64_t row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column)
      for (int64_t i = 0; i < width; ++i) codes.push_back(code(row, column, i));
  const Tensor z = Tensor::from(codes, {rows * columns, width}, s.test.device());
  return grid(s, generate(s.model, z, {}, s.step), rows, columns);
}

}  // namespace

report::Picture reconstructions(const PictureSource& s) {
  const Shown all = shown(s, 1000);
  return report::reconstruction_picture(s.test.originals(all.items),
                                        reconstruct(s.model, all.x, s.step).images, s.test.pixels.shape());
}

report::Picture code_axes(const PictureSource& s) {
  const Shown all = shown(s, 1000);
  report::Scatter scatter{.points = {},
                          .labels = s.test.gather_labels(all.items).to_vector<int64_t>(),
                          .class_names = s.class_names};
  for (const auto& [first, second] : eval::on_principal_axes(reconstruct(s.model, all.x, s.step).z))
    scatter.points.push_back({first, second});
  scatter.title = "Latent codes";
  scatter.x_label = "first principal axis", scatter.y_label = "second";
  return report::scatter_figure(scatter);
}

report::Picture samples(const PictureSource& s, int64_t digit) {
  const Config& c = s.model.config();
  if (!has_labels(c.kind)) {
    const int rows = 4, columns = c.kind == Kind::gumbel ? 6 : 4;
    return grid(s, generate(s.model, prior_codes(s, rows * columns), {}, s.step), rows, columns);
  }
  if (digit >= c.y_size) fail(ErrorKind::usage, "--digit {}: the classes are 0 to {}", digit, c.y_size - 1);
  constexpr int kColumns = 16;
  const int64_t rows = digit < 0 ? std::min(c.y_size, report::kMostGridClasses) : 1;
  const Var codes = autograd::repeat_rows(Var(prior_codes(s, kColumns)), rows);
  std::vector<int64_t> labels;
  for (int64_t row = 0; row < rows; ++row) labels.insert(labels.end(), kColumns, digit < 0 ? row : digit);
  return grid(s, generate(s.model, codes.value(), train::items_of(labels, s.test.device()), s.step), rows,
              kColumns);
}

report::Picture analogies(const PictureSource& s) {
  const Shown ten = shown(s, 10);
  const Tensor z = reconstruct(s.model, ten.x, s.step).z;
  const int64_t classes = std::min(s.model.config().y_size, report::kMostGridClasses);
  return report::analogy_picture(s.test.originals(ten.items), generate_classes(s.model, z, classes, s.step),
                                 s.test.pixels.shape());
}

report::Picture traversals(const PictureSource& s, double span) {
  const std::vector<float> z = reconstruct(s.model, shown(s, 1).x, s.step).z.to_vector<float>();
  const auto width = static_cast<int64_t>(z.size());
  constexpr int kColumns = 9;
  return code_grid(s, std::min<int64_t>(10, width), kColumns, width, [&](int64_t row, int column, int64_t i) {
    const double moved = i == row ? span * (2.0 * column / (kColumns - 1) - 1) : 0;
    return z[static_cast<size_t>(i)] + static_cast<float>(moved);
  });
}

report::Picture interpolations(const PictureSource& s) {
  if (s.test.size() < 2) fail(ErrorKind::data, "an interpolation takes two test images, there is one");
  const Tensor pairs = train::random_items(s.test, 20, s.step.key("interpolate"));
  const Tensor x = s.test.draw(pairs, s.step.key("interpolate/pixels"), s.step.numbered(0).draw());
  const Tensor codes = reconstruct(s.model, x, s.step).z;
  const std::vector<float> z = codes.to_vector<float>();
  const int64_t width = codes.size(1);
  constexpr int kColumns = 10;
  return code_grid(s, codes.size(0) / 2, kColumns, width, [&](int64_t row, int column, int64_t i) {
    const auto at = static_cast<size_t>(2 * row * width + i);
    const float t = static_cast<float>(column) / (kColumns - 1);
    return (1 - t) * z[at] + t * z[at + static_cast<size_t>(width)];
  });
}

}  // namespace vae::adgm
