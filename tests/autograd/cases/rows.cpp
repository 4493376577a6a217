// Cases of the functions that move rows and columns and sum over groups of rows.
#include "tests/autograd/cases/catalogue.h"

namespace vae::autograd::detail {
namespace {

/// i64 numbers below `limit` in a fixed irregular order that skips the last one, on the device of x.
Tensor ids_of(int64_t rows, int64_t limit, const Var& x) {
  std::vector<int64_t> ids(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r)
    ids[static_cast<size_t>(r)] = (r * r + 3 * r + 1) % std::max<int64_t>(limit - 1, 1);
  return integers(ids, x);
}

void add_reshapes(std::vector<Case>& cases) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{0, 4}, {1, 1}, {31, 33}, {3, 257}}) {
    const std::string sizes = fmt::format("{}x{}", rows, columns);
    const CaseInput x{{rows, columns}};
    cases.push_back({"reshape", "reshape/" + sizes, {x}, [rows, columns](const Inputs& v) {
                       return reshape(square(v[0]), {columns, rows});
                     }});
    for (const int64_t copies : {0, 1, 3})
      cases.push_back({"repeat_rows",
                       fmt::format("repeat_rows/{} times {}", copies, sizes),
                       {x},
                       [copies](const Inputs& v) { return repeat_rows(v[0], copies); }});
  }
  for (const int64_t groups : {1, 3, 33})
    cases.push_back({"repeat_rows",
                     fmt::format("repeat_rows/5 times 33x7 in {} groups", groups),
                     {{{33, 7}}},
                     [groups](const Inputs& v) { return repeat_rows(v[0], 5, groups); }});
}

void add_columns(std::vector<Case>& cases) {
  struct Sizes {
    int64_t rows, a, b, c;
  };
  for (const Sizes& s :
       {Sizes{5, 1, 1, 1}, {0, 2, 3, 4}, {31, 33, 0, 257}, {1, 784, 10, 32}, {257, 2, 3, 4}}) {
    const std::string sizes = fmt::format("{}x({}+{}+{})", s.rows, s.a, s.b, s.c);
    const CaseInput a{{s.rows, s.a}}, b{{s.rows, s.b}}, c{{s.rows, s.c}}, all{{s.rows, s.a + s.b + s.c}};
    cases.push_back({"concat", "concat/" + sizes, {a, b, c}, [](const Inputs& v) { return concat(v); }});
    cases.push_back({"slice_columns", "slice_columns/" + sizes, {all}, [s](const Inputs& v) {
                       return slice_columns(v[0], s.a, s.a + s.b);
                     }});
    cases.push_back({"slice_columns", "slice_columns/split " + sizes, {all}, [s](const Inputs& v) {
                       const int64_t b = s.a, c = s.a + s.b;
                       return concat({square(slice_columns(v[0], c, c + s.c)), slice_columns(v[0], 0, b),
                                      exp(slice_columns(v[0], b, c))});
                     }});
    // Into a copy: the function writes into the memory of its operand.
    cases.push_back({"overwrite_columns", "overwrite_columns/" + sizes, {all, b}, [s](const Inputs& v) {
                       return square(overwrite_columns(concat({v[0]}), s.a, v[1]));
                     }});
    cases.push_back({"overwrite_columns",
                     "overwrite_columns/one after the other " + sizes,
                     {a, b, c},
                     [s](const Inputs& v) {  // layers that read what those before have written
                       const Tensor& x = v[0].value();
                       const Var room(Tensor::zeros({s.rows, s.b + s.c}, x.dtype(), x.device()));
                       const Var first = concat({v[0], room}), second = overwrite_columns(first, s.a, v[1]);
                       const Var read = square(slice_columns(second, 0, s.a + s.b));
                       const Var third = overwrite_columns(second, s.a + s.b, v[2]);
                       return concat({read, exp(third), square(third)});
                     }});
  }
  cases.push_back(
      {"concat", "concat/images, one twice", {{{2, 3, 4, 5}}, {{2, 3, 4, 2}}}, [](const Inputs& v) {
         return concat({v[0], v[1], v[0]});
       }});
}

void add_picks(std::vector<Case>& cases) {
  for (const auto& [rows, classes] :
       {std::pair<int64_t, int64_t>{0, 10}, {1, 1}, {4, 1}, {31, 10}, {33, 257}, {1, 1000}}) {
    const CaseInput x{{rows, classes}, -4, 4};
    const std::string sizes = fmt::format("{}x{}", rows, classes);
    cases.push_back({"pick", "pick/" + sizes, {x}, [rows, classes](const Inputs& v) {
                       return pick(v[0], labels_of(rows, classes, v[0]));
                     }});
    cases.push_back({"pick", "pick/added to softmax " + sizes, {x}, [rows, classes](const Inputs& v) {
                       return sum(softmax(v[0])) + sum(pick(v[0], labels_of(rows, classes, v[0])));
                     }});
  }
}

void add_rows(std::vector<Case>& cases) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 1}, {31, 33}, {9, 257}}) {
    const std::string sizes = fmt::format("{}x{}", rows, columns);
    const CaseInput x{{rows, columns}};
    cases.push_back({"slice_rows", "slice_rows/halves " + sizes, {x}, [rows](const Inputs& v) {
                       return sum(square(slice_rows(v[0], 0, rows / 2))) +
                              sum(exp(slice_rows(v[0], rows / 2, rows)));
                     }});
    cases.push_back({"gather_rows", "gather_rows/" + sizes, {x}, [rows](const Inputs& v) {
                       return gather_rows(v[0], ids_of(40, rows, v[0]));
                     }});
    cases.push_back({"gather_rows", "gather_rows/of none " + sizes, {x}, [](const Inputs& v) {
                       return gather_rows(v[0], ids_of(0, 1, v[0]));
                     }});
    for (const int64_t groups : {1, 10, 300}) {
      const std::string name = fmt::format("{} in {}", sizes, groups);
      cases.push_back({"segment_sum", "segment_sum/" + name, {x}, [rows, groups](const Inputs& v) {
                         return segment_sum(v[0], ids_of(rows, groups, v[0]), groups);
                       }});
    }
    const CaseInput one{{}, 0, 1}, each{{rows}, 0, 1};
    for (const CaseInput& t : {one, each})
      cases.push_back({"lerp",
                       fmt::format("lerp/mix_rows by {} {}", t.shape.str(), sizes),
                       {x, t},
                       [rows](const Inputs& v) { return mix_rows(v[0], ids_of(rows, rows, v[0]), v[1]); }});
  }
  cases.push_back({"segment_sum", "segment_sum/no rows, images", {{{0, 2, 3}}}, [](const Inputs& v) {
                     return segment_sum(v[0], ids_of(0, 4, v[0]), 4);
                   }});
  cases.push_back({"slice_rows", "slice_rows/images, once and whole", {{{4, 2, 3}}}, [](const Inputs& v) {
                     return sum(slice_rows(v[0], 1, 3)) + sum(square(v[0]));
                   }});
}

void add_blocks_of_rows(std::vector<Case>& cases) {
  struct Sizes {
    int64_t blocks, rows, columns;
  };
  for (const Sizes& s : {Sizes{1, 4, 3}, {10, 0, 5}, {0, 4, 5}, {10, 3, 33}, {4, 31, 65}, {2, 1, 1}}) {
    const std::string sizes = fmt::format("{} x {}x{}", s.blocks, s.rows, s.columns);
    const CaseInput shared{{s.rows, s.columns}}, own{{s.blocks * s.rows, s.columns}},
        v{{s.blocks, s.columns}};
    cases.push_back({"outer_add", "outer_add/" + sizes, {shared, v}, [](const Inputs& x) {
                       return outer_add(x[0], x[1]);
                     }});
    if (s.blocks)
      cases.push_back({"add_blocks", "add_blocks/" + sizes, {own, v}, [](const Inputs& x) {
                         return add_blocks(x[0], x[1]);
                       }});
  }
}

}  // namespace

void add_rows_cases(std::vector<Case>& cases) {
  add_reshapes(cases);
  add_columns(cases);
  add_picks(cases);
  add_rows(cases);
  add_blocks_of_rows(cases);
}

}  // namespace vae::autograd::detail
