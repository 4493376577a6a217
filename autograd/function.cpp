#include "autograd/function.h"

#include <array>
#include <cctype>

namespace vae::autograd {

std::string_view detail::function_of(const char* signature) {
  const std::string_view text = signature;
  return text.substr(0, text.find('('));
}

std::string_view detail::operand_of(const char* signature, size_t i) {
  std::string_view text = signature;
  if (const size_t open = text.find('('); open != text.npos) text.remove_prefix(open);
  const auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t begin = 0; begin < text.size(); ++begin) {
    if (!is_name(text[begin])) continue;
    size_t end = begin;
    while (end < text.size() && is_name(text[end])) ++end;
    if (i-- == 0) return text.substr(begin, end - begin);
    begin = end;
  }
  return "operand";
}

std::string detail::text_of(const Tensor& x) {
  return fmt::format("{} {}", name_of(x.dtype()), x.shape().str());
}

void detail::check_operands(const char* signature, std::initializer_list<const Var*> operands) {
  size_t i = 0;
  const Var* first = nullptr;
  for (const Var* v : operands) {
    if (v && !v->defined()) misuse(function_of(signature), "{} is undefined", operand_of(signature, i));
    if (v && !first) first = v;
    if (v && (v->value().dtype() != first->value().dtype() || v->value().device() != first->value().device()))
      misuse(function_of(signature), "{} is {}, but {} is {}: operands have one dtype and lie on one device",
             operand_of(signature, i), v->value().str(), operand_of(signature, 0), first->value().str());
    ++i;
  }
}

void detail::check_integers(const char* function, const char* name, const Tensor& integers, int64_t count) {
  if (!integers.defined()) misuse(function, "{} is undefined", name);
  if (integers.dtype() != DType::i64 || integers.numel() != count)
    misuse(function, "{} is {}, expected i64 [{}]", name, text_of(integers), count);
}

Shape detail::with_columns(const Shape& shape, int64_t columns) {
  std::vector<int64_t> extents(shape.extents().begin(), shape.extents().end());
  extents.back() = columns;
  return Shape(std::span<const int64_t>(extents));
}

Tensor detail::accumulator(const Backward& b, size_t i) {
  const Slot slot = b.into(i);
  if (slot.write == kernels::Write::set) slot.tensor.zero();
  return slot.tensor;
}

}  // namespace vae::autograd
