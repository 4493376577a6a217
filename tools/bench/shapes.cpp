#include "tools/bench/shapes.h"

#include <algorithm>

#include "tools/common/option_table.h"

namespace vae::bench {
namespace {

struct Kind {
  const char *name, *sizes, *what;
  AddSized* add;
};

constexpr Kind kKinds[] = {
    {"map", "N", "every elementwise function and its derivative", add_maps},
    {"rowsum", "MxN", "terms of the bounds, summed over the columns of M rows", add_rowsums},
    {"random", "N", "normal and uniform numbers", add_random},
    {"sum", "OxCxI", "sums over the middle axis: 1xCxI columns, OxCx1 rows", add_sum},
    {"softmax", "MxN", "softmax of M rows and its logarithm, forward and backward", add_softmax},
    {"transpose", "MxN", "", add_transpose},
    {"gemm", "MxNxK", "the products of a linear layer, K to N units on M rows", add_linear},
    {"conv2d", "NxHxWxCxOxKxS", "convolution of N images, C to O channels, kernel K, stride S", add_conv},
    {"batch_norm", "MxN", "batch norm of M rows, forward and backward", add_batch_norm},
    {"optimizer", "N", "Adam, SGD, AdaGrad, moving average of N parameters", add_optimizers},
};

int64_t count_of(std::string_view sizes) { return std::count(sizes.begin(), sizes.end(), 'x') + 1; }

/// "2x3x4"
Sizes parse_sizes(const Kind& kind, const std::string& text) {
  Sizes sizes;
  double product = 1;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('x', begin), text.size());
    sizes.push_back(tool::at_least(1).parse(text.substr(begin, end - begin)));
    product *= static_cast<double>(sizes.back());
    begin = end + 1;
  }
  if (static_cast<int64_t>(sizes.size()) != count_of(kind.sizes) || product > 1e15)
    fail(ErrorKind::usage, "expected {}={}, of at most 1e15 in all", kind.name, kind.sizes);
  return sizes;
}

}  // namespace

void add_shape(Cases& cases, const std::string& text) {
  const std::string name = text.substr(0, text.find('='));
  std::vector<std::string> known;
  for (const Kind& kind : kKinds) known.push_back(kind.name);
  try {
    tool::check_name("kind of shape", name, known);
    const Kind& kind =
        *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.name == name; });
    kind.add(cases, "", parse_sizes(kind, text.substr(std::min(text.size(), name.size() + 1))));
  } catch (const Error& e) {
    fail(ErrorKind::usage, "--shape {}: {}", text, e.what());
  }
}

std::string shapes_help() {
  std::string text = "Shapes, KIND=SIZES:\n";
  for (const Kind& kind : kKinds)
    text += fmt::format("  {:<27} {}\n", fmt::format("{}={}", kind.name, kind.sizes), kind.what);
  return text;
}

}  // namespace vae::bench
