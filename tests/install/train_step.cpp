// Trains M2 on synthetic digits with the installed package; fails if the loss does not fall.
#include <vaekit/data/synthetic.h>
#include <vaekit/models/m1_m2/recipe.h>
#include <vaekit/nn/report/image_grid.h>
#include <vaekit/nn/train/image_set.h>
#include <vaekit/nn/train/task.h>

#include <cstdio>

#include "data/dataset.h"

int main() {
  [[maybe_unused]] const user::Dataset own;
  const vae::data::Dataset digits = vae::data::synthetic_digits(200, vae::data::Part::train, 1);
  const vae::train::ImageSet images{digits.images, digits.labels};
  const auto items = [](int64_t begin, int64_t end) { return vae::train::item_range(begin, end, vae::kCpu); };

  vae::m1_m2::M2Recipe recipe(
      {}, {.train = images, .test = images, .split = {items(0, 100), items(100, 180), items(180, 200)}}, {});
  vae::train::Task task(recipe, {});
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
