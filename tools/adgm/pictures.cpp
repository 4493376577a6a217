#include "tools/adgm/pictures.h"

#include "models/common/principal_axes.h"
#include "nn/report/image_grid.h"
#include "nn/report/scatter.h"
#include "tools/common/pictures.h"

namespace vae::adgm_tools {
namespace {

namespace adgm = models::adgm;

void write_grid(const PictureContext& context, const char* file, const Tensor& images, int rows,
                int columns) {
  report::GridOptions grid;
  grid.rows = rows, grid.columns = columns;
  grid.tile_height = static_cast<int>(context.image_shape[1]);
  grid.tile_width = static_cast<int>(context.image_shape[2]);
  grid.channels = static_cast<int>(context.image_shape[3]);
  report::write_png(context.run / file, report::image_grid(images.to_vector<float>(), grid));
}

Tensor normal_codes(const PictureContext& context, int64_t rows) {
  const Tensor like = Tensor::empty({1}, DType::f32, context.model.device());
  return models::normal_noise({rows, context.model.config().z.back()},
                              RandomKey::named(context.seed, "samples"), 0, like);
}

/// Relaxed classes with uniform entries, as the library shows them.
Tensor uniform_codes(const PictureContext& context, int64_t rows) {
  const Tensor codes = Tensor::empty({rows, context.model.config().z[0]}, DType::f32, context.model.device());
  kernels::random_uniform(codes, RandomKey::named(context.seed, "samples"),
                          Tensor::scalar(int64_t{0}, codes.device()));
  return codes;
}

/// Codes from host values.
Tensor codes_of(const std::vector<float>& values, int64_t width, Device device) {
  return Tensor::from(values, {static_cast<int64_t>(values.size()) / width, width}, device);
}

}  // namespace

void write_reconstructions(const PictureContext& context, const Tensor& x,
                           const std::vector<int64_t>& labels) {
  const adgm::Reconstruction reconstruction = adgm::reconstruct(context.model, x, context.seed);
  report::write_png(context.run / "reconstructed_x.png",
                    reconstruction_picture(reconstruction.images, context.image_shape));
  if (reconstruction.z.size(1) < 2) return;
  report::Scatter scatter{.points = {}};
  for (const auto& [first, second] : models::on_principal_axes(reconstruction.z))
    scatter.points.push_back({first, second});
  scatter.labels = labels;
  scatter.title = "Latent codes";
  scatter.x_label = "first principal axis", scatter.y_label = "second";
  const report::Figure figure = report::scatter_figure(scatter);
  for (const char* extension : {".png", ".svg"})
    figure.write(context.run / (std::string("codes") + extension));
}

void write_samples(const PictureContext& context, int64_t digit) {
  const adgm::Config& c = context.model.config();
  if (!has_labels(c.kind)) {
    const bool gumbel = c.kind == adgm::Kind::gumbel;
    const int rows = 4, columns = gumbel ? 6 : 4;
    const Tensor codes =
        gumbel ? uniform_codes(context, rows * columns) : normal_codes(context, rows * columns);
    return write_grid(context, "samples.png", adgm::generate(context.model, codes, {}, context.seed), rows,
                      columns);
  }
  if (digit >= c.y_size) fail(ErrorKind::usage, "--digit {}: the classes are 0 to {}", digit, c.y_size - 1);
  constexpr int kColumns = 16;
  const Tensor once = normal_codes(context, kColumns);
  const int64_t rows = digit < 0 ? c.y_size : 1;
  const Tensor codes = Tensor::empty({rows * kColumns, once.size(1)}, DType::f32, once.device());
  std::vector<int64_t> labels;
  for (int64_t row = 0; row < rows; ++row) {
    codes.slice(row * kColumns, (row + 1) * kColumns).copy_from(once);
    labels.insert(labels.end(), kColumns, digit < 0 ? row : digit);
  }
  const Tensor y = Tensor::from(labels, {rows * kColumns}, once.device());
  write_grid(context, "conditional.png", adgm::generate(context.model, codes, y, context.seed),
             static_cast<int>(rows), kColumns);
}

void write_analogies(const PictureContext& context, const Tensor& x) {
  const Tensor z = adgm::reconstruct(context.model, x, context.seed).z;
  report::write_png(
      context.run / "analogy.png",
      analogy_picture(x, adgm::generate_all_classes(context.model, z, context.seed), context.image_shape));
}

void write_traversals(const PictureContext& context, const Tensor& x, double span) {
  const Tensor z = adgm::reconstruct(context.model, x, context.seed).z;
  const std::vector<float> code = z.to_vector<float>();
  const int rows = static_cast<int>(std::min<size_t>(10, code.size()));
  constexpr int kColumns = 9;
  std::vector<float> codes;
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < kColumns; ++column) {
      codes.insert(codes.end(), code.begin(), code.end());
      codes[codes.size() - code.size() + static_cast<size_t>(row)] +=
          static_cast<float>(span * (2.0 * column / (kColumns - 1) - 1));
    }
  const Tensor all = codes_of(codes, z.size(1), z.device());
  write_grid(context, "traversals.png", adgm::generate(context.model, all, {}, context.seed), rows, kColumns);
}

void write_interpolations(const PictureContext& context, const Tensor& x) {
  const Tensor z = adgm::reconstruct(context.model, x, context.seed).z;
  const std::vector<float> code = z.to_vector<float>();
  const auto width = static_cast<size_t>(z.size(1));
  const int rows = static_cast<int>(z.size(0) / 2);
  constexpr int kColumns = 10;
  std::vector<float> codes;
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < kColumns; ++column)
      for (size_t i = 0; i < width; ++i) {
        const size_t at = 2 * static_cast<size_t>(row) * width + i;
        const float t = static_cast<float>(column) / (kColumns - 1);
        codes.push_back((1 - t) * code[at] + t * code[at + width]);
      }
  write_grid(context, "interpolation.png",
             adgm::generate(context.model, codes_of(codes, z.size(1), z.device()), {}, context.seed), rows,
             kColumns);
}

}  // namespace vae::adgm_tools
