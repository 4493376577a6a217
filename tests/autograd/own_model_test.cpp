// The tests of own_test.cpp as they are compiled for the model of CUDA devices.
#include "tests/autograd/own_test.cpp"
