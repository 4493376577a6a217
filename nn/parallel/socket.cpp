#include "nn/parallel/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "tensor/error.h"

namespace vae::parallel {
namespace {

constexpr size_t kLongest = 4096;  // line

/// Waits for an event of a socket; whether it came.
bool ready(int descriptor, short event, Deadline deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wanted{descriptor, event, 0};
    const int events = ::poll(&wanted, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (events > 0) return true;
    if (events == 0 || errno != EINTR) return false;
  }
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Socket::Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Socket Socket::listen(int port) {
  Socket socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool v6 = socket.descriptor_ >= 0;
  if (!v6) socket = Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1, off = 0;
  ::setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in6 any6{};
  any6.sin6_family = AF_INET6, any6.sin6_port = htons(static_cast<uint16_t>(port)),
  any6.sin6_addr = in6addr_any;
  sockaddr_in any4{};
  any4.sin_family = AF_INET, any4.sin_port = htons(static_cast<uint16_t>(port));
  if (v6) ::setsockopt(socket.descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  const auto* address =
      v6 ? reinterpret_cast<const sockaddr*>(&any6) : reinterpret_cast<const sockaddr*>(&any4);
  if (::bind(socket.descriptor_, address, v6 ? sizeof any6 : sizeof any4) != 0 ||
      ::listen(socket.descriptor_, SOMAXCONN) != 0)
    fail(ErrorKind::usage, "rank 0 cannot listen at port {}: {}", port, std::strerror(errno));
  return socket;
}

std::optional<Socket> Socket::accept(Deadline deadline) const {
  while (ready(descriptor_, POLLIN, deadline)) {
    const int descriptor = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor >= 0) return Socket(descriptor);
  }
  return {};
}

std::optional<Socket> Socket::connect(const std::string& host, int port, Deadline deadline) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
      code != 0) {
    if (code == EAI_AGAIN) return {};
    fail(ErrorKind::usage, "the machine '{}' of rank 0 is not known: {}", host, ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, &::freeaddrinfo);
  for (const addrinfo* a = found; a; a = a->ai_next) {
    Socket socket(::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol));
    if (socket.descriptor_ < 0) continue;
    if (::connect(socket.descriptor_, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) continue;
    int error = 0;
    socklen_t size = sizeof error;
    if (ready(socket.descriptor_, POLLOUT, deadline) &&
        ::getsockopt(socket.descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
      return socket;
  }
  return {};
}

bool Socket::send(const std::string& text) const {
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t n = ::send(descriptor_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

std::optional<std::string> Socket::line(Deadline deadline) const {
  std::string text;
  while (text.size() < kLongest && ready(descriptor_, POLLIN, deadline)) {
    char next = 0;
    if (::recv(descriptor_, &next, 1, 0) != 1) return {};
    if (next == '\n') return text;
    text += next;
  }
  return {};
}

}  // namespace vae::parallel
