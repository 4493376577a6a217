#include "tools/bench/work.h"

#include <string_view>

namespace vae::bench {
namespace {

double bytes_of(const Tensor& tensor) { return tensor.defined() ? static_cast<double>(tensor.bytes()) : 0; }

/// All but the last tensors are read, those written; those that are undefined are neither.
Work once(const std::vector<Tensor>& tensors, size_t written = 1) {
  Work work;
  for (size_t i = 0; i < tensors.size(); ++i)
    (i + written < tensors.size() ? work.read : work.written) += bytes_of(tensors[i]);
  return work;
}

/// Of the first, and of every so many behind it: the parameters of groups.
double bytes_of_every(size_t stride, const std::vector<Tensor>& tensors) {
  double bytes = 0;
  for (size_t i = 0; i < tensors.size(); i += stride) bytes += bytes_of(tensors[i]);
  return bytes;
}

Work with_flops(Work work, double flops) {
  work.flops = flops;
  return work;
}

}  // namespace

double product_flops(int64_t m, int64_t n, int64_t k) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

double conv_flops(const Shape& y, const Shape& weights) {
  return product_flops(y.numel(), 1, weights.numel() / weights[0]);
}

Work batch_norm_work(double bytes) { return {.read = 2 * bytes, .written = bytes}; }
Work batch_norm_bwd_work(double bytes) { return {.read = 4 * bytes, .written = bytes}; }
Work optimizer_work(double bytes, int moments) { return {.read = bytes, .updated = (1 + moments) * bytes}; }

Work work_of(const Recorder::Call& call) {
  const std::string_view name = call.name;
  const auto& t = call.tensors;
  if (name == "gemm") {  // a, b, c: of the three extents each stands in two of the operands
    const double m_n = static_cast<double>(t[2].numel()), m_k = static_cast<double>(t[0].numel());
    const auto n = static_cast<double>(t[2].shape().extents().back());
    return with_flops(once(t), 2 * m_n * (m_k / (m_n / n)));
  }
  if (name == "linear_fwd") return with_flops(once(t), product_flops(t[3].numel(), 1, t[1].size(1)));
  if (name == "conv2d_fwd") return with_flops(once(t), conv_flops(t[3].shape(), t[1].shape()));
  if (name == "conv2d_bwd_input") return with_flops(once(t), conv_flops(t[0].shape(), t[1].shape()));
  if (name == "conv2d_bwd_weight") return with_flops(once(t), conv_flops(t[0].shape(), t[2].shape()));
  if (name == "batch_norm_fwd") return batch_norm_work(bytes_of(t[3]));
  if (name == "batch_norm_bwd") return batch_norm_bwd_work(bytes_of(t[0]));
  if (name == "adam") return optimizer_work(bytes_of_every(7, t), 2);
  if (name == "sgd" || name == "adagrad") return optimizer_work(bytes_of_every(5, t), 1);
  if (name == "moving_average") return {.read = bytes_of(t[0]), .updated = bytes_of(t[1])};
  if (name == "bias_activation_fwd") return {.read = bytes_of(t[0]), .updated = bytes_of(t[1])};
  if (name == "increment") return {.updated = bytes_of(t[0])};
  if (name == "fill") return {.written = bytes_of(t[0])};
  if (name == "gather_pixels")  // a byte for each element of the result
    return {.read = bytes_of(t[1]) + static_cast<double>(t[2].numel()), .written = bytes_of(t[2])};
  if (name == "gather_rows") return {.read = bytes_of(t[1]) + bytes_of(t[2]), .written = bytes_of(t[2])};
  if (name == "pick") return {.read = bytes_of(t[1]) + bytes_of(t[2]), .written = bytes_of(t[2])};
  if (name == "batch_items") return {.read = bytes_of(t[1]), .written = bytes_of(t[1])};
  if (name == "copy_columns") {
    Work work;
    for (size_t i = 0; i < t.size(); i += 2) work.read += std::min(bytes_of(t[i]), bytes_of(t[i + 1]));
    work.written = work.read;
    return work;
  }
  if (name == "max_pool_fwd") return once(t, 2);
  return once(t);
}

}  // namespace vae::bench
