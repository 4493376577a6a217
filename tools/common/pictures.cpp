#include "tools/common/pictures.h"

#include "nn/report/image_grid.h"
#include "nn/report/scatter.h"

namespace vae {
namespace {

report::GridOptions tiles_of(const Shape& image_shape) {
  report::GridOptions grid;
  grid.tile_height = static_cast<int>(image_shape[1]);
  grid.tile_width = static_cast<int>(image_shape[2]);
  grid.channels = static_cast<int>(image_shape[3]);
  return grid;
}

}  // namespace

report::Image reconstruction_picture(const Tensor& images, const Shape& image_shape) {
  return report::image_grid(images.slice(0, std::min<int64_t>(100, images.size(0))).to_vector<float>(),
                            tiles_of(image_shape));
}

report::Image analogy_picture(const Tensor& sources, const Tensor& decoded, const Shape& image_shape) {
  return report::analogy_grid(sources.to_vector<float>(), decoded.to_vector<float>(),
                              static_cast<int>(decoded.size(1)), tiles_of(image_shape));
}

void write_latent_pictures(const std::filesystem::path& run, const Tensor& codes,
                           const std::vector<int64_t>& labels) {
  const std::vector<float> z = codes.to_vector<float>();
  const size_t width = static_cast<size_t>(codes.size(1));
  if (width < 2) return;
  report::Scatter scatter{.points = {}};
  for (size_t i = 0; i < labels.size(); ++i) scatter.points.push_back({z[i * width], z[i * width + 1]});
  scatter.title = "Latent codes";
  const report::Figure plain = report::scatter_figure(scatter);
  scatter.labels = labels;
  scatter.range = {{-4, 4}};
  scatter.title = "Latent codes by class";
  const report::Figure labeled = report::scatter_figure(scatter);
  for (const char* extension : {".png", ".svg"}) {
    plain.write(run / (std::string("latent_code") + extension));
    labeled.write(run / (std::string("labeled_z") + extension));
  }
}

}  // namespace vae
