#pragma once
// Weights of PyTorch modules, in safetensors files, for modules of ours that have their names, and back.
#include "nn/module.h"
#include "tensor/safetensors.h"

namespace vae::train {

/// The tensors of a state dict by the names that its modules would have alone: without "param/" in front,
/// where some tensor has that (then those with it are all there are), without the segments "module" that
/// DataParallel leaves, and without counts of batches (num_batches_tracked). Throws Error(io), Error(data)
/// for a file that is none, or where two names become one.
SafeTensors load_torch_state(const std::filesystem::path& file);

/// Copies a state dict into the parameters and floating buffers of a module, f32 or f64 as that has them.
/// Weights of convolutions, [out, in, kh, kw] and transposed [in, out, kh, kw] there, become [out, kh, kw,
/// in] and [in, kh, kw, out]. Strict: every tensor of the module, in its shape, finite, no variance below
/// zero; further ones are refused where they are of a part that the module has ("encoder.*"). All of it is
/// checked before anything is written. Throws Error(data) naming file and tensor.
void import_weights(nn::Module& module, const SafeTensors& state);

/// The inverse: floating tensors under their names, in PyTorch's layouts, on the host. Of a module these are
/// what its load_state_dict() takes.
SafeTensors export_weights(const nn::StateDict& state);

}  // namespace vae::train
