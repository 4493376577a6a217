#include "nn/parallel/first.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace vae::parallel {
namespace {

/// Says every now and then that this process is alive, while it lives. Whoever cannot be told is no matter
/// here: the next use of the communicator says so.
class Beats {
 public:
  Beats(std::chrono::milliseconds limit, const std::function<void(Word)>& tell)
      : thread_([this, limit, &tell](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          try {
            while (!stopped_.wait_for(lock, stop, limit / 5, [&] { return stop.stop_requested(); }) &&
                   !stop.stop_requested())
              tell(Word::alive);
          } catch (const Error&) {
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace

void work_as_first(Communicator& ranks, std::chrono::milliseconds limit, const std::function<void()>& work,
                   const std::function<void(Word)>& tell) {
  std::optional<Error> error;
  try {
    const Beats beats(limit, tell);
    const Alone alone;
    work();
  } catch (const Error& e) {
    error = e;
  }
  tell(error ? Word::failed : Word::done);
  if (!error) return;
  const std::string message = error->what();
  ranks.broadcast(Tensor::from(std::vector<int64_t>{error->exit_code(), std::ssize(message)}, {2}), 0);
  ranks.broadcast(Tensor::from(std::vector<uint8_t>(message.begin(), message.end()), {std::ssize(message)}),
                  0);
  throw Error(*error);
}

void wait_for_first(Communicator& ranks, const std::function<Word()>& hear) {
  Word said = Word::alive;
  while (said == Word::alive) said = hear();
  if (said == Word::done) return;
  const Tensor kind_and_length = Tensor::empty({2}, DType::i64);
  ranks.broadcast(kind_and_length, 0);
  const std::vector<int64_t> numbers = kind_and_length.to_vector<int64_t>();
  const Tensor message = Tensor::empty({numbers[1]}, DType::u8);
  ranks.broadcast(message, 0);
  const std::vector<uint8_t> text = message.to_vector<uint8_t>();
  throw Error(static_cast<ErrorKind>(numbers[0]), std::string(text.begin(), text.end()));
}

}  // namespace vae::parallel
