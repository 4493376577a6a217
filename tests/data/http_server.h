#pragma once
// A web server of one file for tests: answers GET on 127.0.0.1 with a status and misbehaviour of choice.
#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "tests/data/local_server.h"

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
      : content_(std::move(content)), behaviour_(std::move(behaviour)) {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/file.gz"; }
  size_t bytes_sent() const { return bytes_sent_; }
  /// The path that was asked for last.
  std::string path() const {
    const std::lock_guard guard(mutex_);
    return path_;
  }

 private:
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
  std::atomic<size_t> bytes_sent_ = 0;
  mutable std::mutex mutex_;
  std::string path_;
  LocalServer server_{[this](int client) { answer(client); }};  // last: it asks for what stands above
};

}  // namespace vae::test
