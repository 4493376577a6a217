#pragma once
// Pooling of NHWC images: a window per output pixel, every channel for itself. Padding holds no pixels: it is
// never a maximum; in averages it counts as zeros or not at all.
#include "kernels/window.h"

namespace vae::kernels {

/// What an average is divided by: the size of the window, or the number of pixels of the image under it.
enum class Divisor : bool { window, pixels };

/// Checked sizes of images x and their pooled y; throws naming `kernel`. At most half of a kernel may be
/// padding, so every window covers a pixel.
Sliding pool_sizes(const char* kernel, In x, In y, const Window& window);
/// As pool_sizes(); index is i32 of the shape of y, the position row * w + column of each maximum, first of
/// equals. A NaN counts as larger than any number.
Sliding max_pool_sizes(const char* kernel, In x, In y, In index, const Window& window);

}  // namespace vae::kernels
