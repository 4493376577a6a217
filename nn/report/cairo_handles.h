#pragma once
// Objects of cairo that end with their scope.
#include <cairo.h>

#include <memory>

namespace vae::report {

struct DestroyCairo {
  void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_scaled_font_t* font) const { cairo_scaled_font_destroy(font); }
};
using CairoContext = std::unique_ptr<cairo_t, DestroyCairo>;
using CairoSurface = std::unique_ptr<cairo_surface_t, DestroyCairo>;
using CairoFont = std::unique_ptr<cairo_scaled_font_t, DestroyCairo>;

}  // namespace vae::report
