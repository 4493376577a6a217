#pragma once
// Collects what models and trainers computed under the names of the golden files.
#include "m1_m2_source.h"

namespace vae::golden {

using Values = std::map<std::string, Tensor>;

/// A copy of a value, where defined.
void put(Values& values, const std::string& name, const autograd::Var& x);
void put(Values& values, const std::string& name, double number);
/// "prefix" mean "suffix" and lnvar.
void put_gaussian(Values& values, const std::string& prefix, const std::string& suffix,
                  const models::Gaussian& q);
/// Logits under the given name, or x_mean and x_lnvar.
void put_decoded(Values& values, const std::string& prefix, const std::string& logits,
                 const std::string& suffix, const models::Decoded& x);
/// Parameters and buffers of the sub-net of that name, or of all.
void put_state(Values& values, const std::string& prefix, nn::Module& model, const std::string& net = "");
/// Gradients of the last update, and the norms of the sub-nets before clipping.
void put_gradients(Values& values, const std::string& prefix, const std::string& norm, models::SubNets& nets,
                   nn::Module& model, const std::string& net = "");
/// Parameters, buffers and moments after the update.
void put_after(Values& values, models::SubNets& nets, nn::Module& model);
/// Cases of true dimensions hold the norms of gradients and statistics.
void put_norms(Values& values);

/// The values of one update, or, of a trajectory, those of all its steps with the step as leading axis.
Values run_steps(int64_t steps, const std::function<Values(std::optional<int64_t>)>& update);

}  // namespace vae::golden
