#include "models/ml_vae/pictures.h"

#include <set>

#include "nn/report/pictures.h"

namespace vae::ml_vae {
namespace {

/// MNIST test images of the digits 0 to 9 that the published grids show.
constexpr std::array<int64_t, 10> kPublishedDigits{3215, 2034, 7483, 9501, 5178, 2237, 952, 9979, 3064, 8457};

/// Those digits whose class has images in its group.
Tensor with_evidence(const PictureSource& s, const Tensor& digits, const Groups& groups) {
  const std::vector<float> sizes = groups.size.to_vector<float>();
  const auto items = digits.to_vector<int64_t>(), labels = s.test.gather_labels(digits).to_vector<int64_t>();
  std::vector<int64_t> kept;
  for (size_t i = 0; i < items.size(); ++i)
    if (sizes[static_cast<size_t>(labels[i])] > 0) kept.push_back(items[i]);
  return train::items_of(kept, digits.device());
}

}  // namespace

Tensor reference_digits(const PictureSource& s, References wanted) {
  const bool mnist = s.test_name.starts_with("mnist ") && s.test.size() == 10000;
  if (wanted == References::fixed && !mnist)
    fail(ErrorKind::usage, "--references fixed: the published digits are test images of MNIST, not of {}",
         s.test_name);
  if (wanted != References::random && mnist)
    return train::items_of({kPublishedDigits.begin(), kPublishedDigits.end()}, s.test.device());
  std::vector<int64_t> first(static_cast<size_t>(s.classes), -1), digits;
  const Tensor order = train::random_items(s.test, s.test.size(), s.step.key("swap/digits"));
  const auto items = order.to_vector<int64_t>(), labels = s.test.gather_labels(order).to_vector<int64_t>();
  for (size_t i = items.size(); i-- > 0;) first[static_cast<size_t>(labels[i])] = items[i];
  for (const int64_t item : first)
    if (item >= 0 && std::ssize(digits) < report::kMostGridClasses) digits.push_back(item);
  return train::items_of(digits, s.test.device());
}

report::Picture swap_grid(const PictureSource& s, References references, int64_t evidence_images) {
  Tensor digits = reference_digits(s, references);
  Var evidence;  // of each class
  if (evidence_images > 0) {
    const Tensor others = train::random_items(s.test, evidence_images, s.step.key("swap/evidence"));
    const Groups groups = make_groups(s.test.gather_labels(others), s.classes, DType::f32);
    digits = with_evidence(s, digits, groups);
    if (digits.numel() == 0)
      fail(ErrorKind::data,
           "no digit has an image of its class among {} random test images: raise --evidence-images",
           others.numel());
    evidence = accumulate_evidence(s.model.encode(Var(s.test.gather(others))).class_code, groups).mean;
  }
  const Tensor x = s.test.gather(digits);
  const Codes codes = s.model.encode(Var(x));
  const Var class_code = evidence.defined() ? autograd::gather_rows(evidence, s.test.gather_labels(digits))
                                            : codes.class_code.mean;
  return report::swap_picture(x, swap_images(s.model, codes.style.mean.value(), class_code.value()),
                              s.test.pixels.shape());
}

report::Picture reconstructions(const PictureSource& s) {
  const Tensor items = train::random_items(s.test, 100, s.step.key("pictures"));
  const Tensor x = s.test.gather(items);
  const Codes codes = s.model.encode(Var(x));
  return report::reconstruction_picture(
      x, decode_images(s.model, codes.style.mean.value(), codes.class_code.mean.value()),
      s.test.pixels.shape());
}

Tensor tsne_items(const PictureSource& s, int64_t images) {
  const auto labels = s.test.labels.to_vector<int64_t>();
  const int64_t count = std::min(images, s.test.size());
  const std::set<int64_t> all(labels.begin(), labels.end()), first(labels.begin(), labels.begin() + count);
  return first == all ? train::item_range(0, count, s.test.device())
                      : train::random_items(s.test, count, s.step.key("tsne/items"));
}

Tensor tsne_input(const PictureSource& s, const TsneInput& input, const Tensor& items) {
  if (input.code == Embedded::pixels) return s.test.gather(items).to(kCpu);
  const SetCodes codes = encode_set(s.model, s.test);
  const auto sample = [&](const GaussianRows& rows, double deviation) {
    const Tensor eps = train::normal_noise(rows.mean.shape(), s.step.key("tsne/noise"), 0, rows.mean);
    return rows.sample(autograd::affine(Var(eps), input.means ? 0 : deviation, 0).value());
  };
  if (input.code == Embedded::style) return sample(codes.style.rows(items), 1).to(kCpu);
  const GaussianRows own = codes.class_code.rows(items);
  if (!input.evidence) return sample(own, 1).to(kCpu);
  const Tensor labels = s.test.gather_labels(items);
  const Tensor of_group = sample(evidence_of(own, labels, s.classes), s.model.config().noise_std);
  return autograd::gather_rows(Var(of_group), labels).value().to(kCpu);
}

}  // namespace vae::ml_vae
