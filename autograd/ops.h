#pragma once
// The differentiable functions, a room for each kind. A tensor is rows x columns, its last axis being the
// columns, unless stated; elementwise functions broadcast as kernels/elementwise/map.h says.
#include "autograd/collective.h"
#include "autograd/elementwise.h"
#include "autograd/image.h"
#include "autograd/linear.h"
#include "autograd/loss.h"
#include "autograd/reduce.h"
#include "autograd/rows.h"
