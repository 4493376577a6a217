#pragma once
// SVHN's cropped digits: train_32x32.mat and test_32x32.mat, with the variables X (uint8, 32x32x3xN) and y (N
// labels, of which 10 means 0).
#include "data/dataset.h"
#include "data/places.h"

namespace vae::data {

/// Throws as read_mat() does, Error(io) if the file cannot be read, and Error(data) for variables of another
/// type, dimensions or number, and for labels other than 1 to 10.
Dataset read_svhn(Part part, const std::filesystem::path& path);

}  // namespace vae::data
