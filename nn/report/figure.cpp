#include "nn/report/figure.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>

#include <algorithm>
#include <map>

#include "nn/report/cairo_canvas.h"
#include "nn/report/cairo_handles.h"
#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::report {
namespace {

constexpr double kPointsPerPixel = 72.0 / 96;

void check(cairo_status_t status) {
  VAE_CHECK(status == CAIRO_STATUS_SUCCESS, "cannot draw a figure: {}", cairo_status_to_string(status));
}

/// The figure on a white surface, of which a unit is so many pixels of the figure.
void draw_on(cairo_surface_t* surface, const Figure& figure, double scale, bool vector) {
  check(cairo_surface_status(surface));
  const CairoContext cairo(cairo_create(surface));
  cairo_scale(cairo.get(), scale, scale);
  CairoCanvas canvas(cairo.get(), vector);
  canvas.rectangle({0, 0}, {1.0 * figure.width, 1.0 * figure.height}, kPaper);
  figure.draw(canvas);
  check(cairo_status(cairo.get()));
}

cairo_status_t append(void* text, const unsigned char* data, unsigned length) {
  static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

void finish(cairo_surface_t* surface) {
  cairo_surface_finish(surface);
  check(cairo_surface_status(surface));
}

/// The SVG with its ids numbered in their order: cairo counts all surfaces of the process.
std::string renumbered(const std::string& svg) {
  std::map<std::string, size_t> numbers;
  std::string text;
  size_t done = 0;
  constexpr const char* kMarks = "\"#";  // of id="ID", href="#ID" and url(#ID)
  for (size_t at = svg.find_first_of(kMarks); at != std::string::npos;
       at = svg.find_first_of(kMarks, at + 1)) {
    const bool named = at >= 4 && svg.compare(at - 4, 4, " id=") == 0;
    if (!named && svg[at] != '#') continue;
    const size_t begin = at + 1, end = std::min(svg.find_first_of("\")", begin), svg.size());
    const size_t number = numbers.emplace(svg.substr(begin, end - begin), numbers.size()).first->second;
    text += svg.substr(done, begin - done) + fmt::format("n{}", number);
    done = at = end;
  }
  return text + svg.substr(done);
}

}  // namespace

std::string Figure::svg() const {
  std::string text;
  const CairoSurface surface(cairo_svg_surface_create_for_stream(append, &text, width, height));
  cairo_svg_surface_set_document_unit(surface.get(), CAIRO_SVG_UNIT_PX);
  draw_on(surface.get(), *this, 1, true);
  finish(surface.get());
  return renumbered(text);
}

std::string Figure::pdf() const {
  std::string text;
  const CairoSurface surface(
      cairo_pdf_surface_create_for_stream(append, &text, width * kPointsPerPixel, height * kPointsPerPixel));
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
  draw_on(surface.get(), *this, kPointsPerPixel, true);
  finish(surface.get());
  return text;
}

Image Figure::image(int scale) const {
  const CairoSurface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width * scale, height * scale));
  draw_on(surface.get(), *this, scale, false);
  cairo_surface_flush(surface.get());
  Image image = blank_image(width * scale, height * scale, 3, 255);
  const unsigned char* pixels = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  uint8_t* to = image.pixels.data();
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const uint32_t pixel = reinterpret_cast<const uint32_t*>(pixels + ptrdiff_t{y} * stride)[x];
      for (const int shift : {16, 8, 0}) *to++ = static_cast<uint8_t>(pixel >> shift);
    }
  return image;
}

void Figure::write(const std::filesystem::path& path) const {
  if (path.extension() == ".svg")
    write_file_atomically(path, svg());
  else if (path.extension() == ".pdf")
    write_file_atomically(path, pdf());
  else if (path.extension() == ".png")
    write_png(path, image());
  else
    fail(ErrorKind::usage, "cannot write a figure to '{}': expected a name ending in .png, .svg or .pdf",
         path.string());
}

}  // namespace vae::report
