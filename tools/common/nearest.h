#pragma once
// What a user may have meant.
#include <string>
#include <vector>

namespace vae::tool {

/// The known word that the fewest edits make of `word` (a letter put in, left out, changed, or two neighbours
/// exchanged), one, or one for every three letters; none where all are further away.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace vae::tool
