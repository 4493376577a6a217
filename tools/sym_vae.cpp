// sym_vae: symmetric equilibrium learning of VAEs with binary codes, Flach et al. (2024)
#include "tools/sym_vae/options.h"

int main(int argc, char** argv) { return vae::tool::run(argc, argv, vae::sym_vae::sym_vae_tool()); }
