// Filling, copying, indexing and random draws.
#include "tests/kernels/parity.h"
#include "tests/numeric.h"

namespace vae::test {
namespace {

using namespace kernels;

constexpr DType kTypes[] = {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8};

/// Collects what `one` writes for every size.
std::function<Outputs(Operands)> sized(std::function<Tensor(Operands&, int64_t)> one) {
  return [=](Operands in) {
    Outputs out;
    for (const int64_t n : kSizes) out.push_back(one(in, n));
    return out;
  };
}

/// Numbers 0, 1, ... 250 in any dtype.
Tensor counted(const Operands& in, Shape shape, DType dtype) {
  std::vector<double> values(shape.numel());
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 251);
  return tensor_of(values, shape, dtype, in.device());
}

Outputs fills(Operands in) {
  Outputs out;
  for (const DType dtype : kTypes)
    for (const int64_t n : kSizes) {
      out.push_back(in.empty({n}, dtype));
      fill(out.back(), 3);
    }
  return out;
}

Outputs casts(Operands in) {
  Outputs out;
  for (const DType from : kTypes)
    for (const DType to : kTypes) {
      out.push_back(in.empty({257}, to));
      cast(counted(in, {257}, from), out.back());
    }
  return out;
}

Outputs rows_by_index(Operands in) {
  Outputs out;
  for (const DType dtype : kTypes)
    for (const int64_t n : kSizes) {
      out.push_back(in.empty({19, n}, dtype));
      gather_rows(counted(in, {7, n}, dtype), in.integers({19}, 7), out.back());
    }
  return out;
}

Outputs transposed(Operands in) {
  Outputs out;
  for (const DType dtype : kTypes)
    for (const int64_t n : kSizes) {
      out.push_back(in.empty({n, 40}, dtype));
      transpose(counted(in, {40, n}, dtype), out.back());
    }
  return out;
}

Outputs outer_sums(Operands in) {
  Outputs out;
  for (const int64_t n : kSizes)
    for (const int64_t rows : {9, 27}) {  // shared by the three copies, or of its own
      out.push_back(in.empty({27, n}));
      outer_add(in.uniform({rows, n}), in.uniform({3, n}), out.back());
    }
  return out;
}

Outputs columns(Operands in) {
  Outputs out;
  for (const Write write : {Write::set, Write::add})
    for (const int64_t n : kSizes) {
      const Tensor y = in.uniform({19, n + 5}), z = in.uniform({7, n});
      const ColumnCopy two[] = {{in.uniform({19, n + 3}), 2, y, 1, n, write},
                                {in.uniform({7, n}), 0, z, 0, n, write}};
      copy_columns(two);
      out.push_back(y), out.push_back(z);
    }
  const Tensor many = in.uniform({5, 20});  // more than a launch takes
  std::vector<ColumnCopy> copies;
  for (int64_t c = 0; c < 20; c += 2) copies.push_back({in.uniform({5, 3}), 1, many, c, 2});
  copy_columns(copies);
  out.push_back(many);
  return out;
}

Outputs groups(Operands in) {
  Outputs out;
  for (const Write write : {Write::set, Write::add})
    for (const int64_t rows : kSizes)
      for (const int64_t n : {1, 10, 130}) {
        out.push_back(in.uniform({10, n}));
        segment_sum(in.uniform({rows, n}), in.integers({rows}, 10), out.back(), write);
        out.push_back(in.uniform({10, n}));
        segment_sum({}, in.integers({rows}, 10), out.back(), write);
      }
  return out;
}

Tensor pixels(Operands& in, int64_t n, Pixels kind) {
  const Tensor y = in.empty({19, n});
  gather_pixels(counted(in, {7, n}, DType::u8), in.integers({19}, 7), y, kind);
  return y;
}

template <class Draw>
std::function<Outputs(Operands)> draws(const Draw& draw, Rows rows) {
  return sized([=](Operands& in, int64_t n) {
    const Tensor y = in.empty({6, n});
    draw(y, RandomKey::named(5, "noise"), in.scalar<int64_t>(77), rows);
    return y;
  });
}

std::function<Outputs(Operands)> random_numbers(Rows rows) {
  return sized([=](Operands& in, int64_t n) {
    const Tensor y = in.empty({6, n}, DType::i64);
    random_integers(y, RandomKey::named(5, "corner"), in.scalar<int64_t>(3), 9, rows);
    return y;
  });
}

std::function<Outputs(Operands)> batches(Order order) {
  return sized([=](Operands& in, int64_t n) {
    const Tensor pool = in.integers({3 * n + 10}, 1000003), y = in.empty({n}, DType::i64);
    batch_items(pool, y, RandomKey::named(5, "batch"), in.scalar<int64_t>(7), order);
    return y;
  });
}

void add_draw_cases(std::vector<ParityCase>& cases) {
  const std::pair<const char*, Rows> rows[] = {{"sizes", {}}, {"shares of blocks", {2, 7, 3}}};
  for (const auto& [what, which] : rows) {
    cases.push_back({"random_uniform", what, draws(random_uniform, which), kExact});
    cases.push_back({"random_normal", what, draws(random_normal, which), kFloatInside});
    cases.push_back({"random_integers", what, random_numbers(which), kExact});
  }
  cases.push_back({"batch_items", "sizes", batches({}), kExact});
  cases.push_back({"batch_items", "passes", batches({.period = 3}), kExact});
  cases.push_back({"batch_items", "passes in one order", batches({.period = 3, .reshuffle = false}), kExact});
  cases.push_back({"batch_items", "windows", batches({.period = 3, .windows = true}), kExact});
  cases.push_back({"batch_items", "windows of the pool", batches({.period = 9, .windows = true}), kExact});
}

void add_label_cases(std::vector<ParityCase>& cases) {
  const auto hot = [](Operands& in, int64_t n) {
    const Tensor y = in.empty({n, 10});
    one_hot(in.integers({n}, 10), y);
    return y;
  };
  const auto picked = [](Operands& in, int64_t n) {
    const Tensor y = in.empty({n});
    pick(in.uniform({n, 10}), in.integers({n}, 10), y);
    return y;
  };
  cases.push_back({"one_hot", "sizes", sized(hot), kExact});
  cases.push_back({"pick", "sizes", sized(picked), kExact});
  for (const Write write : {Write::set, Write::add})
    cases.push_back({"pick_bwd", write == Write::set ? "set" : "add", sized([=](Operands& in, int64_t n) {
                       const Tensor dx = in.uniform({n, 10});
                       pick_bwd(in.uniform({n}), in.integers({n}, 10), dx, write);
                       return dx;
                     }),
                     kExact});
}

}  // namespace

void add_indexing_cases(std::vector<ParityCase>& cases) {
  cases.push_back({"fill", "all dtypes", fills, kExact});
  cases.push_back({"cast", "all pairs of dtypes", casts, kExact});
  cases.push_back({"increment", "once",
                   [](Operands in) {
                     const Tensor counter = in.scalar<int64_t>(41);
                     increment(counter);
                     return Outputs{counter};
                   },
                   kExact});
  cases.push_back({"tally", "three of four",
                   [](Operands in) {
                     const Tensor numbers[] = {in.scalar(0.5), {}, in.scalar(-3.0), in.scalar(2.0)};
                     const Tensor sums = Tensor::zeros({4}, DType::f64, numbers[0].device()),
                                  counter = in.scalar<int64_t>(41);
                     tally(numbers, sums, {&counter, 1});
                     return Outputs{sums, counter};
                   },
                   kExact});
  cases.push_back({"gather_rows", "all dtypes", rows_by_index, kExact});
  cases.push_back({"gather_pixels", "unit",
                   sized([](Operands& in, int64_t n) { return pixels(in, n, Pixels::unit); }), kExact});
  cases.push_back({"gather_pixels", "binary",
                   sized([](Operands& in, int64_t n) { return pixels(in, n, Pixels::binary); }), kExact});
  cases.push_back({"transpose", "all dtypes", transposed, kExact});
  cases.push_back({"outer_add", "sizes", outer_sums, kExact});
  cases.push_back({"copy_columns", "set and add", columns, kExact});
  cases.push_back({"segment_sum", "set and add", groups});
  add_draw_cases(cases);
  add_label_cases(cases);
}

}  // namespace vae::test
