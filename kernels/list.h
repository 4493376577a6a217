// Every kernel of the project, once: VAE_KERNEL(name, argument types...). Included by kernels.h
// (declarations) and dispatch.cpp (the table of backends); a new kernel is one line here and one function per
// backend. m x n below: a tensor as rows x columns, the last axis being the columns.

// Elementwise: the functions stand in elementwise/list.h. Operands broadcast into the rows x columns of y.
VAE_KERNEL(map_fwd, Map, Params, Inputs, Out)  // y = f(x...)
VAE_KERNEL(map_bwd, Map, Params, int, In, Inputs, In, Out,
           Write)  // dx_i = dy * df/dx_i; (i, dy, x..., y, dx)
VAE_KERNEL(map_gradients, Map, Params, In, Inputs, In,
           std::span<const MapGradient>)          // map_bwd of several operands; (dy, x..., y, dx...)
VAE_KERNEL(rowsum_fwd, Map, Params, Inputs, Out)  // y[m] = sum over columns of f(x...)

// Filling, copying, indexing.
VAE_KERNEL(fill, Out, double)                   // y = value
VAE_KERNEL(cast, In, Out)                       // y = x in y's dtype
VAE_KERNEL(increment, Out)                      // i64 counter += 1
VAE_KERNEL(tally, Inputs, Out, Inputs)          // f64 sums[i] += numbers[i], i64 counters += 1
VAE_KERNEL(gather_rows, In, In, Out)            // y[r] = x[index[r]]
VAE_KERNEL(gather_pixels, In, In, Out, Pixels)  // u8 images by index, scaled or binarised
VAE_KERNEL(one_hot, In, Out)                    // i64 labels[m] -> y[m, n]
VAE_KERNEL(pick, In, In, Out)                   // y[r] = x[r, label[r]]
VAE_KERNEL(pick_bwd, In, In, Out, Write)        // dx[r, label[r]] = dy[r], else 0; (dy, label, dx)
VAE_KERNEL(outer_add, In, In, Out)              // y[k * B + b] = a[b] + v[k]
VAE_KERNEL(transpose, In, Out)                  // y[n, m] = x[m, n]
VAE_KERNEL(copy_columns,
           std::span<const ColumnCopy>)      // y[r, to + c] = x[r, from + c], c < n; several at once
VAE_KERNEL(segment_sum, In, In, Out, Write)  // y[g] = sum of x[r], or of 1, with group[r] = g; (x, group, y)

// Reductions; sums are carried in f64 or by blocks.
VAE_KERNEL(sum, In, Out, Axis, double, Write)        // over the middle of outer x count x inner, scaled
VAE_KERNEL(column_sums, std::span<const ColumnSum>)  // several sums of rows at once
VAE_KERNEL(sum_bwd, In, Out, Axis, double, Write)    // dx[o, k, i] = scale dy[o, i]; (dy, dx)
VAE_KERNEL(sum_squares, In, Out)                     // f64 scalar
VAE_KERNEL(argmax, In, Out)                          // i64[m] over columns, first of equals
VAE_KERNEL(top_k, In, Out, Out)  // the k largest of each row, descending; (x, values, i64 columns)
VAE_KERNEL(log_sum_exp_fwd, In, Out, Axis, double)                 // over the middle axis, see log_sum_exp.h
VAE_KERNEL(log_sum_exp_bwd, In, In, In, Out, Axis, double, Write)  // (dy, x, y, dx)
VAE_KERNEL(softmax_fwd, In, Out)                                   // over columns
VAE_KERNEL(softmax_bwd, In, In, Out, Write)                        // (dy, y, dx)
VAE_KERNEL(log_softmax_fwd, In, Out)
VAE_KERNEL(log_softmax_bwd, In, In, Out, Write)  // (dy, y, dx)

// Matrix product c = alpha op(a) op(b) + beta c, row-major.
VAE_KERNEL(gemm, In, Transpose, In, Transpose, Out, double, double)
VAE_KERNEL(linear_fwd, In, In, In, Out)  // y = x w^T + bias; (x, w, bias or undefined, y)

// Convolution of NHWC images with OHWI weights, see conv.h. The columns of a window are the pixels under it.
VAE_KERNEL(conv2d_fwd, In, In, In, Out, const Window&, const Activation&)  // (x, w, bias or undefined, y)
VAE_KERNEL(conv2d_bwd_input, In, In, Out, const Window&, Write)            // (dy, w, dx)
VAE_KERNEL(conv2d_bwd_weight, In, In, Out, const Window&, Write)           // (dy, x, dw)
VAE_KERNEL(unfold, In, Out, const Window&, int64_t)                        // (x, columns of windows first...)
VAE_KERNEL(fold, In, Out, const Window&, int64_t)                          // x += columns, the adjoint

// A bias and the activation behind it, see bias_activation.h.
VAE_KERNEL(bias_activation_fwd, In, Out, const Activation&)  // y = f(y + bias); (bias or undefined, y)
VAE_KERNEL(bias_activation_bwd, In, In, Out, Out, const Activation&,
           Write)  // dx = dy f'(y), dbias = sum of its rows, or of parts; (dy, y, dx, dbias or undefined)

// Pooling of NHWC images, see pool.h.
VAE_KERNEL(max_pool_fwd, In, Out, Out, const Window&)             // (x, y, index)
VAE_KERNEL(max_pool_bwd, In, In, Out, const Window&, Write)       // (dy, index, dx)
VAE_KERNEL(avg_pool_fwd, In, Out, const Window&, Divisor)         // (x, y)
VAE_KERNEL(avg_pool_bwd, In, Out, const Window&, Divisor, Write)  // (dy, dx)

// Batch normalisation over rows, see batch_norm.h.
VAE_KERNEL(batch_norm_fwd, const BatchNormForward&)
VAE_KERNEL(batch_norm_bwd, const BatchNormBackward&)

// Random numbers: pure functions of (key, step, index), see random.h; step is an i64 scalar on the device.
VAE_KERNEL(random_normal, Out, RandomKey, In, Rows)
VAE_KERNEL(random_uniform, Out, RandomKey, In, Rows)
VAE_KERNEL(random_integers, Out, RandomKey, In, int64_t, Rows)  // i64 in [0, below)
VAE_KERNEL(batch_items, In, Out, RandomKey, In, const Order&)   // y = batch `step` of a shuffled pool

// Images [N, H, W, C], see augment.h and strong_augment.h.
VAE_KERNEL(crop_images, In, In, In, Out, int64_t)  // (x, corner[N, 2], flip[N] or none, y, reflected padding)
VAE_KERNEL(strong_augment, In, In, In, In, Out)  // (x, operation[N, K], level[N, K], centre[N, 2] or none, y)
VAE_KERNEL(resize_images, In, Out)               // bilinear
VAE_KERNEL(normalize_pixels, In, In, In, Out)    // y = (x / 255 - mean[c]) / deviation[c] of u8 x

// Optimisers over the flat buffers of groups, see optimizer.h.
VAE_KERNEL(start_steps, std::span<const StepStart>)  // counts, rates and norms, before the others
VAE_KERNEL(adam, std::span<const AdamStep>)
VAE_KERNEL(sgd, std::span<const SgdStep>)
VAE_KERNEL(adagrad, std::span<const AdagradStep>)
VAE_KERNEL(moving_average, In, Out, double)                // (value, average, decay)
VAE_KERNEL(scheduled, In, Out, std::span<const Schedule>)  // y[i] = schedules[i].at(iteration)
