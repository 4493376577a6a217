#include "tensor/shape.h"

#include <fmt/format.h>

namespace vae {

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(extents(), ", ")); }

}  // namespace vae
