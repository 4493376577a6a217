// m1_m2: M2 on features of a pre-trained M1, Kingma et al. (2014)
#include "tools/m1_m2/options.h"

int main(int argc, char** argv) { return vae::tool::run(argc, argv, vae::m1_m2::m1_m2_tool()); }
