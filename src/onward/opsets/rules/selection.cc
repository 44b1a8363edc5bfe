// Operators that pick and place elements, and those that loop.
#include "onward/opsets/lowering.h"

namespace onward {
namespace {

std::string scatter_before_18(Lowering& at) {
  const std::string how = at.attribute("reduction", std::string("none"));
  if (how == "max" || how == "min") at.refuse("reduction \"", how, "\" came with opset 18");
  return "";
}

std::string scatter_before_16(Lowering& at) {
  if (at.attribute("reduction", std::string("none")) != "none") at.refuse("its reduction has no word there");
  return "";
}

std::string scatter_before_11(Lowering& at) {
  const int64_t axis = at.attribute<int64_t>("axis", 0);
  return text("output = Scatter(data, indices, updates; axis=", axis < 0 ? axis + at.rank(0) : axis, ")");
}

// Only the largest were found, in order; the smallest are the largest of the negated.
std::string top_k_before_11(Lowering& at) {
  const bool largest = at.attribute<int64_t>("largest", 1) != 0;
  for (const char* gone : {"largest", "sorted"}) if (const auto it = at.node.attributes.find(gone); it != at.node.attributes.end()) at.node.attributes.erase(it);
  int64_t axis = at.attribute<int64_t>("axis", -1);
  if (axis < -1) at.node.attributes["axis"] = axis += at.rank(0);
  if (largest) return "";
  if (!contains(f32 | f64 | f16, at.type(0))) at.refuse("the smallest of ", name_of(at.type(0)), " numbers were not found before opset 11");
  return text("n = Neg(X)\n v, Indices = ", called(at.node, "n, K"), "\n Values = Neg(v)");
}

std::string optional_has_element_before_18(Lowering& at) {
  if (!at.has(0)) return "none = Constant(; value=bool false)\n output = Identity(none)";
  if (at.input(0).kind == TypeInfo::Kind::tensor || at.input(0).kind == TypeInfo::Kind::sequence) return "output = Constant(; value=bool true)";
  return "";
}

std::string optional_get_element_before_18(Lowering& at) {
  const auto kind = at.input(0).kind;
  return kind == TypeInfo::Kind::tensor || kind == TypeInfo::Kind::sequence ? "output = Identity(input)" : "";
}

// Since opset 11 an index may count from the end: constants are counted from the front.
std::string gather_before_11(Lowering& at) {
  const Tensor* indices = at.constant(1);
  if (!indices || indices->dims().size() > 1) return "";
  std::vector<int64_t> all = integers(*indices);
  if (std::all_of(all.begin(), all.end(), [](int64_t i) { return i >= 0; })) return "";
  const int64_t axis = at.attribute<int64_t>("axis", 0), rank = at.rank(0);
  const int64_t size = (*at.input(0).dims)[size_t(axis < 0 ? axis + rank : axis)];
  if (is_symbol(size)) at.refuse("an index counts from the end of an axis whose size is not known");
  for (int64_t& i : all) i += i < 0 ? size : 0;
  return text("output = ", called(at.node, text("data, ", indices->dims().empty() ? text("int64 ", all.at(0)) : literal(all))));
}

// How many there are up to each place, as the product with a triangle of ones.
std::string cum_sum_before_11(Lowering& at) {
  const auto axes = at.integers_of(1);
  const int64_t rank = at.rank(0);
  if (!axes || axes->size() != 1) at.refuse("its axis is computed when the model runs");
  const int64_t axis = (*axes)[0] < 0 ? (*axes)[0] + rank : (*axes)[0], n = (*at.input(0).dims)[size_t(axis)];
  if (axis != rank - 1 || is_symbol(n) || n > 1024) at.refuse("there it has words for a last axis of known size only");
  if (!contains(f32 | f64, at.type(0))) at.refuse("sums of ", name_of(at.type(0)), " have no words there");
  const bool exclusive = at.attribute<int64_t>("exclusive", 0) != 0, reverse = at.attribute<int64_t>("reverse", 0) != 0;
  std::vector<float> triangle(size_t(n * n));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) triangle[size_t(i * n + j)] = exclusive ? (reverse ? i > j : i < j) : (reverse ? i >= j : i <= j);
  at.node.attributes["triangle"] = Tensor::of<float>({n, n}, triangle);
  return text("t = Constant(; value=@triangle)\n ones = Cast(t; to=", type_number(at.type(0)), ")\n y = MatMul(x, ones)");
}

constexpr LoweringRule rules[] = {
    {"ScatterElements", 18, scatter_before_18}, {"ScatterND", 18, scatter_before_18}, {"ScatterElements", 16, scatter_before_16}, {"ScatterND", 16, scatter_before_16}, {"ScatterElements", 11, scatter_before_11},
    {"TopK", 11, top_k_before_11}, {"OptionalHasElement", 18, optional_has_element_before_18}, {"OptionalGetElement", 18, optional_get_element_before_18},
    {"Gather", 11, gather_before_11}, {"CumSum", 11, cum_sum_before_11},
};

}  // namespace

std::span<const LoweringRule> selection_rules() { return rules; }

}  // namespace onward
