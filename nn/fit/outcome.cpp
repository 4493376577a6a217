#include "nn/fit/outcome.h"

#include <fmt/format.h>

#include "nn/report/run_report.h"
#include "tensor/parallel.h"

namespace vae::fit {

train::LoopResult train_recipe(train::Recipe& recipe, const train::RunDirectory& directory,
                               const train::Task::Options& task_options, train::LoopOptions loop) {
  train::Task task(recipe, task_options);
  if (loop.iters_per_epoch == 0) loop.iters_per_epoch = recipe.steps_per_pass();
  loop.after_epoch = [&](int64_t, int64_t step, train::EventFile& events) {
    const nn::TestMode test(recipe.model());
    const auto last = train::last_step(task_options.seed, step, recipe.model().options().device, "");
    const std::optional<report::Image> shown = recipe.preview(last);
    if (!shown) return;
    const std::vector<std::byte> png = report::encode_png(*shown);
    events.add_image(step, "reconstructed_x", {reinterpret_cast<const uint8_t*>(png.data()), png.size()});
  };
  return train::run_loop(task, directory, loop);
}

report::Summary summarize(train::Recipe& recipe, const train::Scalars& metrics,
                          const train::Step& last_step) {
  report::Summary summary;
  for (const train::Scalar& metric : metrics) summary.results[metric.name] = metric.value;
  recipe.report(summary, last_step);
  return summary;
}

void write_picture(const std::filesystem::path& run, const std::string& name,
                   const report::Picture& picture) {
  if (const auto* image = std::get_if<report::Image>(&picture))
    return report::write_png(run / (name + ".png"), *image);
  for (const char* extension : {".png", ".svg"})
    std::get<report::Figure>(picture).write(run / (name + extension));
}

void write_outcome(const std::filesystem::path& run, const report::Summary& summary,
                   const train::LoopResult& result, const nlohmann::ordered_json& config,
                   const Images& images) {
  for (const std::string& line : summary.lines) fmt::print("{}\n", line);
  for (const report::NamedPicture& picture : summary.pictures) try {
      write_picture(run, picture.name, picture.make());
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::io) throw;
      fmt::print(stderr, "no picture {}: {}\n", picture.name, e.what());
    }
  report::RunFacts facts{config, {}, {}, result.iterations, result.seconds};
  for (const data::Dataset* part : {&images.train, &images.test})
    facts.data.push_back({part == &images.train ? "training" : "test", part->name,
                          fmt::to_string(part->size()), part->images.shape().str(), part->sha256});
  facts.environment = {{"device", images.data.train.device().str()},
                       {"CPU threads", fmt::to_string(num_threads())}};
  report::write_run_report(run, summary, facts);
  fmt::print("report: {}\n", (run / "report.html").string());
}

}  // namespace vae::fit
