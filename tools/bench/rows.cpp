// Reductions, softmax and indexing over rows.
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

/// The likelihood of given labels.
void add_pick(Cases& cases, int64_t m, int64_t n) {
  const Shape shape{m, n};
  const Operand label = integers({m}, n), y = output({m});
  cases.add(pick, text(shape), uniform(shape), label, y).moves(label.bytes() + y.bytes(), y.bytes());
  cases.add(pick_bwd, text(shape), uniform({m}), label, output(shape), Write::set);
}

void add_indexing(Cases& cases) {
  const int64_t rows = 20000, n = 784, table = 60000;
  const Operand x = uniform({rows, n}), index = integers({rows}, table), y = output({rows, n});
  const std::string shape = text({rows, n});
  cases.add(gather_rows, shape, uniform({table, n}), index, y).moves(y.bytes() + index.bytes(), y.bytes());
  cases.add(gather_pixels, shape, pixels({table, n}), index, y, Pixels::unit)
      .moves(y.bytes() / 4 + index.bytes(), y.bytes());
  cases.add(one_hot, "200x10", integers({200}, 10), output({200, 10}));
  cases.add(outer_add, "10x (2000x500)", uniform({2000, 500}), uniform({10, 500}), output({20000, 500}));
  add_transpose(cases, "", {4096, 4096});
  cases.add(segment_sum, "20000x784, 32 groups", x, integers({rows}, 32), output({32, n}), Write::set);
  cases.add("copy_columns", "20000x784 into 794", {.read = x.bytes(), .written = x.bytes()},
            [=](Maker& make) {
              const ColumnCopy copy{make(x), 0, make(output({rows, 794})), 10, n};
              return [=] { kernels::copy_columns(alone(copy)); };
            });
}

/// The sums over samples, labels and groups of the families.
void add_axes(Cases& cases) {
  const Axis axis{2000, 10, 784};
  const Shape all{2000, 10, 784}, sums{2000, 784};
  cases.add(sum_bwd, text(all), uniform(sums), output(all), axis, 1, Write::set);
  cases.add(log_sum_exp_fwd, text(all), uniform(all, -5, 5), output(sums), axis, 0);
  cases.add(log_sum_exp_bwd, text(all), uniform(sums), uniform(all, -5, 5), uniform(sums, 5, 7), output(all),
            axis, 0, Write::set);
}

}  // namespace

/// Over the middle of three axes.
void add_sum(Cases& cases, const std::string& what, const Sizes& sizes) {
  const Axis axis{sizes[0], sizes[1], sizes[2]};
  cases.add(sum, text(Shape(sizes), what), uniform(Shape(sizes)), output({axis.outer, axis.inner}), axis, 1,
            Write::set);
}

/// Backward passes take an output from its range.
void add_softmax(Cases& cases, const std::string& what, const Sizes& sizes) {
  const Shape shape(sizes);
  const std::string name = text(shape, what);
  const Operand x = uniform(shape, -5, 5), dy = uniform(shape), y = output(shape);
  cases.add(softmax_fwd, name, x, y);
  cases.add(softmax_bwd, name, dy, uniform(shape, 0, 1), y, Write::set);
  cases.add(log_softmax_fwd, name, x, y);
  cases.add(log_softmax_bwd, name, dy, uniform(shape, -10, 0), y, Write::set);
}

void add_transpose(Cases& cases, const std::string& what, const Sizes& sizes) {
  cases.add(transpose, text(Shape(sizes), what), uniform(Shape(sizes)), output({sizes[1], sizes[0]}));
}

void add_rows(Cases& cases) {
  const int64_t many = 1000000;
  add_sum(cases, "all", {1, kLarge, 1});
  add_sum(cases, "rows", {20000, 784, 1});
  add_sum(cases, "rows", {1 << 20, 16, 1});
  add_sum(cases, "columns", {1, 20000, 784});
  add_sum(cases, "channels", {1, 200 * 32 * 32, 32});  // WideResNet-28-2, 32 channels
  add_sum(cases, "bias", {1, 100, 500});
  cases.add("column_sums", "6 of 100x500", {6 * floats({100, 500}), 6 * floats({500})}, [](Maker& make) {
    std::vector<ColumnSum> sums;
    for (int i = 0; i < 6; ++i) sums.push_back({make(uniform({100, 500})), make(output({500}))});
    return [=] { column_sums(sums); };
  });
  cases.add(sum_squares, text({kLarge}), uniform({kLarge}), output({}, DType::f64));
  cases.add(argmax, "1000000x10", uniform({many, 10}), output({many}, DType::i64));
  cases.add(top_k, "1000000x10, 2", uniform({many, 10}), output({many, 2}), zeros({many, 2}, DType::i64));
  add_softmax(cases, "", {many, 10});
  add_softmax(cases, "", {20000, 784});
  add_pick(cases, 100, 10);
  add_pick(cases, many, 10);
  add_axes(cases);
  add_indexing(cases);
}

}  // namespace vae::bench
