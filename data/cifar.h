#pragma once
// The binary versions of CIFAR-10 and CIFAR-100: records of one label (CIFAR-100: coarse, then fine, which
// counts) and 32x32 pixels, all red ones before all green and all blue ones.
#include "data/dataset.h"
#include "data/places.h"

namespace vae::data {

/// One part of "cifar10" or "cifar100", with the names of the classes where a file lists them. Throws
/// Error(io) if a file cannot be read, Error(data) naming the file, and the record where there is one: empty,
/// no whole number of records, a label that is no class; a damaged archive, or one without such a file; a
/// list of names that does not name each class.
Dataset read_cifar(const std::string& name, Part part, const FoundFiles& found);

}  // namespace vae::data
