#pragma once
// Golden files of the ADGM family: models and trainer of models/adgm on a file's numbers.
#include "adgm_case.h"

namespace vae::golden {

/// The family "adgm".
Family adgm_family();

/// The family's tolerance of each tensor of a file. `file` must outlive the function.
std::function<std::optional<Tolerance>(const std::string&)> adgm_tolerance(const File& file,
                                                                           const AdgmCase& c,
                                                                           DType precision);

}  // namespace vae::golden
