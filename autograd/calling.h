#pragma once
// Who is named when a function is called in a way that it does not allow: the function, or the layer that
// calls it.
#include <string>
#include <string_view>

#include "tensor/error.h"

namespace vae::autograd {

/// While one lives, messages of misuse begin with the layer that calls, "Conv2d encoder.c1", instead of the
/// function's name. Costs two stores; layers make one on entry.
class Calling {
 public:
  Calling(const char* layer, const std::string& path) : layer_(layer), path_(path), outer_(innermost_) {
    innermost_ = this;
  }
  ~Calling() { innermost_ = outer_; }
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;

  /// The innermost layer of this thread, or the function where no layer calls.
  static std::string name(std::string_view function) {
    if (!innermost_) return std::string(function);
    const std::string& path = innermost_->path_;
    return path.empty() ? innermost_->layer_ : innermost_->layer_ + (" " + path);
  }

 private:
  const char* layer_;
  const std::string& path_;
  const Calling* outer_;
  static inline thread_local const Calling* innermost_ = nullptr;
};

/// Throws Error(usage) "function: text", with the layer that calls in place of the function.
template <class... Args>
[[noreturn, gnu::cold]] void misuse(std::string_view function, fmt::format_string<Args...> format,
                                    Args&&... args) {
  fail(ErrorKind::usage, "{}: {}", Calling::name(function), fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace vae::autograd
