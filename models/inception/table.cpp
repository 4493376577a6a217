#include "models/inception/table.h"

namespace vae::inception {
namespace {

using Kind = Layer::Kind;

Layer unit(std::string name, int64_t channels, const Window& window = 1) {
  return {Kind::unit, window, std::move(name), channels};
}
Layer max_pool(const Window& window) { return {Kind::max_pool, window}; }
Layer average_pool() { return {Kind::average_pool, {3, 1, 1}}; }

/// Windows of stride one that keep the size of the images.
Window same(int64_t h, int64_t w) { return {{h, 1, h / 2}, {w, 1, w / 2}}; }
/// About half the size.
const Window kHalf{3, 2};

Block alone(const char* name, Layer layer) { return {name, {{.layers = {std::move(layer)}}}}; }

/// Units are named within their block.
Block block(const std::string& name, std::vector<Branch> branches) {
  for (Branch& branch : branches)
    for (std::vector<Layer>* layers : {&branch.layers, &branch.ends})
      for (Layer& layer : *layers)
        if (layer.kind == Kind::unit) layer.unit = name + "." + layer.unit;
  return {name, std::move(branches)};
}

Block block_a(const char* name, int64_t pooled) {
  return block(name, {{{unit("branch1x1", 64)}},
                      {{unit("branch5x5_1", 48), unit("branch5x5_2", 64, same(5, 5))}},
                      {{unit("branch3x3dbl_1", 64), unit("branch3x3dbl_2", 96, same(3, 3)),
                        unit("branch3x3dbl_3", 96, same(3, 3))}},
                      {{average_pool(), unit("branch_pool", pooled)}}});
}

Block block_b(const char* name) {
  return block(name, {{{unit("branch3x3", 384, kHalf)}},
                      {{unit("branch3x3dbl_1", 64), unit("branch3x3dbl_2", 96, same(3, 3)),
                        unit("branch3x3dbl_3", 96, kHalf)}},
                      {{max_pool(kHalf)}}});
}

Block block_c(const char* name, int64_t c) {
  return block(
      name,
      {{{unit("branch1x1", 192)}},
       {{unit("branch7x7_1", c), unit("branch7x7_2", c, same(1, 7)), unit("branch7x7_3", 192, same(7, 1))}},
       {{unit("branch7x7dbl_1", c), unit("branch7x7dbl_2", c, same(7, 1)),
         unit("branch7x7dbl_3", c, same(1, 7)), unit("branch7x7dbl_4", c, same(7, 1)),
         unit("branch7x7dbl_5", 192, same(1, 7))}},
       {{average_pool(), unit("branch_pool", 192)}}});
}

Block block_d(const char* name) {
  return block(name, {{{unit("branch3x3_1", 192), unit("branch3x3_2", 320, kHalf)}},
                      {{unit("branch7x7x3_1", 192), unit("branch7x7x3_2", 192, same(1, 7)),
                        unit("branch7x7x3_3", 192, same(7, 1)), unit("branch7x7x3_4", 192, kHalf)}},
                      {{max_pool(kHalf)}}});
}

Block block_e(const char* name, const Layer& pool) {
  return block(
      name, {{{unit("branch1x1", 320)}},
             {.layers = {unit("branch3x3_1", 384)},
              .ends = {unit("branch3x3_2a", 384, same(1, 3)), unit("branch3x3_2b", 384, same(3, 1))}},
             {.layers = {unit("branch3x3dbl_1", 448), unit("branch3x3dbl_2", 384, same(3, 3))},
              .ends = {unit("branch3x3dbl_3a", 384, same(1, 3)), unit("branch3x3dbl_3b", 384, same(3, 1))}},
             {{pool, unit("branch_pool", 192)}}});
}

Block trunk(const char* name, int64_t channels, const Window& window) {
  return alone(name, unit(name, channels, window));
}

}  // namespace

const std::vector<Block>& blocks() {
  static const std::vector<Block> all{trunk("Conv2d_1a_3x3", 32, kHalf),
                                      trunk("Conv2d_2a_3x3", 32, 3),
                                      trunk("Conv2d_2b_3x3", 64, same(3, 3)),
                                      alone("maxpool1", max_pool(kHalf)),
                                      trunk("Conv2d_3b_1x1", 80, 1),
                                      trunk("Conv2d_4a_3x3", 192, 3),
                                      alone("maxpool2", max_pool(kHalf)),
                                      block_a("Mixed_5b", 32),
                                      block_a("Mixed_5c", 64),
                                      block_a("Mixed_5d", 64),
                                      block_b("Mixed_6a"),
                                      block_c("Mixed_6b", 128),
                                      block_c("Mixed_6c", 160),
                                      block_c("Mixed_6d", 160),
                                      block_c("Mixed_6e", 192),
                                      block_d("Mixed_7a"),
                                      block_e("Mixed_7b", average_pool()),
                                      block_e("Mixed_7c", max_pool({3, 1, 1}))};
  return all;
}

void for_units(const std::function<void(const Layer& unit, int64_t in)>& body) {
  int64_t before = 3;
  for (const Block& block : blocks()) {
    int64_t behind = 0;
    for (const Branch& branch : block.branches) {
      int64_t channels = before;
      const auto pass = [&](const Layer& layer) {
        if (layer.kind != Kind::unit) return channels;
        body(layer, channels);
        return layer.channels;
      };
      for (const Layer& layer : branch.layers) channels = pass(layer);
      for (const Layer& layer : branch.ends) behind += pass(layer);
      if (branch.ends.empty()) behind += channels;
    }
    before = behind;
  }
}

std::map<std::string, Shape> state_shapes() {
  std::map<std::string, Shape> shapes{{"fc.weight", {1008, 2048}}, {"fc.bias", {1008}}};
  for_units([&](const Layer& unit, int64_t in) {
    const auto& [h, w] = unit.window;
    shapes[unit.unit + ".conv.weight"] = {unit.channels, in, h.kernel, w.kernel};
    for (const char* name : {"weight", "bias", "running_mean", "running_var"})
      shapes[unit.unit + ".bn." + name] = {unit.channels};
  });
  return shapes;
}

}  // namespace vae::inception
