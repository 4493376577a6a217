#include "models/sym_vae/recipe.h"

#include "models/sym_vae/generate.h"
#include "nn/eval/estimate.h"
#include "nn/report/pictures.h"

namespace vae::sym_vae {
namespace {

/// Throws Error(data) for images that the nets do not take.
const train::Data& checked(const train::Data& data) {
  const Shape& shape = data.train.pixels.shape();
  if (shape[1] != kSide || shape[2] != kSide || shape[3] != 1)
    fail(ErrorKind::data,
         "images of {} x {} pixels and {} channels: the symmetric VAE takes 28 x 28 grey ones", shape[1],
         shape[2], shape[3]);
  return data;
}

/// Pixels thresholded where the set is of bits.
train::ImageSet prepared(train::ImageSet set) {
  if (set.inputs == train::Inputs::binary) set.pixels = train::thresholded(set.pixels);
  return set;
}

}  // namespace

SymVaeRecipe::SymVaeRecipe(Settings settings, train::Data data, nn::Options options)
    : settings_(std::move(settings)),
      data_(checked(data)),
      images_(prepared(settings_.trained_on == TrainedOn::all ? train::joined(data.train, data.test)
                                                              : data.train)),
      items_(train::all_items(images_)),
      model_(settings_.model, options),
      log_(options),
      flipped_(number(model_, settings_.flipped)) {
  settings_.batch = train::batch_of(settings_.batch, images_.size());
  data_.test = prepared(data.test);
  std::vector<std::string> names;
  for (const Average& average : averages()) names.emplace_back(average.name);
  running_.emplace(&log_, names);
  const train::Step start(options.seed, Tensor::scalar(int64_t{0}, options.device), options.dtype);
  chain_ = start_of_chain(model_, settings_.chains, start.in("chain")).clone();
}

nlohmann::json SymVaeRecipe::meta() const {
  const Config& c = settings_.model;
  return {{"model", "sym_vae"},
          {"encoder", c.encoder == EncoderKind::ladder ? "ladder" : "reverse"},
          {"likelihood", model_.has_bits() ? "bernoulli" : "gaussian"},
          {"nz0", c.nz0},
          {"nz1", c.nz1},
          {"width", c.width},
          {"encoder_units", c.encoder_units},
          {"prior_units", c.prior_units},
          {"code_units", c.code_units},
          {"decoder_activation", kernels::name_of(c.decoder_activation)}};
}

void SymVaeRecipe::add_state(nn::StateDict& state) {
  model_.add_state(state);
  log_.add_state(state, "log");
  state.add("chain", chain_);
}

std::vector<train::Group> SymVaeRecipe::groups() {
  if (settings_.learning == Learning::elbo) return {{"model", &model_, settings_.adam, {}}};
  return {{"generator", &model_.generator(), settings_.adam, {}},
          {"encoder", &model_.encoder(), settings_.adam, {}}};
}

Var SymVaeRecipe::corrupted(const Var& x, train::Share batch, const train::Step& step) const {
  if (!model_.has_bits()) return x + settings_.noise * step.normal("data", batch, kPixels);
  const Var flips = autograd::bernoulli(Var(flipped_), step.uniform("flip", batch, kPixels).value());
  return autograd::abs_difference(x, flips);
}

std::vector<train::Update> SymVaeRecipe::updates(const train::Step& step) {
  const train::Share batch = step.share(settings_.batch);
  const Tensor items = step.items("batch", items_, batch, {.period = steps_per_pass(), .windows = true});
  const Tensor x =
      images_.draw(items, step.key("noise/pixels"), step.iteration(), step.dtype(), batch.places());
  return updates(corrupted(Var(x), batch, step), batch, step);
}

std::vector<train::Update> SymVaeRecipe::updates(const Var& x, train::Share batch, const train::Step& step) {
  const auto losses = std::make_shared<std::vector<Var>>();
  const auto keep = [losses](std::initializer_list<Var> some) {
    losses->insert(losses->end(), some.begin(), some.end());
  };
  const auto finish = [=, this] { this->finish(x, *losses, batch, step); };
  const bool ladder = model_.statistics().has_value();
  if (settings_.learning == Learning::elbo)
    return {{.losses = {[=, this] {
               const auto [data, kl0, kl1, kl, total] = model_.elbo_losses(x, batch, step);
               step.metric("loss_data", data);
               if (ladder) {
                 step.metric("loss_kl0", kl0), step.metric("loss_kl1", kl1);
                 keep({data, kl0, kl1});
               } else {
                 step.metric("loss_kl", kl);
                 keep({data, kl});
               }
               return total;
             }},
             .after = finish}};
  const auto generator = [=, this] {
    const Codes codes = model_.encode(x, batch, step.in("q"));
    const auto [z1, of_x, total] = model_.generator_losses(x, codes, batch, step.in("p"));
    step.metric("loss_p_z1", z1), step.metric("loss_p_x", of_x);
    ladder ? keep({z1, of_x}) : keep({total});
    return total;
  };
  const auto encoder = [=, this] {
    const Drawn drawn = model_.draw(batch, step.in("p"));
    const auto [z0, z1, total] = model_.encoder_losses(drawn, batch, step.in("q2"));
    step.metric("loss_q_z0", z0), step.metric("loss_q_z1", z1);
    ladder ? keep({z0, z1}) : keep({total});
    return total;
  };
  return {{.groups = {"generator"}, .losses = {generator}},
          {.groups = {"encoder"}, .losses = {encoder}, .after = finish}};
}

void SymVaeRecipe::finish(const Var& x, const std::vector<Var>& losses, train::Share batch,
                          const train::Step& step) const {
  running_->add(losses, step);
  model_.add_statistics(x, batch, step);
  const train::Step of_chain = step.in("lim");
  const Var decoded = model_.chain(Var(chain_), settings_.chains, of_chain);
  of_chain.note("decoded", decoded);
  chain_.copy_from(model_.draw_images(decoded, settings_.chains, of_chain).value());
}

std::vector<SymVaeRecipe::Average> SymVaeRecipe::averages() const {
  const int64_t nz0 = settings_.model.nz0, nz1 = settings_.model.nz1;
  const bool elbo = settings_.learning == Learning::elbo;
  if (settings_.model.encoder == EncoderKind::reverse)
    return elbo ? std::vector<Average>{{"dloss", kPixels}, {"klloss", nz0 + nz1}}
                : std::vector<Average>{{"ploss", kPixels + nz1}, {"qloss", nz0 + nz1}};
  if (elbo) return {{"dloss", kPixels}, {"kl0loss", nz0}, {"kl1loss", nz1}};
  return {{"ploss1", nz1}, {"plossx", kPixels}, {"qloss0", nz0}, {"qloss1", nz1}};
}

std::vector<std::string> SymVaeRecipe::training_metrics() const {
  if (settings_.learning == Learning::symmetric) return {"loss_p_z1", "loss_p_x", "loss_q_z0", "loss_q_z1"};
  if (model_.statistics()) return {"loss_data", "loss_kl0", "loss_kl1"};
  return {"loss_data", "loss_kl"};
}

std::vector<std::string> SymVaeRecipe::reading_metrics() const {
  std::vector<std::string> names{"len"};
  for (const Average& average : averages()) names.emplace_back(average.name);
  if (model_.statistics())
    for (const char* name : {"pmi1", "qmi0", "qmi1"}) names.emplace_back(name);
  return names;
}

train::Scalars SymVaeRecipe::read() {
  double squares = 0;
  for (const nn::Module::Parameter& p : model_.parameters())
    squares += autograd::sum(autograd::square(p.var)).value().item();
  std::vector<double> values{squares / static_cast<double>(model_.parameter_count())};
  for (size_t i = 0; const double nats : running_->values())
    values.push_back(nats / static_cast<double>(averages()[i++].elements));
  if (const auto& statistics = model_.statistics())
    for (const BitStatistics* bits : {&statistics->p_z1, &statistics->q_z0, &statistics->q_z1})
      values.push_back(autograd::mean(Var(bits->information)).value().item());
  train::Scalars readings;
  for (const std::string& name : reading_metrics()) readings.push_back({name, values[readings.size()]});
  return readings;
}

train::Scalars SymVaeRecipe::evaluate(const train::Step& step) {
  if (data_.test.size() == 0) return {};
  const auto loss = [&](int64_t number, const Tensor& items) {
    const train::Step of_batch = step.numbered(number);
    const Var x(data_.test.gather(items));
    return -of_batch.mean(model_.log_weight(x, items.numel(), of_batch), items.numel()).value().item();
  };
  return {{"test_loss", eval::mean_loss(train::all_items(data_.test), eval::kBatch, loss)}};
}

double SymVaeRecipe::nll(int64_t samples, const train::Step& step) {
  const auto body = [&](int64_t number, const Tensor& items, eval::LogMean& estimate) {
    const Var x(data_.test.gather(items));
    for (int64_t l = 0; l < samples; ++l) {
      const train::Step of_draw = step.in(fmt::format("nll/{}", l)).numbered(number);
      estimate.add(to_doubles(model_.log_weight(x, items.numel(), of_draw).value()));
    }
  };
  return eval::importance_nll(train::all_items(data_.test), eval::kBatch, body);
}

void SymVaeRecipe::report(report::Summary& summary, const train::Step& step) {
  const bool symmetric = settings_.learning == Learning::symmetric;
  summary.title = symmetric ? "Symmetric VAE" : "Binary VAE, ELBO";
  report::add_test_loss(summary);
  std::vector<std::string> bits, pixels{training_metrics()[symmetric ? 1 : 0]};
  for (const std::string& name : training_metrics())
    if (name != pixels[0]) bits.push_back(name);
  pixels.emplace_back("test_loss");
  summary.charts = {{"Images", "nats per image", pixels}, {"Bits", "nats per image", bits}};
  if (model_.statistics())
    summary.charts.push_back({"Mutual information", "nats per bit", {"pmi1", "qmi0", "qmi1"}});
  summary.pictures = {
      {"snapshot", "Images of a batch; decoded from their codes; from random codes; one step of a chain",
       [=, this] { return snapshot(*this, step); }},
      {"generated_sh", "Images of random codes",
       [=, this] { return generated(model_, random_images(model_, 40, step.in("generated_sh"))); }},
      {"generated_sta",
       fmt::format("Images after {} steps of the Markov chain x -> z -> x", settings_.chain_steps),
       [=, this] {
         return generated(model_,
                          limiting_images(model_, 40, settings_.chain_steps, step.in("generated_sta")));
       }}};
}

std::optional<report::Image> SymVaeRecipe::preview(const train::Step& step) { return snapshot(*this, step); }

}  // namespace vae::sym_vae
