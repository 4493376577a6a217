// The tests of own_test.cpp as nvcc compiles them.
#include "tests/autograd/own_test.cpp"
