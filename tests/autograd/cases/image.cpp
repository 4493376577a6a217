// Cases of the functions of images: the shapes of the convolutional nets in small, and odd ones.
#include "tests/autograd/cases/catalogue.h"

namespace vae::autograd::detail {
namespace {

using kernels::Divisor;

struct Sizes {
  int64_t n, h, w, in, out;
  Window window;
  std::string str() const { return fmt::format("{}x{}x{} {}->{} {}", n, h, w, in, out, window.str()); }
};

const Sizes kConvolutions[] = {
    {2, 6, 6, 3, 4, Window(3, 1, 1)},         // a plain layer
    {2, 7, 6, 4, 5, Window(3, 2, 1)},         // halves the image
    {3, 5, 5, 31, 33, Window(1)},             // matrix product
    {2, 5, 4, 3, 6, Window(1, 2)},            // shortcut of a strided block
    {3, 4, 4, 5, 7, Window(4)},               // one window
    {2, 2, 2, 4, 3, Window(4, 2, 1)},         // one window beyond the image
    {2, 6, 6, 1, 4, Window(3, 1, 1)},         // from one channel
    {2, 6, 5, 4, 1, Window(3, 1, 1)},         // to one channel
    {2, 5, 5, 3, 2, Window(2)},               // even kernel
    {1, 8, 9, 2, 3, {{3, 2, 2}, {5, 1, 4}}},  // other along each axis, padding above half the kernel
    {2, 3, 2, 2, 3, {{1, 3, 4}, {2, 1, 3}}},  // windows of padding alone
    {0, 5, 5, 3, 2, Window(3)},               // no images
    {2, 4, 4, 0, 3, Window(3)},               // no channels
    {1, 17, 16, 17, 18, Window(3, 1, 1)},     // beyond a vector
};

/// Sums of up to a few hundred products whose order differs between f32 libraries.
constexpr double kTolerance = 2e-5;

void add_convolutions(std::vector<Case>& cases) {
  for (const Sizes& s : kConvolutions) {
    const auto& [h, w] = s.window;
    const CaseInput x{{s.n, s.h, s.w, s.in}}, weight{{s.out, h.kernel, w.kernel, s.in}}, bias{{s.out}};
    const Window window = s.window;
    const auto f = [window](const Inputs& v) {
      return conv2d(v[0], v[1], v.size() > 2 ? v[2] : Var{}, window);
    };
    cases.push_back({"conv2d", "conv2d/bias " + s.str(), {x, weight, bias}, f, kTolerance});
    cases.push_back({"conv2d", "conv2d/no bias " + s.str(), {x, weight}, f, kTolerance});
  }
  cases.push_back({"conv2d",
                   "conv2d/used twice",
                   {{{2, 5, 5, 3}}, {{3, 3, 3, 3}}},
                   [](const Inputs& v) {
                     const Window window = Window(3, 1, 1);
                     return conv2d(conv2d(v[0], v[1], {}, window), v[1], {}, window) + v[0];
                   },
                   kTolerance});
}

void add_transposed_convolutions(std::vector<Case>& cases) {
  const Sizes all[] = {
      {3, 1, 1, 6, 4, Window(4)},               // from a point
      {2, 1, 1, 5, 4, Window(4, 2, 1)},         // from a point, cropped
      {2, 4, 4, 3, 5, Window(4, 2, 1)},         // doubles the image
      {2, 4, 3, 4, 3, Window(3, 2)},            // overlapping windows
      {2, 5, 5, 3, 4, Window(3)},               // grows by a border
      {2, 5, 5, 3, 2, Window(2)},               // even kernel
      {2, 4, 4, 6, 3, Window(4, 2, 1)},         // to colours
      {2, 3, 3, 4, 1, Window(3, 1, 1)},         // to one channel
      {2, 3, 3, 1, 4, Window(3, 1, 1)},         // from one channel
      {2, 3, 4, 5, 3, Window(1)},               // matrix product
      {2, 3, 2, 2, 3, {{2, 3, 0}, {1, 2, 0}}},  // pixels that no window covers
      {0, 3, 3, 2, 3, Window(3)},
  };
  for (const Sizes& s : all) {
    const CaseInput x{{s.n, s.h, s.w, s.in}}, weight{{s.in, s.window.h.kernel, s.window.w.kernel, s.out}},
        bias{{s.out}};
    const auto f = [window = s.window](const Inputs& v) {
      return conv_transpose2d(v[0], v[1], v.size() > 2 ? v[2] : Var{}, window);
    };
    const std::string name = "conv_transpose2d/";
    cases.push_back({"conv_transpose2d", name + "bias " + s.str(), {x, weight, bias}, f, kTolerance});
    cases.push_back({"conv_transpose2d", name + "no bias " + s.str(), {x, weight}, f, kTolerance});
  }
}

/// Convolutions and the activations behind them. A bias of 4 keeps all values on one side of the kink at
/// zero, one of -4 on the other. Functions whose slope does not follow from their value are recorded on their
/// own.
void add_activations(std::vector<Case>& cases) {
  for (const std::string_view function : kernels::activation_names())
    for (const double bias : {-4., 4.})
      for (const auto& [window, in, out] :
           {std::tuple{Window(3, 1, 1), 3, 4}, {Window(2, 2), 5, 3}, {Window(4), 2, 33}}) {
        const kernels::Activation f = kernels::parse_activation(function);
        const CaseInput x{{2, 4, 4, in}, -1, 1}, b{{out}, bias - 0.2, bias + 0.2};
        const auto add = [&, of = window](const std::string& kind, std::vector<CaseInput> inputs,
                                          std::function<Var(const Inputs&)> call) {
          const std::string what = fmt::format("{} bias {} {}->{} {}", function, bias, in, out, of.str());
          const bool one = has_slope_of_value(f);
          cases.push_back({one ? kind : std::string(function),
                           one ? kind + "/" + what : fmt::format("{}/behind {} {}", function, kind, what),
                           inputs, std::move(call), kTolerance});
        };
        const CaseInput weight{{out, window.h.kernel, window.w.kernel, in}, -0.05, 0.05},
            back{{in, window.h.kernel, window.w.kernel, out}, -0.05, 0.05};
        add("conv2d", {x, weight, b},
            [f, of = window](const Inputs& v) { return conv2d(v[0], v[1], v[2], of, f); });
        add("conv_transpose2d", {x, back, b},
            [f, of = window](const Inputs& v) { return conv_transpose2d(v[0], v[1], v[2], of, f); });
      }
  const kernels::Activation tanh = kernels::activation(kernels::Map::tanh);
  cases.push_back({"conv2d",
                   "conv2d/tanh, a constant bias",
                   {{{2, 4, 4, 3}}, {{4, 3, 3, 3}, -0.3, 0.3}, {{4}, -2, 2, {}, false}},
                   [tanh](const Inputs& v) { return conv2d(v[0], v[1], v[2], Window(3, 1, 1), tanh); },
                   kTolerance});
  cases.push_back({"conv2d",
                   "conv2d/tanh without a bias, used twice",
                   {{{2, 5, 5, 3}}, {{3, 3, 3, 3}}},
                   [tanh](const Inputs& v) {
                     const Window window = Window(3, 1, 1);
                     return conv2d(conv2d(v[0], v[1], {}, window, tanh), v[1], {}, window, tanh) + v[0];
                   },
                   kTolerance});
}

void add_pooling(std::vector<Case>& cases) {
  struct Pool {
    int64_t n, h, w, c;
    Window window;
  };
  const Pool all[] = {{2, 4, 4, 3, Window(2, 2)},
                      {2, 7, 6, 33, Window(3, 2)},
                      {1, 5, 5, 2, Window(3, 1, 1)},
                      {2, 9, 9, 1, Window(4, 4)},
                      {1, 6, 8, 5, {{2, 1, 1}, {3, 2, 0}}},
                      {0, 4, 4, 3, Window(2)},
                      {2, 4, 4, 0, Window(2)},
                      {1, 3, 3, 257, Window(3)}};
  for (const Pool& p : all) {
    const CaseInput x{{p.n, p.h, p.w, p.c}};
    const std::string sizes = fmt::format("{}x{}x{}x{} {}", p.n, p.h, p.w, p.c, p.window.str());
    cases.push_back({"max_pool2d", "max_pool2d/" + sizes, {x}, [window = p.window](const Inputs& v) {
                       return max_pool2d(v[0], window);
                     }});
    cases.push_back({"max_pool2d", "max_pool2d/added " + sizes, {x}, [window = p.window](const Inputs& v) {
                       return sum(max_pool2d(v[0], window)) + sum(square(v[0]));
                     }});
    for (const Divisor divisor : {Divisor::window, Divisor::pixels}) {
      const std::string kind = divisor == Divisor::window ? "avg_pool2d/window " : "avg_pool2d/pixels ";
      cases.push_back({"avg_pool2d", kind + sizes, {x}, [window = p.window, divisor](const Inputs& v) {
                         return avg_pool2d(v[0], window, divisor);
                       }});
    }
    cases.push_back({"avg_pool2d", "avg_pool2d/global " + sizes, {x}, [](const Inputs& v) {
                       return sum(square(global_avg_pool(v[0]))) + sum(v[0]);
                     }});
  }
}

void add_batch_norm_of_images(std::vector<Case>& cases) {
  for (const int64_t c : {1, 3, 33}) {
    const CaseInput x{{3, 5, 4, c}}, gamma{{c}, 0.5, 1.5}, beta{{c}};
    cases.push_back(
        {"batch_norm", fmt::format("batch_norm/images 3x5x4x{}", c), {x, gamma, beta}, [](const Inputs& v) {
           return batch_norm(v[0], v[1], v[2], {}, {}, {});
         }});
  }
}

}  // namespace

void add_image_cases(std::vector<Case>& cases) {
  const size_t first = cases.size();
  add_convolutions(cases);
  add_transposed_convolutions(cases);
  add_activations(cases);
  for (size_t i = first; i < cases.size(); ++i) cases[i].f32_follows_threads = true;
  add_pooling(cases);
  add_batch_norm_of_images(cases);
}

}  // namespace vae::autograd::detail
