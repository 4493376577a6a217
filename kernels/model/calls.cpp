#include "kernels/model/calls.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "kernels/model/state.h"

namespace vae::model {
namespace {

struct Planned {
  int64_t call = 0;  // the number of the call that fails
  int status = 0;
};

std::map<std::string, int64_t>& counts() {
  static auto* counts = new std::map<std::string, int64_t>;
  return *counts;
}

std::map<std::string, Planned>& faults() {
  static auto* faults = new std::map<std::string, Planned>;
  return *faults;
}

std::vector<std::string>& sentences() {
  static auto* sentences = new std::vector<std::string>;
  return *sentences;
}

/// At the end of the process the counts go to the file that VAE_MODEL_CALLS names.
[[maybe_unused]] const int g_at_end = std::atexit([] {
  if (const char* file = std::getenv("VAE_MODEL_CALLS")) std::ofstream(file) << nlohmann::json(counts());
});

}  // namespace

std::recursive_mutex& mutex() {
  static auto* mutex = new std::recursive_mutex;
  return *mutex;
}

std::condition_variable_any& changed() {
  static auto* changed = new std::condition_variable_any;
  return *changed;
}

Call::Call(const char* function) {
  mutex().lock();
  const int64_t number = ++counts()[function];
  const auto fault = faults().find(function);
  if (fault != faults().end() && fault->second.call == number) planned_ = fault->second.status;
}

Call::~Call() { mutex().unlock(); }

void Fault::plan(int64_t n, int status) {
  const std::lock_guard lock(mutex());
  faults()[function_] = {counts()[function_] + n, status};
}

Fault::~Fault() {
  const std::lock_guard lock(mutex());
  faults().erase(function_);
}

const std::map<std::string, int64_t>& calls() { return counts(); }

const std::vector<std::string>& violations() { return sentences(); }

void violate(const std::string& sentence) {
  const std::lock_guard lock(mutex());
  sentences().push_back(sentence);
  std::fprintf(stderr, "model: %s\n", sentence.c_str());
}

void reset() {
  const std::lock_guard lock(mutex());
  sentences().clear();
  mend_devices();
  forget_last_error();
}

}  // namespace vae::model
