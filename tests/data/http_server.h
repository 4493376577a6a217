#pragma once
// A web server of one file for tests: answers GET on 127.0.0.1 with a status and misbehaviour of choice.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace vae::test {

class HttpServer {
 public:
  struct Behaviour {
    bool ranges = true;                      ///< honours "Range: bytes=N-"
    int status = 200;                        ///< any other is sent without the content
    size_t cut_after = SIZE_MAX;             ///< closes the connection after so many bytes of content
    std::string location{};                  ///< where a redirect (status 302) leads
    std::function<void()> before_content{};  ///< called when the head has been sent
  };

  HttpServer(std::string content, Behaviour behaviour)
      : content_(std::move(content)), behaviour_(std::move(behaviour)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(socket_, 4) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no socket for the test server");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/file.gz"; }
  size_t bytes_sent() const { return bytes_sent_; }
  /// The path that was asked for last.
  std::string path() const {
    const std::lock_guard guard(mutex_);
    return path_;
  }

 private:
  void serve() {
    for (int client; (client = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(client)) answer(client);
  }

  void answer(int client) {
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) return;
      request.append(buffer, static_cast<size_t>(got));
    }
    {
      const std::lock_guard guard(mutex_);
      path_ = request.substr(4, request.find(' ', 4) - 4);
    }
    const size_t range = request.find("Range: bytes=");
    const bool partial = behaviour_.ranges && range != std::string::npos;
    const size_t begin = partial ? std::stoul(request.substr(range + 13)) : 0;
    int status = behaviour_.status;
    if (status == 200 && partial) status = begin < content_.size() ? 206 : 416;
    const std::string body = status == 200 || status == 206 ? content_.substr(begin) : "";
    std::string head = "HTTP/1.1 " + std::to_string(status) +
                       " x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    if (status == 206)
      head += "Content-Range: bytes " + std::to_string(begin) + "-" + std::to_string(content_.size() - 1) +
              "/" + std::to_string(content_.size()) + "\r\n";
    if (!behaviour_.location.empty()) head += "Location: " + behaviour_.location + "\r\n";
    head += "\r\n";
    ::send(client, head.data(), head.size(), MSG_NOSIGNAL);
    if (behaviour_.before_content) behaviour_.before_content();
    const size_t length = std::min(body.size(), behaviour_.cut_after);
    if (::send(client, body.data(), length, MSG_NOSIGNAL) > 0) bytes_sent_ += length;
  }

  std::string content_;
  Behaviour behaviour_;
  int socket_ = -1, port_ = 0;
  std::atomic<size_t> bytes_sent_ = 0;
  mutable std::mutex mutex_;
  std::string path_;
  std::thread thread_;
};

}  // namespace vae::test
