#pragma once
// VAE_HD marks functions that compile for the host and, under nvcc, for the device.
#ifdef __CUDACC__
#define VAE_HD __host__ __device__ __forceinline__
#else
#define VAE_HD inline __attribute__((always_inline))
#endif
