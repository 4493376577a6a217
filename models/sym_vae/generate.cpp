#include "models/sym_vae/generate.h"

#include <algorithm>
#include <cmath>

#include "models/sym_vae/recipe.h"
#include "nn/report/image_grid.h"
#include "tensor/compare.h"

namespace vae::sym_vae {
namespace {

constexpr int kColumns = 10;

}  // namespace

uint8_t byte_of(float value) {
  return static_cast<uint8_t>(std::clamp(std::floor(255 * value + 0.5f), 0.0f, 255.0f));
}

Tensor start_of_chain(const SymVae& model, int64_t images, const train::Step& step) {
  const Var uniform = step.uniform("start", images, kPixels);
  if (!model.has_bits()) return uniform.value();
  return autograd::bernoulli(Var(number(model, 0.5)), uniform.value()).value();
}

Tensor random_images(const SymVae& model, int64_t images, const train::Step& step) {
  return model.decode(model.draw_codes(images, step).z1).value();
}

Tensor chain_of(const SymVae& model, const Tensor& start, int64_t steps, const train::Step& step,
                const std::function<void()>& on_step) {
  Var x(start);
  const int64_t images = start.size(0);
  for (int64_t i = 0; i < steps; ++i) {
    const train::Step of_step = step.in(fmt::format("step{}", i));
    const Var decoded = model.chain(x, images, of_step);
    x = model.draw_images(decoded, images, of_step);
    of_step.note("decoded", decoded), of_step.note("x", x);
    if (on_step) on_step();
  }
  return x.value();
}

Tensor limiting_images(const SymVae& model, const Tensor& start, int64_t steps, const train::Step& step) {
  return model.chain(Var(chain_of(model, start, steps, step)), start.size(0), step.in("final")).value();
}

Tensor limiting_images(const SymVae& model, int64_t images, int64_t steps, const train::Step& step) {
  return limiting_images(model, start_of_chain(model, images, step), steps, step);
}

namespace {

Tensor bits_of(const Var& z) {
  const std::vector<double> values = to_doubles(z.value());
  return Tensor::from(std::vector<uint8_t>(values.begin(), values.end()), z.shape());
}

/// Images and codes of a batch.
MadeSet made(const SymVae& model, const Codes& codes, const Tensor& images) {
  return {images.defined() ? images : bytes_of(model, model.decode(codes.z1).value()), bits_of(codes.z0),
          bits_of(codes.z1)};
}

/// A set of batches [begin, end) that make(begin, end, step) gives.
template <class Make>
MadeSet made_of(const SymVae& model, int64_t images, const train::Step& step, const Make& make) {
  const Config& c = model.config();
  MadeSet set{Tensor::empty({images, kSide, kSide, 1}, DType::u8), Tensor::empty({images, c.nz0}, DType::u8),
              Tensor::empty({images, c.nz1}, DType::u8)};
  for (int64_t begin = 0; begin < images; begin += kSetBatch) {
    const int64_t end = std::min(images, begin + kSetBatch);
    const MadeSet batch = make(begin, end, step.numbered(begin / kSetBatch));
    set.images.slice(begin, end).copy_from(batch.images);
    set.z0.slice(begin, end).copy_from(batch.z0), set.z1.slice(begin, end).copy_from(batch.z1);
  }
  return set;
}

}  // namespace

int64_t passes_of(int64_t images, int64_t steps) {
  return (images + kSetBatch - 1) / kSetBatch * (steps + 1);
}

MadeSet random_set(const SymVae& model, int64_t images, const train::Step& step, const OnPass& on_pass) {
  int64_t passes = 0;
  return made_of(model, images, step, [&](int64_t begin, int64_t end, const train::Step& of_batch) {
    const MadeSet batch = made(model, model.draw_codes(end - begin, of_batch), {});
    on_pass(++passes);
    return batch;
  });
}

MadeSet limiting_set(const SymVae& model, int64_t images, int64_t steps, const train::Step& step,
                     const OnPass& on_pass) {
  int64_t passes = 0;
  const auto passed = [&] { on_pass(++passes); };
  return made_of(model, images, step, [&](int64_t begin, int64_t end, const train::Step& of_batch) {
    const int64_t n = end - begin;
    const Tensor start = model.draw(n, of_batch.in("start")).x.value();
    const Var x(chain_of(model, start, steps, of_batch, passed));
    const MadeSet batch = made(model, model.encode(x, n, of_batch.in("final")), {});
    passed();
    return batch;
  });
}

MadeSet posterior_set(const SymVae& model, const train::ImageSet& images, const train::Step& step,
                      const OnPass& on_pass) {
  int64_t passes = 0;
  return made_of(model, images.size(), step, [&](int64_t begin, int64_t end, const train::Step& of_batch) {
    const Var x(images.gather(train::item_range(begin, end, images.device())));
    const MadeSet batch =
        made(model, model.encode(x, end - begin, of_batch), images.pixels.slice(begin, end).to(kCpu));
    on_pass(++passes);
    return batch;
  });
}

Tensor bytes_of(const SymVae& model, const Tensor& decoded) {
  const std::vector<double> values = to_doubles(model.mean_of(Var(decoded)));
  std::vector<uint8_t> bytes(values.size());
  std::ranges::transform(values, bytes.begin(), [bits = model.has_bits()](double v) -> uint8_t {
    return bits ? (v > 0.5 ? 255 : 0) : byte_of(static_cast<float>(v));
  });
  return Tensor::from(bytes, {decoded.size(0), kSide, kSide, 1});
}

report::Image image_rows(const std::vector<float>& images, int columns) {
  const auto count = static_cast<int>(images.size() / kPixels);
  columns = std::clamp(count, 1, columns);
  const int rows = (count + columns - 1) / columns;
  return report::image_grid(images, {.rows = rows,
                                     .columns = columns,
                                     .tile_height = kSide,
                                     .tile_width = kSide,
                                     .range = report::TileRange::unit,
                                     .padding = 2,
                                     .scale = 1,
                                     .background = 0});
}

report::Image generated(const SymVae& model, const Tensor& decoded) {
  return image_rows(model.mean_of(Var(decoded)).to_vector<float>(), kColumns);
}

report::Image snapshot(const SymVaeRecipe& recipe, const train::Step& step) {
  const SymVae& model = recipe.model();
  std::vector<float> rows;
  auto add = [&, size = size_t{0}](const Tensor& images) mutable {
    const std::vector<float> values = images.to_vector<float>();
    rows.insert(rows.end(), values.begin(), values.end());
    rows.resize(size += kColumns * kPixels);  // black where images are missing
  };
  const train::Step s = step.in("snapshot");
  const Var x(recipe.images().gather(train::random_items(recipe.images(), kColumns, s.key("snapshot"))));
  const int64_t images = x.shape()[0];
  const Var corrupted = recipe.corrupted(x, images, s);
  const bool elbo = recipe.settings().learning == Learning::elbo;
  const bool of_clean = elbo && model.has_bits() && model.config().encoder == EncoderKind::reverse;
  add((model.has_bits() || elbo ? x : corrupted).value());
  add(model.mean_of(model.chain(of_clean ? x : corrupted, images, s.in("codes"))));
  add(model.mean_of(Var(random_images(model, kColumns, s.in("random")))));
  const int64_t chains = recipe.settings().chains;
  const Var next = model.chain(Var(recipe.chain()), chains, s.in("chain"));
  if (!model.has_bits()) add(model.draw_images(next, chains, s.in("chain")).value());
  add(model.mean_of(next));
  return image_rows(rows, kColumns);
}

}  // namespace vae::sym_vae
