#pragma once
// Golden files of the ADGM family: models and trainer of models/adgm on a file's numbers.
#include "adgm_case.h"

namespace vae::golden {

/// The family "adgm".
Family adgm_family();

/// Sets the tolerance of each tensor of a file, and the updates behind it. `file` must outlive the outcome.
void set_adgm_tolerances(Outcome& outcome, const File& file, const AdgmCase& c, DType precision);

}  // namespace vae::golden
