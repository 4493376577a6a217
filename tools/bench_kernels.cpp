// bench_kernels: CPU kernel microbenchmarks in Google Benchmark's format (--benchmark_filter=...,
// --benchmark_format=json). Arrays of 2^18 floats stay in cache, those of 2^24 do not. Each result is checked
// before it is timed.
#include <benchmark/benchmark.h>

#include <cmath>

#include "kernels/kernels.h"
#include "tensor/parallel.h"

namespace {

using namespace vae;
using kernels::Map;
using kernels::Transpose;

Tensor uniform(Shape shape, const char* stream) {
  const Tensor x = Tensor::empty(shape);
  kernels::random_uniform(x, RandomKey::named(0, stream), Tensor::scalar(int64_t{0}));
  kernels::map_fwd(Map::affine, {2, -1}, {&x, 1}, x);
  return x;
}

/// Throws unless every element is finite.
void require_finite(const Tensor& x) {
  for (const float v : x.to_vector<float>()) VAE_CHECK(std::isfinite(v), "benchmark result is not finite");
}

void count(benchmark::State& state, int64_t elements, int64_t bytes) {
  state.SetItemsProcessed(state.iterations() * elements);
  state.SetBytesProcessed(state.iterations() * bytes);
  state.counters["ns_per_element"] =
      benchmark::Counter(static_cast<double>(state.iterations() * elements) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void elementwise(benchmark::State& state, Map op, bool backward) {
  set_num_threads(1);
  const int64_t n = state.range(0);
  const Tensor operands[] = {uniform({n}, "bench/x0"), uniform({n}, "bench/x1"), uniform({n}, "bench/x2")};
  const kernels::Inputs x(operands, static_cast<size_t>(kernels::arity_of(op)));
  const Tensor y = Tensor::empty({n}), dy = uniform({n}, "bench/dy"), dx = Tensor::empty({n});
  const kernels::Params params{-1.5, 1.5};
  kernels::map_fwd(op, params, x, y);
  if (op != Map::log && op != Map::sqrt && op != Map::weighted_bound) require_finite(y);
  for (auto _ : state) {
    if (backward)
      kernels::map_bwd(op, params, 0, dy, x, y, dx, kernels::Write::set);
    else
      kernels::map_fwd(op, params, x, y);
    benchmark::ClobberMemory();
  }
  count(state, n, n * 4 * static_cast<int64_t>(x.size() + (backward ? 2 : 1)));
}

/// Bernoulli negative log-likelihood of whole rows, as M2's decoder needs it.
void bernoulli_rows(benchmark::State& state) {
  set_num_threads(1);
  const int64_t rows = state.range(0), n = 784;
  const Tensor x[] = {uniform({rows, n}, "bench/logits"), uniform({rows, n}, "bench/target")};
  const Tensor y = Tensor::empty({rows});
  kernels::rowsum_fwd(Map::bce_logits, {}, x, y);
  require_finite(y);
  for (auto _ : state) kernels::rowsum_fwd(Map::bce_logits, {}, x, y);
  count(state, rows * n, rows * n * 8);
}

struct GemmShape {
  const char* name;
  int64_t m, n, k;
  Transpose ta, tb;
};

void gemm(benchmark::State& state, GemmShape s) {
  set_num_threads(0);
  const Tensor a = uniform({s.m, s.k}, "bench/a").reshape({s.ta == Transpose::yes ? s.k : s.m, -1});
  const Tensor b = uniform({s.k, s.n}, "bench/b").reshape({s.tb == Transpose::yes ? s.n : s.k, -1});
  const Tensor c = Tensor::empty({s.m, s.n});
  kernels::gemm(a, s.ta, b, s.tb, c, 1, 0);
  require_finite(c);
  for (auto _ : state) kernels::gemm(a, s.ta, b, s.tb, c, 1, 0);
  state.counters["GFLOP/s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * 2 * s.m * s.n * s.k) * 1e-9, benchmark::Counter::kIsRate);
}

void register_all() {
  for (int i = 0; i <= static_cast<int>(Map::gaussian_nll); ++i) {
    const Map op = static_cast<Map>(i);
    const std::string name(kernels::name_of(op));
    benchmark::RegisterBenchmark(("map_fwd/" + name).c_str(), elementwise, op, false)
        ->Arg(1 << 18)
        ->Arg(1 << 24);
    benchmark::RegisterBenchmark(("map_bwd/" + name).c_str(), elementwise, op, true)
        ->Arg(1 << 18)
        ->Arg(1 << 24);
  }
  benchmark::RegisterBenchmark("rowsum_fwd/bce_logits", bernoulli_rows)->Arg(100)->Arg(1000);
  constexpr Transpose no = Transpose::no, yes = Transpose::yes;
  for (const GemmShape& s : {GemmShape{"decoder_out", 1000, 784, 500, no, yes},
                             {"decoder_out_dx", 1000, 500, 784, no, no},
                             {"decoder_out_dw", 784, 500, 1000, yes, no},
                             {"encoder_x", 100, 500, 784, no, yes},
                             {"encoder_x_dw", 500, 784, 100, yes, no},
                             {"heads", 1000, 50, 500, no, yes},
                             {"decoder_z", 1000, 500, 50, no, yes},
                             {"decoder_z_dw", 500, 50, 1000, yes, no}})
    benchmark::RegisterBenchmark((std::string("gemm/m2_") + s.name).c_str(), gemm, s)->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
