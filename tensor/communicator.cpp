#include "tensor/communicator.h"

#include <unistd.h>

#include <vector>

namespace vae::parallel {
namespace {

thread_local Communicator* innermost = nullptr;
thread_local Statistics statistics_of_scope = Statistics::global;

}  // namespace

void Self::abort(int exit_code) { _exit(exit_code); }

Communicator& current() {
  static Self self;
  return innermost ? *innermost : self;
}

std::string text_of_first(Communicator& ranks, const std::string& own) {
  const Tensor length = Tensor::scalar(static_cast<int64_t>(own.size()));
  ranks.broadcast(length);
  std::vector<uint8_t> bytes(static_cast<size_t>(length.item()));
  if (ranks.first()) bytes.assign(own.begin(), own.end());
  const Tensor text = Tensor::from(bytes, {std::ssize(bytes)});
  ranks.broadcast(text);
  bytes = text.to_vector<uint8_t>();
  return {bytes.begin(), bytes.end()};
}

Communicator* of_statistics() {
  Communicator& all = current();
  return all.alone() || statistics_of_scope == Statistics::local ? nullptr : &all;
}

Scope::Scope(Communicator& communicator, Statistics statistics)
    : outer_(innermost), outer_statistics_(statistics_of_scope) {
  innermost = &communicator, statistics_of_scope = statistics;
}

Scope::~Scope() { innermost = outer_, statistics_of_scope = outer_statistics_; }

}  // namespace vae::parallel
