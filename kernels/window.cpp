#include "kernels/window.h"

namespace vae::kernels {

Shape Window::output(const char* what, const Shape& images, int64_t channels) const {
  const auto sound = [](const WindowAxis& a) { return a.kernel > 0 && a.stride > 0 && a.padding >= 0; };
  VAE_CHECK(sound(h) && sound(w), "{}: window {}", what, str());
  VAE_CHECK(images.rank() == 4, "{}: images {} are not [n, h, w, channels]", what, images.str());
  const int64_t oh = h.positions(images[1]), ow = w.positions(images[2]);
  VAE_CHECK(oh > 0 && ow > 0, "{}: window {} exceeds the padded images {}", what, str(), images.str());
  return {images[0], oh, ow, channels};
}

std::string Window::str() const {
  return fmt::format("{}x{} stride {}x{} padding {}x{}", h.kernel, w.kernel, h.stride, w.stride, h.padding,
                     w.padding);
}

}  // namespace vae::kernels
