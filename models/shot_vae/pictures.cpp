#include "models/shot_vae/pictures.h"

#include <algorithm>

#include "autograd/ops.h"
#include "nn/report/pictures.h"

namespace vae::shot_vae {
namespace {

constexpr int kColumns = 10;
const report::GridOptions kTiles{.range = report::TileRange::unit};

/// Each row of a tensor `times` times, one after the other.
Tensor repeated(const Tensor& rows, int64_t times) {
  std::vector<int64_t> index;
  for (int64_t r = 0; r < rows.size(0); ++r) index.insert(index.end(), times, r);
  return autograd::gather_rows(autograd::Var(rows), train::items_of(index, rows.device())).value();
}

/// Classes 0, 1, ..., n - 1, `times` times.
Tensor all_classes(int64_t n, int64_t classes, int64_t times, Device device) {
  std::vector<int64_t> labels;
  for (int64_t t = 0; t < times; ++t)
    for (int64_t k = 0; k < n; ++k) labels.push_back(k);
  return train::one_hot(train::items_of(labels, device), classes, DType::f32);
}

}  // namespace

report::Image reconstructions(const PictureSource& source, const train::Step& step) {
  const Tensor items = train::random_items(source.test, 50, step.key("pictures"));
  return report::reconstruction_picture(source.test.originals(items), source.decode(source.encode(items)),
                                        source.test.pixels.shape());
}

report::Image samples(const PictureSource& source, const train::Step& step) {
  const int64_t shown = std::min<int64_t>(source.classes, report::kMostGridClasses);
  const Tensor z = step.normal("samples", shown * kColumns, source.z_size).value();
  const Tensor y = repeated(all_classes(shown, source.classes, 1, z.device()), kColumns);
  return report::tensor_grid(source.decode({z, y}), source.test.pixels.shape(), static_cast<int>(shown),
                             kColumns, kTiles);
}

report::Image swaps(const PictureSource& source) {
  const int64_t shown = std::min<int64_t>(source.classes, report::kMostGridClasses);
  const auto labels = source.test.labels.to_vector<int64_t>();
  std::vector<int64_t> first;
  for (int64_t k = 0; k < shown; ++k)
    if (const auto at = std::ranges::find(labels, k); at != labels.end())
      first.push_back(at - labels.begin());
  const Tensor items = train::items_of(first, source.test.device());
  const int64_t n = std::ssize(first);
  const Tensor z = repeated(source.encode(items).z, shown);
  const Tensor decoded = source.decode({z, all_classes(shown, source.classes, n, z.device())});
  return report::analogy_picture(source.test.originals(items),
                                 decoded.reshape({n, shown, source.test.image_size()}),
                                 source.test.pixels.shape(), kTiles);
}

void add_pictures(report::Summary& summary, const PictureSource& source, const train::Step& step) {
  summary.pictures.push_back(
      {"reconstructions", report::kReconstructionCaption, [=] { return reconstructions(source, step); }});
  summary.pictures.push_back({"samples", "Images of codes of the prior, a row for each class",
                              [=] { return samples(source, step); }});
  summary.pictures.push_back(
      {"swaps", report::analogy_caption(source.classes), [=] { return swaps(source); }});
}

}  // namespace vae::shot_vae
