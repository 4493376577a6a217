#include "models/inception/net.h"

#include <cmath>

#include "autograd/image.h"
#include "autograd/reduce.h"
#include "autograd/rows.h"
#include "kernels/kernels.h"

namespace vae::inception {
namespace {

using autograd::Var;
using kernels::Map;

constexpr double kEps = 0.001;  // of the batch norms

/// The block behind which so many features are taken; null for another number.
const char* tap(int64_t dims) {
  switch (dims) {
    case 64:
      return "maxpool1";
    case 192:
      return "maxpool2";
    case 768:
      return "Mixed_6e";
    case 2048:
      return "Mixed_7c";
    default:
      return nullptr;
  }
}

}  // namespace

Tensor inputs(const Tensor& bytes, DType dtype) {
  if (bytes.dtype() != DType::u8 || bytes.rank() != 4 || bytes.numel() == 0 ||
      (bytes.size(3) != 1 && bytes.size(3) != 3))
    fail(ErrorKind::data, "inception: images are {}, expected u8 [n, h, w, 1 or 3]", bytes.str());
  const Tensor unit = Tensor::empty(bytes.shape(), DType::f32, bytes.device()),
               scaled = Tensor::empty({bytes.size(0), kSide, kSide, bytes.size(3)}, dtype, bytes.device());
  kernels::normalize_pixels(bytes, {}, {}, unit);  // bytes / 255 are rounded to f32 in every precision
  kernels::resize_images(dtype == DType::f32 ? unit : kernels::converted(unit, dtype), scaled);
  kernels::map_fwd(Map::affine, {2, -1}, std::span(&scaled, 1), scaled);
  if (bytes.size(3) == 3) return scaled;
  return autograd::concat(std::vector(3, Var(scaled))).value();
}

void check_dims(int64_t dims) {
  if (!tap(dims)) fail(ErrorKind::usage, "inception: {} features, there are 64, 192, 768 or 2048", dims);
}

Net::Net(const std::map<std::string, Tensor>& state, nn::Options options) {
  for_units([&](const Layer& unit, int64_t in) {
    const auto numbers = [&](const char* name) { return state.at(unit.unit + name).data<float>(); };
    const float *from = numbers(".conv.weight"), *scale = numbers(".bn.weight"), *shift = numbers(".bn.bias"),
                *mean = numbers(".bn.running_mean"), *variance = numbers(".bn.running_var");
    const auto& [h, w] = unit.window;
    const int64_t taps = h.kernel * w.kernel;
    const Tensor weight = Tensor::empty({unit.channels, h.kernel, w.kernel, in}, options.dtype),
                 bias = Tensor::empty({unit.channels}, options.dtype);
    dispatch_floating(options.dtype, [&](auto zero) {
      using T = decltype(zero);
      T* to = weight.data<T>();
      for (int64_t o = 0; o < unit.channels; ++o, from += taps * in) {
        const double factor = scale[o] / std::sqrt(variance[o] + kEps);
        for (int64_t tap = 0; tap < taps; ++tap)
          for (int64_t i = 0; i < in; ++i) *to++ = static_cast<T>(factor * from[i * taps + tap]);
        bias.data<T>()[o] = static_cast<T>(shift[o] - factor * mean[o]);
      }
    });
    units_[unit.unit] = {weight.to(options.device), bias.to(options.device)};
  });
}

Tensor Net::apply(const Layer& layer, const Tensor& x) const {
  const Var images(x);
  switch (layer.kind) {
    case Layer::Kind::max_pool:
      return autograd::max_pool2d(images, layer.window).value();
    case Layer::Kind::average_pool:
      return autograd::avg_pool2d(images, layer.window, kernels::Divisor::pixels).value();
    case Layer::Kind::unit:
      break;
  }
  const Unit& unit = units_.at(layer.unit);
  return autograd::conv2d(images, Var(unit.weight), Var(unit.bias), layer.window, {Map::relu, {}}).value();
}

Tensor Net::apply(const Block& block, const Tensor& x) const {
  std::vector<Var> parts;
  for (const Branch& branch : block.branches) {
    Tensor y = x;
    for (const Layer& layer : branch.layers) y = apply(layer, y);
    for (const Layer& layer : branch.ends) parts.emplace_back(apply(layer, y));
    if (branch.ends.empty()) parts.emplace_back(y);
  }
  return parts.size() == 1 ? parts[0].value() : autograd::concat(parts).value();
}

Tensor Net::operator()(const Tensor& inputs, int64_t dims, const See& see) const {
  check_dims(dims);
  Tensor x = inputs;
  for (const Block& block : blocks()) {
    x = apply(block, x);
    if (see) see(block.name, x);
    if (block.name == tap(dims)) break;
  }
  const kernels::Axis pixels{x.size(0), x.size(1) * x.size(2), x.size(3)};
  return autograd::mean(Var(x), pixels).value().reshape({x.size(0), dims});
}

}  // namespace vae::inception
