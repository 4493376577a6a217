#pragma once
// What the heuristics of the model's cuBLASLt and cuDNN offer, for tests of what their callers make of it.

namespace vae::model {

enum class Offer {
  usual,             ///< every kind, those that the caller must not take first
  nothing,           ///< an empty list
  declined,          ///< candidates whose status says that they are not supported
  blamed,            ///< candidates whose status says that a parameter is bad
  nondeterministic,  ///< of cuDNN: those whose last bits differ from run to run
  oversized,         ///< of cuDNN: those that want 2 GiB of workspace
  tf32,              ///< of cuDNN: those that round to TF32
  plain,             ///< of cuDNN: those that never do
};

/// Sets the offer for the life of the object; then it is `usual` again.
class OfferScope {
 public:
  explicit OfferScope(Offer offer);
  ~OfferScope();
  OfferScope(const OfferScope&) = delete;
  OfferScope& operator=(const OfferScope&) = delete;
};

Offer current_offer();

}  // namespace vae::model
