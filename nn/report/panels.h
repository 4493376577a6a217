#pragma once
// Several figures as one.
#include <vector>

#include "nn/report/figure.h"

namespace vae::report {

/// The figures side by side, row by row over so many columns; those without a drawing leave their place
/// empty. Each place is as large as the largest figure. Throws Error(internal) without figures or columns.
Figure panels(std::vector<Figure> figures, int columns);

}  // namespace vae::report
