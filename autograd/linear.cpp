#include "autograd/linear.h"

#include "autograd/factor.h"
#include "autograd/function.h"
#include "autograd/trace.h"
#include "tensor/communicator.h"

namespace vae::autograd {
namespace {

using detail::beta_of, detail::check_operands, detail::columns_of, detail::factor, detail::factor_beside,
    detail::like, detail::rows_of, detail::text_of;
using kernels::Transpose;

void check_linear(const Var& x, const Var& weight, const Var& bias) {
  check_operands("linear(x, weight, bias)", {&x, &weight, detail::optional(bias)});
  const Tensor &xv = x.value(), &wv = weight.value();
  if (wv.rank() != 2) misuse("linear", "weight is {}, expected [out, in]", text_of(weight));
  const int64_t in = wv.size(1), out = wv.size(0), rows = rows_of(xv);
  if (columns_of(xv) != in) {
    const bool flat = xv.rank() > 2 && xv.size(0) * in == xv.numel();
    misuse("linear", "x is {}, expected [n, {}]{}", text_of(x), in, flat ? ": flatten(x)" : "");
  }
  if (!bias.defined()) return;
  const int64_t own = rows_of(bias.value());
  if (columns_of(bias.value()) != out || own == 0 || (own != rows && rows % own != 0))
    misuse("linear", "bias is {}, expected [{}]", text_of(bias), out);
  if (own != 1 && own != rows && !bias.repeats())
    misuse("linear", "bias is {} for {} rows: rows repeat only where asked for, by repeating(bias)",
           text_of(bias), rows);
}

}  // namespace

Var linear(const Var& x, const Var& weight, const Var& bias) {
  check_linear(x, weight, bias);
  const Tensor xv = factor(x), wv = factor(weight);
  const Tensor y = like(x.value(), {rows_of(xv), wv.size(0)});
  kernels::linear_fwd(xv, wv, bias.defined() ? bias.value() : Tensor{}, y);
  const Shape bias_shape = bias.defined() ? bias.shape() : Shape{};
  return record("linear", y, {x, weight, bias}, [xv, wv, bias_shape](const Backward& b) {
    const Tensor dy = b.wants(0) || b.wants(1) ? factor_beside(wv, b.dy()) : Tensor{};
    if (b.wants(0)) {
      const Slot dx = b.into(0);
      kernels::gemm(dy, Transpose::no, wv, Transpose::no, dx.tensor, 1.0, beta_of(dx));
    }
    if (b.wants(1)) {
      const Slot dw = b.into(1);
      kernels::gemm(dy, Transpose::yes, xv, Transpose::no, dw.tensor, 1.0, beta_of(dw));
    }
    if (b.wants(2)) {
      if (bias_shape == b.dy().shape())
        b.give(2, b.dy());
      else
        b.give_sum_of_rows(2, b.dy());
    }
  });
}

Var matmul(const Var& a, Transpose ta, const Var& b, Transpose tb) {
  check_operands("matmul(a, b)", {&a, &b});
  const Tensor av = factor(a), bv = factor(b);
  const auto rows = [](const Tensor& x, Transpose t) {
    return t == Transpose::no ? rows_of(x) : columns_of(x);
  };
  const auto flipped = [](Transpose t) { return t == Transpose::no ? Transpose::yes : Transpose::no; };
  if (rows(av, flipped(ta)) != rows(bv, tb))
    misuse("matmul", "a is {}{}, b is {}{}: the inner extents differ", text_of(a),
           ta == Transpose::yes ? " transposed" : "", text_of(b), tb == Transpose::yes ? " transposed" : "");
  const Tensor y = like(a.value(), {rows(av, ta), rows(bv, flipped(tb))});
  kernels::gemm(av, ta, bv, tb, y, 1.0, 0.0);
  Var result = record("matmul", y, {a, b}, [av, bv, ta, tb, flipped](const Backward& back) {
    const Tensor dy = factor_beside(av, back.dy());
    // d op(a) = dy op(b)^T, d op(b) = op(a)^T dy; a transposed operand wants the transpose of that.
    const auto into = [&](size_t i, const Tensor& l, Transpose tl, const Tensor& r, Transpose tr) {
      const Slot dx = back.into(i);
      kernels::gemm(l, tl, r, tr, dx.tensor, 1.0, beta_of(dx));
    };
    if (back.wants(0) && ta == Transpose::no) into(0, dy, Transpose::no, bv, flipped(tb));
    if (back.wants(0) && ta == Transpose::yes) into(0, bv, tb, dy, Transpose::yes);
    if (back.wants(1) && tb == Transpose::no) into(1, av, flipped(ta), dy, Transpose::no);
    if (back.wants(1) && tb == Transpose::yes) into(1, dy, Transpose::yes, av, ta);
  });
  return traced(std::move(result), {.first = ta, .second = tb});
}

Var transpose(const Var& x) {
  check_operands("transpose(x)", {&x});
  const Tensor y = like(x.value(), {columns_of(x.value()), rows_of(x.value())});
  kernels::transpose(x.value(), y);
  return record("transpose", y, {x}, [shape = x.shape()](const Backward& b) {
    const Tensor dx = like(b.dy(), shape);
    kernels::transpose(b.dy(), dx);
    b.give(0, dx);
  });
}

void detail::check_batch_norm(const Var& x, const Var& gamma, const Var& beta, bool of_first) {
  check_operands("batch_norm(x, gamma, beta)", {&x, &gamma, &beta});
  const int64_t columns = columns_of(gamma.value()), found = columns_of(x.value());
  if (of_first ? found < columns : found != columns)
    misuse("batch_norm", "x is {}, expected [n, {}] or images [N, H, W, {}]", text_of(x), columns, columns);
  if (gamma.value().numel() != columns || beta.value().numel() != columns)
    misuse("batch_norm", "gamma is {} and beta {}, expected [{}]", text_of(gamma), text_of(beta), columns);
}

Var batch_norm(const Var& x, const Var& gamma, const Var& beta, const Tensor& running_mean,
               const Tensor& running_var, kernels::BatchNormRule rule,
               const kernels::Activation& activation) {
  detail::check_batch_norm(x, gamma, beta);
  return batch_norm_of_first(x, gamma, beta, running_mean, running_var, rule, activation);
}

Var batch_norm_of_first(const Var& x, const Var& gamma, const Var& beta, const Tensor& running_mean,
                        const Tensor& running_var, kernels::BatchNormRule rule,
                        const kernels::Activation& activation) {
  detail::check_batch_norm(x, gamma, beta, true);
  parallel::Communicator* const ranks = parallel::of_statistics();
  if (rows_of(x.value()) == 1 && !ranks)
    misuse("batch_norm", "x is {}, one value per channel: its deviation from its own mean is zero",
           text_of(x));
  const Shape channels{gamma.value().numel()};
  kernels::BatchNormForward f{.x = x.value(),
                              .gamma = gamma.value(),
                              .beta = beta.value(),
                              .y = like(x.value(), detail::with_columns(x.shape(), channels[0])),
                              .mean = like(x.value(), channels),
                              .rstd = like(x.value(), channels),
                              .running_mean = running_mean,
                              .running_var = running_var,
                              .rule = rule,
                              .activation = activation,
                              .ranks = ranks};
  kernels::batch_norm_fwd(f);
  kernels::BatchNormBackward backward;
  backward.x = f.x, backward.gamma = f.gamma, backward.mean = f.mean, backward.rstd = f.rstd;
  backward.ranks = ranks;
  if (activation.function) backward.beta = f.beta, backward.y = f.y, backward.activation = activation;
  return record("batch_norm", f.y, {x, gamma, beta}, [backward](const Backward& b) {
    const bool all = columns_of(backward.x) == backward.gamma.numel();
    const auto slot = [&](size_t i) {
      if (b.wants(i))
        return i == 0 && !all ? Slot{detail::accumulator(b, 0), kernels::Write::add} : b.into(i);
      return Slot{i == 0 ? Tensor{} : like(backward.gamma, backward.gamma.shape()), kernels::Write::set};
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
