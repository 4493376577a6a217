#include "tools/fid/features.h"

#include <algorithm>

#include "nn/train/progress.h"

namespace vae::fid {

Progress progress_of(bool quiet) {
  return [quiet](const std::string& job) -> eval::OnProgress {
    return [quiet, job, shown = std::shared_ptr<train::Progress>()](int64_t done, int64_t total) mutable {
      if (!shown)
        shown = std::make_shared<train::Progress>(
            train::Progress::Options{.total = total, .done = done, .quiet = quiet, .label = job});
      shown->update(done);
    };
  };
}

Tensor features_of(const std::string& set, const Tensor& images, const features::Extractor& extractor,
                   const Progress& progress) try {
  constexpr int64_t kImages = 100;
  const eval::OnProgress on_progress = progress("features of " + set);
  const int64_t n = images.size(0);
  const Tensor all = Tensor::empty({n, extractor.width()});
  for (int64_t begin = 0; begin < n; begin += kImages) {
    const int64_t end = std::min(n, begin + kImages);
    all.slice(begin, end).copy_from(extractor(images.slice(begin, end)));
    on_progress(end, n);
  }
  return all;
} catch (const Error& error) {
  fail(error.kind(), "{}: {}", set, error.what());
}

}  // namespace vae::fid
