#pragma once
// A recorded function as a graph of ONNX.
#include <map>

#include "tools/export/graph.h"

namespace vae::exporter {

/// What parameters and buffers are called, by where they lie.
using TensorNames = std::map<const void*, std::string>;

/// The extents of images NHWC as NCHW; others as they are.
Extents channels_first(const Extents& extents);

/// Images are NHWC here and NCHW there: inputs, outputs and all that is between. Throws Error(usage) naming a
/// function that has no translation.
Graph translate(const Function& function, const Recording& recording, const TensorNames& names);

}  // namespace vae::exporter
