#pragma once
// All of vaekit that a program of one's own needs, in one namespace: tensors, differentiable functions,
// layers, optimisers, and Fit, which trains a module. docs/tutorial.md starts from nothing.
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "autograd/own.h"
#include "nn/distributions.h"
#include "nn/fit/fit.h"
#include "nn/image_layers.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/mlp.h"
#include "nn/optimizer.h"
#include "nn/train/check_gradients.h"

namespace vaekit {

using namespace vae;            // Tensor, Shape, DType, Device, Error
using namespace vae::autograd;  // Var, Tape, and the differentiable functions
using namespace vae::nn;        // Module, layers, distributions, initialisers, optimisers
using namespace vae::fit;       // Fit, Losses, Batch

using vae::kernels::Activation;
using vae::kernels::Axis;
using vae::kernels::Schedule;
using vae::train::check_gradients;
using vae::train::Inputs;
using vae::train::one_hot;
using vae::train::Share;
using vae::train::Step;

// Scalar functions for structs of map<> and rowsum<>, stable and fast in the precision of the argument.
using vae::kernels::detail::abs_of;
using vae::kernels::detail::exp_of;
using vae::kernels::detail::expm1_of;
using vae::kernels::detail::log_of;
using vae::kernels::detail::sigmoid_of;
using vae::kernels::detail::softplus_of;
using vae::kernels::detail::sqrt_of;
using vae::kernels::detail::tanh_of;

}  // namespace vaekit
