#include "nn/fit/outcome.h"

#include <fmt/ranges.h>

#include <cmath>
#include <exception>

#include "nn/report/run_report.h"
#include "tensor/file.h"
#include "tensor/parallel.h"
#include "tensor/print.h"
#include "tensor/runtime.h"

namespace vae::fit {

train::LoopResult train_recipe(train::Recipe& recipe, const train::RunDirectory& directory,
                               const train::Task::Options& task_options, train::LoopOptions loop) {
  for (const char* name : {train::kCheckpointFile, "results.json", "report.html"}) directory.claim(name);
  if (recipe.selection()) directory.claim(train::kBestFile);
  train::Task task(recipe, task_options);
  if (loop.iters_per_epoch == 0) loop.iters_per_epoch = recipe.steps_per_pass();
  loop.after_epoch = [&](int64_t epoch, int64_t step, train::EventFile& events) {
    const nn::TestMode test(recipe.model());
    const train::Groups::Averaged averaged(task.groups());
    const auto last = train::last_step(task_options.seed, step, recipe.model().options().device, "");
    std::vector<std::byte> png;
    try {
      const std::optional<report::Image> shown = recipe.preview(last);
      if (!shown) return;
      png = report::encode_png(*shown);
    } catch (const std::exception& e) {
      return note("no preview of epoch {}: {}\n", epoch, e.what());
    }
    events.add_image(step, "reconstructed_x", {reinterpret_cast<const uint8_t*>(png.data()), png.size()});
  };
  train::LoopResult result = train::run_loop(task, directory, loop);
  task.groups().use_averages();
  return result;
}

report::Summary summarize(train::Recipe& recipe, const train::Scalars& metrics,
                          const train::Step& last_step) {
  report::Summary summary;
  for (const train::Scalar& metric : metrics) summary.results[metric.name] = metric.value;
  try {
    recipe.report(summary, last_step);
  } catch (const std::exception& e) {
    summary.left_out.push_back(fmt::format("the rest of the report is left out: {}", e.what()));
  }
  return summary;
}

train::Scalar score_of(const report::Summary& summary) {
  const auto found = summary.results.find(summary.score);
  const bool known = found != summary.results.end() && found->is_number();
  return {summary.score, known ? found->get<double>() : NAN};
}

void print(const report::Summary& summary) {
  for (const std::string& line : summary.lines) say("{}\n", line);
  print_left_out(summary);
}

void print_left_out(const report::Summary& summary) {
  for (const std::string& line : summary.left_out) note("{}\n", line);
}

namespace {

/// Its number, and its metrics as "best_METRIC".
void add_best(report::Summary& summary, const train::Best& best) {
  summary.results["best_epoch"] = best.epoch;
  std::string line = fmt::format("best epoch {} by {}:", best.epoch, best.metric);
  for (const auto& [name, value] : best.metrics) {
    summary.results["best_" + name] = value;
    line += fmt::format("  {} {:.5g}", name, value);
  }
  summary.lines.push_back(line);
  summary.headline.push_back(
      {"best epoch", fmt::format("{} ({} {:.4g})", best.epoch, best.metric, best.value())});
}

/// A picture as the files that it becomes.
struct Drawn {
  std::vector<std::byte> png;
  std::optional<report::Figure> figure{};
  std::string svg{}, pdf{};  ///< of a figure

  explicit Drawn(const report::Picture& picture) {
    if (const auto* f = std::get_if<report::Figure>(&picture)) figure = *f, svg = f->svg(), pdf = f->pdf();
    png = report::encode_png(figure ? figure->image() : std::get<report::Image>(picture));
  }
  /// Returns the path of the PNG.
  std::string write(const std::filesystem::path& run, const std::string& name) const {
    const std::filesystem::path path = train::claim(run, name + ".png");
    write_file_atomically(path, png);
    if (figure) {
      write_file_atomically(train::claim(run, name + ".svg"), svg);
      write_file_atomically(train::claim(run, name + ".pdf"), pdf);
    }
    return path.string();
  }
};

}  // namespace

void write_picture(const std::filesystem::path& run, const std::string& name,
                   const report::Picture& picture) {
  say("picture: {}\n", Drawn(picture).write(run, name));
}

void WrittenPictures::check() const {
  if (failure) std::rethrow_exception(failure);
}

WrittenPictures write_pictures(const std::filesystem::path& run, const report::Summary& summary) {
  WrittenPictures written;
  std::vector<std::string> paths;
  const auto write = [&](const auto& name, const auto& caption, const auto& make, bool shown) {
    std::optional<Drawn> drawn;
    try {
      drawn.emplace(make());
    } catch (const std::exception& e) {
      return note("no picture {}: {}\n", name, e.what());
    }
    try {
      paths.push_back(drawn->write(run, name));
      if (shown) written.shown.push_back({drawn->png, caption, drawn->figure});
    } catch (const Error&) {
      if (!written.failure) written.failure = std::current_exception();
    }
  };
  for (const auto& [name, caption, make] : summary.pictures) write(name, caption, make, true);
  if (summary.confusion)  // the report has it elsewhere
    write(
        "confusion", "", [&] { return report::Picture(summary.confusion->figure()); }, false);
  if (!paths.empty()) say("pictures: {}\n", fmt::join(paths, ", "));
  return written;
}

void write_outcome(const std::filesystem::path& run, report::Summary summary, const train::LoopResult& result,
                   const nlohmann::ordered_json& config, const Images& images,
                   const std::vector<report::Fact>& origin) {
  if (result.best) add_best(summary, *result.best);
  report::RunFacts facts{config, {}, {}, images.train.class_names, result.iterations, result.seconds};
  for (const data::Dataset* part : {&images.train, &images.test})
    facts.data.push_back({part == &images.train ? "training" : "test", part->name,
                          fmt::to_string(part->size()), part->images.shape().str(), part->sha256});
  const Device device = images.data.train.device();
  facts.environment = {
      {"device", fmt::format("{}: {}", device.str(), runtime(device.type).name(device.index))},
      {"CPU threads", fmt::to_string(num_threads())}};
  facts.environment.insert(facts.environment.end(), origin.begin(), origin.end());
  print(summary);
  report::write_results(run, summary, facts);
  const WrittenPictures pictures = write_pictures(run, summary);
  report::write_report(run, summary, pictures.shown, facts);
  say("report: {}\n", (run / "report.html").string());
  pictures.check();
}

}  // namespace vae::fit
