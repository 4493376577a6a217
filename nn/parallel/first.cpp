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
  ranks.broadcast(Tensor::scalar(int64_t{error->exit_code()}));
  text_of_first(ranks, error->what());
  throw Error(*error);
}

void wait_for_first(Communicator& ranks, const std::function<Word()>& hear) {
  Word said = Word::alive;
  while (said == Word::alive) said = hear();
  if (said == Word::done) return;
  const Tensor kind = Tensor::scalar(int64_t{0});
  ranks.broadcast(kind);
  throw Error(static_cast<ErrorKind>(static_cast<int>(kind.item())), text_of_first(ranks, {}));
}

}  // namespace vae::parallel
