// Trains M2 on synthetic digits with the installed package; fails if the loss does not fall.
#include <cstdio>

#include "data/synthetic.h"
#include "models/m1_m2/task.h"
#include "nn/report/image_grid.h"

int main() {
  const vae::data::Dataset digits = vae::data::synthetic_digits(200, vae::data::Part::train, 1);
  const vae::models::ImageSet images{digits.images, digits.labels};
  const auto items = [](int64_t begin, int64_t end) {
    return vae::models::item_range(begin, end, vae::kCpu);
  };

  vae::models::M2 model(vae::models::M2Config{}, {});
  vae::models::M2Task task({&model}, images, {items(0, 100), items(100, 180), items(180, 200)}, images, {});
  task.step();
  const double first = task.drain().front().value;
  for (int i = 0; i < 10; ++i) task.step();
  const double later = task.drain().front().value;
  std::printf("loss %.1f, then %.1f nats\n", first, later);

  const std::vector<float> pixels(4, 0.5F);
  vae::report::GridOptions grid;
  grid.tile_height = grid.tile_width = 2;
  return later < first && vae::report::image_grid(pixels, grid).width > 0 ? 0 : 1;
}
