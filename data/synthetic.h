#pragma once
// Synthetic handwritten digits, drawn from strokes of our own: the data set that is always there. Image i of
// (seed, part) is a pure function of these three, whatever the size of the set, the machine or the number of
// threads.
#include "data/dataset.h"
#include "data/places.h"

namespace vae::data {

/// `count` grey digits of 28x28 in the manner of MNIST (white ink on black); every ten in a row hold each
/// class once, in random order. Throws Error(usage) if count is not positive.
Dataset synthetic_digits(int64_t count, Part part, uint64_t seed);

/// Digits of 32x32 in colour on mottled backgrounds of another one, otherwise likewise. Neither colour says
/// anything of the class.
Dataset synthetic_color_digits(int64_t count, Part part, uint64_t seed);

}  // namespace vae::data
