// adgm: semi-supervised deep generative models with auxiliary variables, and their relatives
#include "tools/adgm/options.h"

int main(int argc, char** argv) { return vae::tool::run(argc, argv, vae::adgm::adgm_tool()); }
