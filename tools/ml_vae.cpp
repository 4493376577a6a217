// ml_vae: the multi-level VAE of Bouchacourt et al. (2018)
#include "tools/ml_vae/options.h"

int main(int argc, char** argv) { return vae::tool::run(argc, argv, vae::ml_vae::ml_vae_tool()); }
