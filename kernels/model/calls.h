#pragma once
// Calls of the vendors' functions: counted by name, failing on request. Every function of the model begins
// with VAE_MODEL_CALL(its name).
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vae::model {

/// One call of a function of the model. While it lives, other threads wait.
class Call {
 public:
  explicit Call(const char* function);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  /// The status that a Fault asks for; 0: none.
  int planned() const { return planned_; }

 private:
  int planned_ = 0;
};

/// A status as whatever enumeration the function returns.
struct Status {
  int value;
  template <class Enum>
  operator Enum() const {
    return static_cast<Enum>(value);
  }
};

#define VAE_MODEL_CALL(function)                          \
  const ::vae::model::Call model_call(function);          \
  if (model_call.planned()) return ::vae::model::Status { \
      model_call.planned()                                \
    }

/// Has the n-th call (1: the next) of a function fail with a status of its library, once. Goes with the
/// object.
class Fault {
 public:
  template <class Enum>
  Fault(std::string function, int64_t n, Enum status) : function_(std::move(function)) {
    plan(n, static_cast<int>(status));
  }
  ~Fault();
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;

 private:
  void plan(int64_t n, int status);
  std::string function_;
};

/// How often each function was called, by name: all that were.
const std::map<std::string, int64_t>& calls();

/// What real hardware would answer with wrong numbers or an error that names nothing: a sentence for each
/// broken rule since the last reset(). They are written to standard error, too.
const std::vector<std::string>& violations();

/// Notes a broken rule.
void violate(const std::string& sentence);

/// Forgets violations and the errors that they left on the devices, which real devices keep until the process
/// ends, and the last error of the calling thread. Work that is queued is dropped.
void reset();

}  // namespace vae::model
