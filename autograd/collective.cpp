#include "autograd/collective.h"

#include "autograd/function.h"
#include "tensor/communicator.h"

namespace vae::autograd {

Var all_sum(const Var& x) {
  detail::check_operands("all_sum(x)", {&x});
  parallel::Communicator& ranks = parallel::current();
  if (ranks.alone()) return x;
  const Tensor y = x.value().clone();
  ranks.all_reduce(y);
  return record("all_sum", y, {x}, [&ranks](const Backward& b) {
    const Tensor dx = b.take();
    ranks.all_reduce(dx);
    b.pass_on(0, dx);
  });
}

}  // namespace vae::autograd
