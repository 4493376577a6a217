// ml_vae: the multi-level VAE of Bouchacourt et al. (2018)
#include "tools/ml_vae/options.h"

int main(int argc, char** argv) {
  using namespace vae::ml_vae;
  return vae::tool::run<Options>(argc, argv,
                                 {"ml_vae",
                                  "The multi-level VAE of Bouchacourt et al. (2018).",
                                  preset_options,
                                  {import_weights(), swap(), classify(), tsne(), probe()},
                                  "train, then write pictures, probes and report"});
}
