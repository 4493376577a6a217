#pragma once
// FID-Inception-v3 as a table: the Inception-v3 of 2015-12-05 (Szegedy et al., arXiv:1512.00567) by whose
// features the Frechet distance of images is defined. It differs from the usual Inception-v3: average pools
// do not count padding, the last block pools by maximum, there are 1008 classes.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/window.h"

namespace vae::inception {

using kernels::Window;

/// A unit (convolution without bias, batch norm, ReLU) or a pool.
struct Layer {
  enum class Kind { unit, max_pool, average_pool } kind;
  Window window;
  std::string unit{};    ///< the path of a unit in the net: "Mixed_5b.branch1x1"
  int64_t channels = 0;  ///< that a unit makes
};

/// Layers one behind the other; where there are `ends`, these stand side by side behind them.
struct Branch {
  std::vector<Layer> layers, ends{};
};

/// Branches that see the same images; their results stand side by side.
struct Block {
  std::string name;
  std::vector<Branch> branches;
};

/// The net up to the last block, which makes 2048 channels of 8x8 pixels.
const std::vector<Block>& blocks();

/// Calls body(unit, channels before it) for every unit, in the order of the table.
void for_units(const std::function<void(const Layer& unit, int64_t in)>& body);

/// Names and shapes of the tensors as they are published, convolutions [out, in, h, w], with those of the
/// classifier ("fc") and without counters of batches.
std::map<std::string, Shape> state_shapes();

}  // namespace vae::inception
