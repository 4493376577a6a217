// vae: variational autoencoders without labels
#include "tools/adgm/experiment.h"
#include "tools/common/cli.h"

int main(int argc, char** argv) {
  vae::limit_spinning(argv);
  return vae::guarded_main([&] {
    return vae::adgm_tools::run_tool(argc, argv, vae::adgm_tools::Tool::vae, "vae",
                                     "VAE, planar flows, beta-VAE, ladder and Gumbel-softmax VAE.");
  });
}
