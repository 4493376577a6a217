// vae: variational autoencoders without labels
#include "tools/adgm/options.h"

int main(int argc, char** argv) { return vae::tool::run(argc, argv, vae::adgm::vae_tool()); }
