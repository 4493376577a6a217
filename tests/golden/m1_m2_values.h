#pragma once
// Collects what models and trainers computed under the names of the golden files.
#include "m1_m2_source.h"
#include "nn/train/step.h"

namespace vae::golden {

using Values = std::map<std::string, Tensor>;

/// A copy of a value, where defined.
void put(Values& values, const std::string& name, const autograd::Var& x);
void put(Values& values, const std::string& name, double number);
/// What a step noted, under the names of the files: "output/lnvar_l" of "log_var_l".
void put_notes(Values& values, const train::Notes& notes);
/// A Gaussian under prefix + mean and lnvar.
void put_gaussian(Values& values, const std::string& prefix, const nn::Gaussian& q);
/// Parameters and buffers of the sub-net of that name, or of all.
void put_state(Values& values, const std::string& prefix, nn::Module& model, const std::string& net = "");
/// Gradients of the last update, and the norms of the sub-nets before clipping.
void put_gradients(Values& values, const std::string& prefix, const std::string& norm, train::Groups& nets,
                   nn::Module& model, const std::string& net = "");
/// Parameters, buffers and moments after the update.
void put_after(Values& values, train::Groups& nets, nn::Module& model);
/// Cases of true dimensions hold the norms of gradients and statistics.
void put_norms(Values& values);

/// The values of one update, or, of a trajectory, those of all its steps with the step as leading axis.
Values run_steps(int64_t steps, const std::function<Values(std::optional<int64_t>)>& update);

}  // namespace vae::golden
