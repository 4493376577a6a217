#include "autograd/ops.h"

namespace vae::autograd {
namespace {

using kernels::Axis;
using kernels::Transpose;
using kernels::Write;

Tensor like(const Tensor& x, Shape shape) { return Tensor::empty(shape, x.dtype(), x.device()); }

int64_t columns_of(const Tensor& x) { return kernels::columns_of(x.shape()); }
int64_t rows_of(const Tensor& x) { return kernels::rows_of(x.shape()); }

/// Gradient of input i as a sum of dy along an axis.
void sum_into(const Backward& b, size_t i, Axis axis) {
  const Slot slot = b.into(i);
  kernels::sum(b.dy(), slot.tensor, axis, 1.0, slot.write);
}

double beta_of(const Slot& slot) { return slot.write == Write::add ? 1.0 : 0.0; }

}  // namespace

Var linear(const Var& x, const Var& weight, const Var& bias) {
  const Tensor xv = x.value(), wv = weight.value();
  VAE_CHECK(wv.rank() == 2 && columns_of(xv) == wv.size(1), "linear: {} by weight {}", xv.str(), wv.str());
  const Tensor y = like(xv, {rows_of(xv), wv.size(0)});
  kernels::linear_fwd(xv, wv, bias.defined() ? bias.value() : Tensor{}, y);
  const Shape bias_shape = bias.defined() ? bias.shape() : Shape{};
  return record("linear", y, {x, weight, bias}, [xv, wv, bias_shape](const Backward& b) {
    if (b.wants(0)) {
      const Slot dx = b.into(0);
      kernels::gemm(b.dy(), Transpose::no, wv, Transpose::no, dx.tensor, 1.0, beta_of(dx));
    }
    if (b.wants(1)) {
      const Slot dw = b.into(1);
      kernels::gemm(b.dy(), Transpose::yes, xv, Transpose::no, dw.tensor, 1.0, beta_of(dw));
    }
    if (b.wants(2)) {
      const int64_t n = bias_shape.numel();
      if (bias_shape == b.dy().shape())
        b.give(2, b.dy());
      else
        sum_into(b, 2, {1, n ? b.dy().numel() / n : 0, n});
    }
  });
}

Var transpose(const Var& x) {
  const Tensor y = like(x.value(), {columns_of(x.value()), rows_of(x.value())});
  kernels::transpose(x.value(), y);
  return record("transpose", y, {x}, [shape = x.shape()](const Backward& b) {
    const Tensor dx = like(b.dy(), shape);
    kernels::transpose(b.dy(), dx);
    b.give(0, dx);
  });
}

Var reshape(const Var& x, const Shape& shape) {
  return record("reshape", x.value().reshape(shape), {x}, [](const Backward& b) { b.give(0, b.dy()); });
}

Var reshape(const Var& x, std::initializer_list<int64_t> extents) {
  return reshape(x, x.value().reshape(extents).shape());
}

namespace {

Var add_rows_and_blocks(const char* op, const Var& a, const Var& v, int64_t rows) {
  const int64_t n = columns_of(a.value()), a_rows = rows_of(a.value()), blocks = rows_of(v.value());
  const Tensor y = like(a.value(), {rows, n});
  kernels::outer_add(a.value(), v.value(), y);
  return record(op, y, {a, v}, [rows, blocks, a_rows, n](const Backward& b) {
    if (b.wants(0)) {
      if (a_rows == rows)
        b.give(0, b.dy());
      else
        sum_into(b, 0, {1, blocks, a_rows * n});
    }
    if (b.wants(1)) sum_into(b, 1, {blocks, blocks ? rows / blocks : 0, n});
  });
}

}  // namespace

Var outer_add(const Var& a, const Var& v) {
  return add_rows_and_blocks("outer_add", a, v, rows_of(a.value()) * rows_of(v.value()));
}

Var add_blocks(const Var& a, const Var& v) {
  return add_rows_and_blocks("add_blocks", a, v, rows_of(a.value()));
}

Var repeat_rows(const Var& x, int64_t copies, int64_t groups) {
  const int64_t n = x.value().numel(), rows = rows_of(x.value());
  VAE_CHECK(groups > 0 && rows % groups == 0, "repeat_rows: {} in {} groups", x.value().str(), groups);
  const Axis axis{groups, copies, n / groups};
  const Tensor y = like(x.value(), {copies * rows, columns_of(x.value())});
  kernels::sum_bwd(x.value(), y, axis, 1.0, Write::set);
  return record("repeat_rows", y, {x}, [axis](const Backward& b) { sum_into(b, 0, axis); });
}

Var sum(const Var& x, double scale) {
  const Tensor y = like(x.value(), Shape{});
  kernels::sum(x.value(), y, Axis::all(x.value().numel()), scale, Write::set);
  return record("sum", y, {x}, [xv = x.value(), scale](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::map_bwd(kernels::Map::affine, {scale, 0}, 0, b.dy(), {&xv, 1}, {}, dx.tensor, dx.write);
  });
}

Var mean(const Var& x) {
  VAE_CHECK(x.value().numel() > 0, "mean of an empty tensor {}", x.value().str());
  return sum(x, 1.0 / static_cast<double>(x.value().numel()));
}

Var softmax(const Var& x) {
  const Tensor y = like(x.value(), x.shape());
  kernels::softmax_fwd(x.value(), y);
  return record("softmax", y, {x}, [y](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::softmax_bwd(b.dy(), y, dx.tensor, dx.write);
  });
}

Var log_softmax(const Var& x) {
  const Tensor y = like(x.value(), x.shape());
  kernels::log_softmax_fwd(x.value(), y);
  return record("log_softmax", y, {x}, [y](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::log_softmax_bwd(b.dy(), y, dx.tensor, dx.write);
  });
}

Var pick(const Var& x, const Tensor& labels) {
  const Tensor y = like(x.value(), {rows_of(x.value())});
  kernels::pick(x.value(), labels, y);
  return record("pick", y, {x}, [labels](const Backward& b) {
    const Slot dx = b.into(0);
    kernels::pick_bwd(b.dy(), labels, dx.tensor, dx.write);
  });
}

Var cross_entropy(const Var& logits, const Tensor& labels) {
  return -mean(pick(log_softmax(logits), labels));
}

Var batch_norm(const Var& x, const Var& gamma, const Var& beta, const Tensor& running_mean,
               const Tensor& running_var, kernels::BatchNormRule rule,
               const kernels::Activation& activation) {
  const Shape channels{columns_of(x.value())};
  kernels::BatchNormForward f{.x = x.value(),
                              .gamma = gamma.value(),
                              .beta = beta.value(),
                              .y = like(x.value(), x.shape()),
                              .mean = like(x.value(), channels),
                              .rstd = like(x.value(), channels),
                              .running_mean = running_mean,
                              .running_var = running_var,
                              .rule = rule,
                              .activation = activation};
  kernels::batch_norm_fwd(f);
  kernels::BatchNormBackward backward;
  backward.x = f.x, backward.gamma = f.gamma, backward.mean = f.mean, backward.rstd = f.rstd;
  if (activation.function) backward.beta = f.beta, backward.y = f.y, backward.activation = activation;
  return record("batch_norm", f.y, {x, gamma, beta}, [backward](const Backward& b) {
    const auto slot = [&](size_t i) {
      if (b.wants(i)) return b.into(i);
      return Slot{i == 0 ? Tensor{} : like(backward.gamma, backward.gamma.shape()), Write::set};
    };
    const Slot dx = slot(0), dgamma = slot(1), dbeta = slot(2);
    kernels::BatchNormBackward call = backward;
    call.dy = b.dy();
    call.dx = dx.tensor, call.dgamma = dgamma.tensor, call.dbeta = dbeta.tensor;
    call.write_x = dx.write, call.write_gamma = dgamma.write, call.write_beta = dbeta.write;
    kernels::batch_norm_bwd(call);
  });
}

}  // namespace vae::autograd
