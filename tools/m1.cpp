// m1: the unsupervised VAE of Kingma et al. (2014)
#include "tools/m1_m2/options.h"

int main(int argc, char** argv) { return vae::tool::run(argc, argv, vae::m1_m2::m1_tool()); }
