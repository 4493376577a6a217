#pragma once
// The few things that a rendezvous does with sockets of TCP, each until a deadline.
#include <chrono>
#include <optional>
#include <string>

namespace vae::parallel {

using Deadline = std::chrono::steady_clock::time_point;

class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  /// Waits for connections at a port. Throws Error(usage) where that is taken.
  static Socket listen(int port);
  /// The next connection, or none until the deadline.
  std::optional<Socket> accept(Deadline deadline) const;
  /// A connection, or none where nobody answers until the deadline. Throws Error(usage) for an unknown host.
  static std::optional<Socket> connect(const std::string& host, int port, Deadline deadline);

  /// False where the other side is gone.
  bool send(const std::string& text) const;
  /// Text up to an end of line, which is not part of it; none where the other side is gone, sends more than a
  /// line has, or nothing until the deadline.
  std::optional<std::string> line(Deadline deadline) const;

 private:
  int descriptor_;
};

}  // namespace vae::parallel
