#pragma once
// Communicator::on_first(), for communicators that can pass a word of rank 0 to the others.
#include <chrono>
#include <functional>

#include "tensor/communicator.h"

namespace vae::parallel {

/// What rank 0 says of its work.
enum class Word : char { alive = 1, done, failed };

/// Rank 0: does the work alone while a second thread says `alive` every now and then, at least four times
/// within the limit; then says how it ended. tell() passes a word to all other ranks.
void work_as_first(Communicator& ranks, std::chrono::milliseconds limit, const std::function<void()>& work,
                   const std::function<void(Word)>& tell);
/// The others: wait until it has ended. hear() waits for the next word. Throws the Error of the work.
void wait_for_first(Communicator& ranks, const std::function<Word()>& hear);

}  // namespace vae::parallel
