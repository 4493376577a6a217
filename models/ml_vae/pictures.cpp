#include "models/ml_vae/pictures.h"

#include "nn/report/pictures.h"

namespace vae::ml_vae {
namespace {

/// MNIST test images of the digits 0 to 9 that the published grids show.
constexpr std::array<int64_t, 10> kPublishedDigits{3215, 2034, 7483, 9501, 5178, 2237, 952, 9979, 3064, 8457};

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
    if (item >= 0) digits.push_back(item);
  return train::items_of(digits, s.test.device());
}

report::Picture swap_grid(const PictureSource& s, References references, int64_t evidence_images) {
  const Tensor digits = reference_digits(s, references), x = s.test.gather(digits);
  const Codes codes = s.model.encode(Var(x));
  Var class_code = codes.class_code.mean;
  if (evidence_images > 0) {
    const Tensor others = train::random_items(s.test, evidence_images, s.step.key("swap/evidence"));
    const Groups groups = make_groups(s.test.gather_labels(others), s.classes, DType::f32);
    const Tensor labels = s.test.gather_labels(digits);
    const std::vector<float> sizes = groups.size.to_vector<float>();
    for (const int64_t c : labels.to_vector<int64_t>())
      if (sizes[static_cast<size_t>(c)] == 0)
        fail(ErrorKind::data, "no image of class {} among {} random test images: raise --evidence-images", c,
             others.numel());
    const Codes of_others = s.model.encode(Var(s.test.gather(others)));
    class_code = autograd::gather_rows(accumulate_evidence(of_others.class_code, groups).mean, labels);
  }
  return report::swap_picture(x, swap_images(s.model, codes.style.mean.value(), class_code.value()),
                              s.test.pixels.shape());
}

report::Picture reconstructions(const PictureSource& s) {
  const Tensor items = train::random_items(s.test, 100, s.step.key("pictures"));
  const Codes codes = s.model.encode(Var(s.test.gather(items)));
  return report::reconstruction_picture(
      decode_images(s.model, codes.style.mean.value(), codes.class_code.mean.value()), s.test.pixels.shape());
}

Tensor tsne_input(const PictureSource& s, const TsneInput& input) {
  const Tensor items = train::item_range(0, std::min(input.images, s.test.size()), s.test.device());
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
