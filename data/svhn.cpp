#include "data/svhn.h"

#include <fmt/ranges.h>

#include "data/mat_file.h"
#include "tensor/file.h"
#include "tensor/parallel.h"

namespace vae::data {
namespace {

constexpr int64_t kSvhnSide = 32, kSvhnPlane = kSvhnSide * kSvhnSide, kSvhnPixels = 3 * kSvhnPlane;
constexpr uint64_t kSvhnBytes = uint64_t{2} << 30;  // of a file or a variable; the published sets are smaller

/// [height, width, channel, image], the first fastest, as [N, H, W, C].
Tensor images_of(const MatArray& x, const std::string& where) {
  std::vector<int64_t> expected{kSvhnSide, kSvhnSide, 3};
  if (x.dimensions.size() == 4) expected.push_back(x.dimensions[3]);  // MATLAB leaves a last 1 out
  if (x.dimensions != expected || !x.is_uint8)
    fail(ErrorKind::data, "{}: X is {}{}, expected uint8 32x32x3xN", where, x.is_uint8 ? "uint8 " : "",
         fmt::join(x.dimensions, "x"));
  const int64_t n = x.numel() / kSvhnPixels;
  Tensor images = Tensor::empty({n, kSvhnSide, kSvhnSide, 3}, DType::u8);
  parallel_for(n, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto* from = reinterpret_cast<const uint8_t*>(&x.content[static_cast<size_t>(i * kSvhnPixels)]);
      uint8_t* to = images.data<uint8_t>() + i * kSvhnPixels;
      for (int64_t row = 0; row < kSvhnSide; ++row)
        for (int64_t column = 0; column < kSvhnSide; ++column)
          for (int64_t c = 0; c < 3; ++c) *to++ = from[c * kSvhnPlane + column * kSvhnSide + row];
    }
  });
  return images;
}

Tensor labels_of(const MatArray& y, int64_t n, const std::string& where) {
  if (y.dimensions.size() != 2 || std::min(y.dimensions[0], y.dimensions[1]) != 1 || y.numel() != n)
    fail(ErrorKind::data, "{}: y is {}, expected {}x1, a label for each image", where,
         fmt::join(y.dimensions, "x"), n);
  Tensor labels = Tensor::empty({n}, DType::i64);
  for (int64_t i = 0; i < n; ++i) {
    const double label = y.at(i);
    if (!(label >= 1 && label <= 10) || label != static_cast<int64_t>(label))
      fail(ErrorKind::data, "{}, item {}: label {} is out of range, expected 1 to 10", where, i, label);
    labels.data<int64_t>()[i] = static_cast<int64_t>(label) % 10;
  }
  return labels;
}

}  // namespace

Dataset read_svhn(Part part, const std::filesystem::path& path) {
  const std::string where = path.string();
  const auto arrays = read_mat(read_file(path, kSvhnBytes), {"X", "y"}, where, kSvhnBytes);
  const Tensor images = images_of(arrays[0], where);
  if (images.size(0) == 0) fail(ErrorKind::data, "{}: the data set is empty", where);
  return make_dataset(fmt::format("svhn ({})", name_of(part)), images,
                      labels_of(arrays[1], images.size(0), where), 10);
}

}  // namespace vae::data
