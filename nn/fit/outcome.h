#pragma once
// From a recipe to a finished run in its directory: training, pictures, results and report.
#include "nn/fit/images.h"
#include "nn/report/summary.h"
#include "nn/train/loop.h"
#include "nn/train/task.h"

namespace vae::fit {

/// Trains a recipe in a run directory; epochs of 0 iterations are passes over the images. A preview, where
/// the recipe has one, is shown after each epoch. Leaves the weights that the evaluations saw, averaged where
/// the recipe averages. Throws as train::run_loop() does.
train::LoopResult train_recipe(train::Recipe& recipe, const train::RunDirectory& directory,
                               const train::Task::Options& task, train::LoopOptions loop);

/// What a recipe says of a model after so many iterations, metrics among its results. Where the recipe
/// throws, what it said before stays, and the rest is left out.
report::Summary summarize(train::Recipe& recipe, const train::Scalars& metrics, const train::Step& last_step);

/// The score of a summary, by which runs are compared; NaN where it is missing.
train::Scalar score_of(const report::Summary& summary);

/// Prints the lines of a summary, and on standard error what was left out; or that alone.
void print(const report::Summary& summary);
void print_left_out(const report::Summary& summary);

/// Writes a picture into the folder of a run: NAME.png, of a figure NAME.svg and NAME.pdf, too; says
/// where.
void write_picture(const std::filesystem::path& run, const std::string& name, const report::Picture& picture);

/// Makes and writes the pictures of a summary, the confusion matrix among them, whatever happens to single
/// ones, and says where. One that cannot be made costs a line on standard error.
struct WrittenPictures {
  std::vector<report::ShownPicture> shown{};
  std::exception_ptr failure{};  ///< of the first that could not be written
  /// Throws it.
  void check() const;
};
WrittenPictures write_pictures(const std::filesystem::path& run, const report::Summary& summary);

/// Prints a summary, the best epoch among it, and writes results.json, pictures and report.html. Throws
/// Error(io) where one cannot be written, as train::claim() does for a file that is not of the run; a picture
/// keeps none of the others from being written. `config`: the options of the run; `origin`: what else there
/// is to say of how it came about.
void write_outcome(const std::filesystem::path& run, report::Summary summary, const train::LoopResult& result,
                   const nlohmann::ordered_json& config, const Images& images,
                   const std::vector<report::Fact>& origin = {});

}  // namespace vae::fit
