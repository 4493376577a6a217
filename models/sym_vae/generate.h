#pragma once
// Images that a trained model makes: of random codes, and those that a Markov chain x -> z -> x tends to.
// Tensors of what decode() says are logits or means [n, 784].
#include <functional>

#include "models/sym_vae/sym_vae.h"
#include "nn/report/image.h"
#include "nn/train/image_set.h"

namespace vae::sym_vae {

class SymVaeRecipe;

/// What a chain begins with: fair random bits, or uniform noise in [0, 1); noise "start".
Tensor start_of_chain(const SymVae& model, int64_t images, const train::Step& step);

/// What decode() says of codes of the prior; noise "z0", "z1".
Tensor random_images(const SymVae& model, int64_t images, const train::Step& step);
/// The same after `steps` steps of chains from start_of_chain(), and one more; noise in scopes
/// "step0", "step1", ..., "final"
Tensor limiting_images(const SymVae& model, int64_t images, int64_t steps, const train::Step& step);
/// The same from given images.
Tensor limiting_images(const SymVae& model, const Tensor& start, int64_t steps, const train::Step& step);
/// Images drawn in the last of so many steps of chains that begin with given ones; noise as before, notes "x"
/// and "decoded" in each scope.
Tensor chain_of(const SymVae& model, const Tensor& start, int64_t steps, const train::Step& step,
                const std::function<void()>& on_step = {});

/// Images made batch by batch, and their codes. On the CPU.
struct MadeSet {
  Tensor images;  ///< u8 [n, 28, 28, 1], as bytes_of() makes them
  Tensor z0, z1;  ///< u8 [n, nz0], [n, nz1]
};
/// Told how many passes through the nets are done, of passes_of().
using OnPass = std::function<void(int64_t done)>;
inline constexpr int64_t kSetBatch = 1000;
/// Of a set after chains of so many steps.
int64_t passes_of(int64_t images, int64_t steps);

/// Images of random codes, and the codes.
MadeSet random_set(const SymVae& model, int64_t images, const train::Step& step, const OnPass& on_pass);
/// Images after chains of so many steps and one more, and the codes of the last. The chains begin with images
/// drawn from the model.
MadeSet limiting_set(const SymVae& model, int64_t images, int64_t steps, const train::Step& step,
                     const OnPass& on_pass);

/// Given images, and one draw of the codes of each.
MadeSet posterior_set(const SymVae& model, const train::ImageSet& images, const train::Step& step,
                      const OnPass& on_pass);

/// floor(255 v + 1/2), limited to bytes.
uint8_t byte_of(float value);
/// What an image file holds: bytes of the mean image; of bits 255 where the likelier value is 1, else 0. u8
/// [n, 28, 28, 1] on the CPU.
Tensor bytes_of(const SymVae& model, const Tensor& decoded);

/// Values of images [n, 784] as a grid of at most so many columns, with black gaps of two pixels.
report::Image image_rows(const std::vector<float>& images, int columns);
/// The same of the mean images of what decode() says, ten to a row.
report::Image generated(const SymVae& model, const Tensor& decoded);
/// Rows of ten: images of a batch, their decoded codes, images of random codes, the training's chain one step
/// on; of grey values the last as drawn and as its mean.
report::Image snapshot(const SymVaeRecipe& recipe, const train::Step& step);

}  // namespace vae::sym_vae
