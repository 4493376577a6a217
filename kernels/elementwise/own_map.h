#pragma once
// Elementwise functions outside of list.h: those of a program. They get an enumerator of their own, under
// which kernels, differentiable functions and checks treat them like the others.
#include <string>
#include <typeinfo>

#include "kernels/elementwise/map.h"

namespace vae::kernels {

/// The loops of one function on one kind of device, over frames that are checked.
struct MapLoops {
  void (*fwd)(Params, const Frame&, Out y);
  void (*bwd)(Params, int wrt, const Frame&, In y, Out dx, bool add);
  void (*rowsum)(Params, const Frame&, Out y);
};

struct OwnMap {
  std::string name, signature;  ///< "Swish", "Swish(x)"; of two operands "(x0, x1)"
  int arity = 1;
  bool surrogate = false;
  const MapLoops* loops[kDeviceTypes] = {};  ///< none on devices that it was not compiled for
};

/// The enumerator of a further function. Throws Error(usage) for more than 256 of them.
Map add_map(OwnMap function);
/// A function that was added; none for those of list.h.
const OwnMap* own_map(Map op);
/// Its loops on a kind of device; none for a function of list.h. Throws Error(device) where it has none
/// there.
const MapLoops* own_loops(Map op, DeviceType device);

/// Called as its struct is, without loops as yet: "Swish" of app::Swish.
OwnMap named_map(const std::type_info& type, int arity);

}  // namespace vae::kernels
