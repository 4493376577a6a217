#pragma once
// Expectations about failures: kind, words of the message, and that it is one line.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tensor/error.h"

namespace vae::test {

/// Runs `body`, which must throw vae::Error of that kind with a one-line message that contains `words`.
inline void expect_error(ErrorKind kind, const std::string& words, const std::function<void()>& body) {
  try {
    body();
    ADD_FAILURE() << "no error; expected: " << words;
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message << "\nlacks: " << words;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

/// Runs `body`, which must throw Error(usage) with exactly that message: what a user reads.
inline void expect_misuse(const std::string& message, const std::function<void()>& body) {
  try {
    body();
    ADD_FAILURE() << "no error; expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(ErrorKind::usage)) << error.what();
    EXPECT_EQ(error.what(), message);
  }
}

}  // namespace vae::test
