#pragma once
// The two-layer VAE of binary codes, p(z0) p(z1|z0) p(x|z1), and its two ways of learning: symmetric
// equilibrium learning (Flach, Schlesinger, Shekhovtsov, "Symmetric equilibrium learning of VAEs", AISTATS
// 2024, arXiv:2307.09883) and the ELBO with the ZGR estimator of gradients through bits.
#include <optional>

#include "models/sym_vae/nets.h"
#include "models/sym_vae/statistics.h"
#include "nn/train/step.h"

namespace vae::sym_vae {

/// q(z0|x) q(z1|z0,x), whose second factor is the prior p(z1|z0) tilted by logits of the image; or q(z1|x)
/// q(z0|z1), which shares nothing with p.
enum class EncoderKind { ladder, reverse };

struct Config {
  EncoderKind encoder = EncoderKind::ladder;
  /// Bits, or Gaussians with one learned deviation.
  nn::LikelihoodKind likelihood = nn::LikelihoodKind::bernoulli;
  int64_t nz0 = 30, nz1 = 100;
  int64_t width = 32;           ///< channels of the outer convolutions
  int64_t encoder_units = 600;  ///< behind the convolutions of the encoder
  int64_t prior_units = 600;    ///< of the net z0 -> z1
  int64_t code_units = 600;     ///< of the net z1 -> z0 of the reverse encoder
  kernels::Activation decoder_activation = kernels::activation(kernels::Map::tanh);
};

/// p: the prior's net, the decoder and, of Gaussians, the logarithm of their deviation.
class Generator : public nn::Module {
 public:
  Generator(Module* parent, const Config& c);
  /// Logits [B, nz1] of p(z1|z0).
  Var prior(const Var& z0) const { return prior_(z0, z0); }
  /// Logits, or means, of the pixels [B, 784].
  Var decode(const Var& z1) const { return decoder_(z1); }
  /// One number; undefined for bits.
  Var log_sigma;

 private:
  SkipNet prior_;
  ImageDecoder decoder_;
};

/// x [B, 784] -> logits (a0 [B, nz0], a1 [B, nz1]) of the bits, but for the prior's share in those of z1.
class LadderEncoder : public nn::Module {
 public:
  struct Logits {
    Var a0, a1;
  };
  LadderEncoder(Module* parent, const Config& c);
  Logits operator()(const Var& x) const;

 private:
  Trunk trunk_;
  nn::Linear z1_;
  SkipNet z0_;
};

/// The factors of q(z1|x) q(z0|z1), as logits.
class ReverseEncoder : public nn::Module {
 public:
  ReverseEncoder(Module* parent, const Config& c);
  Var z1(const Var& x) const { return z1_(trunk_(x)); }
  Var z0(const Var& z1) const { return z0_(autograd::tanh(first_(z1)), z1); }

 private:
  nn::Module of_image_, of_code_;
  Trunk trunk_;
  nn::Linear z1_, first_;
  SkipNet z0_;
};

/// Bits drawn from q(.|x), or from p, and the logits they were drawn with.
struct Codes {
  Var z0{}, z1{};
  Var logits0{}, logits1{};  ///< of the distribution that the bits were drawn from; logits0 undefined: 1/2
  Var prior{};               ///< logits of p(z1|z0), where they are part of the others or were drawn from
};

/// What a generator draws from nothing.
struct Drawn {
  Codes codes;
  Var x;  ///< [B, 784]
};

/// Means over a batch, nats per image.
struct GeneratorLosses {
  Var z1, x, total;  ///< -log p(z1|z0), -log p(x|z1)
};
struct EncoderLosses {
  Var z0, z1, total;  ///< -log q of the bits
};
/// The negative ELBO: with the ladder's divergences in closed form; of the reverse encoder `kl` alone, from
/// one sample.
struct ElboLosses {
  Var data, kl0, kl1, kl, total;
};

class SymVae : public nn::Module {
 public:
  /// Throws Error(usage) for sizes that make no model.
  SymVae(const Config& config, nn::Options options);

  const Config& config() const { return config_; }
  bool has_bits() const { return config_.likelihood == nn::LikelihoodKind::bernoulli; }
  nn::Module& generator() { return generator_; }
  nn::Module& encoder() { return encoder_; }

  /// Bits of q(.|x), with the gradient of ZGR; noise "z0", "z1".
  Codes encode(const Var& x, train::Share batch, const train::Step& step) const;
  /// The code z1 of q(.|x) alone, all that a decoder sees.
  Var encode_z1(const Var& x, train::Share batch, const train::Step& step) const;
  /// Bits of the prior; noise "z0", "z1".
  Codes draw_codes(train::Share batch, const train::Step& step) const;
  /// Bits of the prior and an image of each; noise "z0", "z1", "x".
  Drawn draw(train::Share batch, const train::Step& step) const;
  /// Logits [B, nz1] of p(z1|z0).
  Var prior(const Var& z0) const { return generator_.prior(z0); }
  /// Logits, or means, of the pixels [B, 784].
  Var decode(const Var& z1) const { return generator_.decode(z1); }
  /// Probabilities, or means, of what decode() says.
  Tensor mean_of(const Var& decoded) const;
  /// Images drawn from what decode() says; noise "x".
  Var draw_images(const Var& decoded, train::Share batch, const train::Step& step) const;
  /// What decode() says after one step of the Markov chain x -> z1; noise "z0", "z1".
  Var chain(const Var& x, train::Share batch, const train::Step& step) const {
    return decode(encode_z1(x, batch, step));
  }

  /// The generator's objective of symmetric learning, given codes of images x, constants here; their logits
  /// of the prior are used where they can be differentiated.
  GeneratorLosses generator_losses(const Var& x, const Codes& codes, train::Share batch,
                                   const train::Step& step) const;
  /// The encoder's, given what the generator has drawn.
  EncoderLosses encoder_losses(const Drawn& drawn, train::Share batch, const train::Step& step) const;
  /// Noise "z0", "z1".
  ElboLosses elbo_losses(const Var& x, train::Share batch, const train::Step& step) const;
  /// log p(x, z) - log q(z|x) per row for z drawn from q, nats; noise "z0", "z1".
  Var log_weight(const Var& x, train::Share batch, const train::Step& step) const;

  /// What the bits tell, of the ladder alone.
  const std::optional<CodeStatistics>& statistics() const { return statistics_; }
  /// Adds bits of the prior and of images x to the statistics; noise "statp/z0", "statq/z0".
  void add_statistics(const Var& x, train::Share batch, const train::Step& step) const;

 private:
  /// All but z1 and, of the reverse encoder, z0.
  Codes posterior(const Var& x, train::Share batch, const train::Step& step) const;
  Var draw_z0(train::Share batch, const train::Step& step) const;
  static Var draw_bits(const char* name, const Var& logits, train::Share batch, const train::Step& step);
  /// -log p(x|decoded) per row.
  Var reconstruction(const Var& x, const Var& decoded) const;
  void note(const train::Step& step, const Codes& q) const;
  const char* pixels_note() const { return has_bits() ? "scores_x" : "mu_x"; }
  Config config_;
  Tensor half_;
  std::optional<CodeStatistics> statistics_;
  Generator generator_;
  nn::Module encoder_;
  std::optional<LadderEncoder> ladder_;
  std::optional<ReverseEncoder> reverse_;
};

}  // namespace vae::sym_vae
