#pragma once
// Golden files of M1, M2 and M1+M2: the models and trainers of models/m1_m2 run on a file's numbers, and the
// split of data/split.h.
#include "m1_m2_values.h"

namespace vae::golden {

/// The family "m1-m2".
Family m1_m2_family();

/// Run the trainer on a case; everything that a file may hold of it.
Values run_m1(const File& file, const M1M2Case& c, Source& source, DType dtype);
Values run_m2(const File& file, const M1M2Case& c, Source& source, DType dtype);

/// Whether a file has test-mode results.
bool has_evaluation(const File& file);

/// Sets the tolerance of each tensor of a file, and the updates behind it. `file` must outlive the outcome.
void set_m1_m2_tolerances(Outcome& outcome, const File& file, const M1M2Case& c, DType precision);

}  // namespace vae::golden
