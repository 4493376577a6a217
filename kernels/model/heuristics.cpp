#include "kernels/model/heuristics.h"

namespace vae::model {
namespace {

Offer g_offer = Offer::usual;

}  // namespace

OfferScope::OfferScope(Offer offer) { g_offer = offer; }
OfferScope::~OfferScope() { g_offer = Offer::usual; }
Offer current_offer() { return g_offer; }

}  // namespace vae::model
