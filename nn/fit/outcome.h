#pragma once
// From a recipe to a finished run in its directory: training, pictures, results and report.
#include "nn/fit/images.h"
#include "nn/report/summary.h"
#include "nn/train/loop.h"
#include "nn/train/task.h"

namespace vae::fit {

/// Trains a recipe in a run directory; epochs of 0 iterations are passes over the images. A preview, where
/// the recipe has one, is shown after each epoch. Throws as train::run_loop() does.
train::LoopResult train_recipe(train::Recipe& recipe, const train::RunDirectory& directory,
                               const train::Task::Options& task, train::LoopOptions loop);

/// What a recipe says of a model after so many iterations, metrics among its results.
report::Summary summarize(train::Recipe& recipe, const train::Scalars& metrics, const train::Step& last_step);

/// Writes a picture into the folder of a run: NAME.png, of a figure NAME.svg, too.
void write_picture(const std::filesystem::path& run, const std::string& name, const report::Picture& picture);

/// Writes pictures, results.json and report.html and prints the lines of the summary; a picture that cannot
/// be made costs a line on standard error. Throws Error(io) where a file cannot be written. `config`: the
/// options of the run.
void write_outcome(const std::filesystem::path& run, const report::Summary& summary,
                   const train::LoopResult& result, const nlohmann::ordered_json& config,
                   const Images& images);

}  // namespace vae::fit
