// smooth_elbo: a small VAE with a class, by the smooth-ELBO, Feng et al. (2021)
#include "tools/shot_vae/smooth_options.h"

int main(int argc, char** argv) { return vae::tool::run(argc, argv, vae::shot_vae::smooth_tool()); }
