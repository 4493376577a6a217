#pragma once
// Options that choose a data set, the same for every tool.
#include "data/load.h"
#include "tools/common/option_table.h"

namespace vae::tool {

/// Where a set lies, what its images and labels are, and what a synthetic one is. A $VAE_DATA_DIR that is
/// relative counts as --data-dir, so that a run finds its data from elsewhere, too.
void describe(const OptionTable& table, data::DatasetOptions& o);

/// "32x32": height and width.
Spelling<data::ImageSize> image_size();

/// What a user may want to know of a loaded set: "ignored: 3 files that are no pictures (.txt)", "warning:
/// all 12 images are equal".
std::vector<std::string> remarks_on(const data::Dataset& set);

}  // namespace vae::tool
