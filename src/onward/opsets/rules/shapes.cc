// Operators that move elements: axes and sizes that were attributes, modes that came later.
#include "onward/opsets/lowering.h"

namespace onward {
namespace {

// Inputs that are attributes in the older form: constants only.
std::string axes_as_attribute(Lowering& at) {
  const bool unsqueezes = at.node.op == "Unsqueeze";
  if (at.has(1)) {
    const auto axes = at.integers_needed(1);
    if (!axes.empty() || unsqueezes) at.node.attributes["axes"] = axes;
    at.node.inputs.resize(1);
  }
  return "";
}

// Whether any or all are true; of none at all the smallest number is false and the largest true.
std::string reduce_bools(Lowering& at) {
  if (at.type(0) != DataType::b8) return "";
  return text("w = Cast(data; to=6)\n r = ", called(at.node, at.has(1) ? "w, axes" : "w"), "\n reduced = Greater(r, int32 0)");
}

// noop_with_empty_axes without axes: for these the element itself; for others what one element reduces to.
std::string reduce(Lowering& at) {
  const auto axes = at.has(1) ? at.integers_needed(1) : std::vector<int64_t>();
  const bool noop = at.attribute<int64_t>("noop_with_empty_axes", 0) != 0;
  if (noop && axes.empty()) {
    for (std::string_view same : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceLogSumExp"}) if (at.node.op == same) return "reduced = Identity(data)";
    for (std::string_view same : {"ReduceL1", "ReduceL2"}) if (at.node.op == same) return "reduced = Abs(data)";
    if (at.node.op == "ReduceSumSquare") return "reduced = Mul(data, data)";
    return "reduced = Log(data)";
  }
  if (const auto it = at.node.attributes.find("noop_with_empty_axes"); it != at.node.attributes.end()) at.node.attributes.erase(it);
  return axes_as_attribute(at);
}

// Axes counted from the end came with opset 11.
std::string axes_from_the_front(Lowering& at) {
  const auto axes = at.attribute("axes", std::vector<int64_t>());
  const int64_t axis = at.attribute<int64_t>("axis", 0);
  if (axis >= 0 && std::all_of(axes.begin(), axes.end(), [](int64_t a) { return a >= 0; })) return "";
  const int64_t rank = at.rank(0) + (at.node.op == "Unsqueeze" ? int64_t(axes.size()) : 0);
  if (axis < 0) at.node.attributes["axis"] = axis + rank;
  if (axes.empty()) return "";
  std::vector<int64_t> counted;
  for (int64_t a : axes) counted.push_back(a < 0 ? a + rank : a);
  if (at.node.op == "Unsqueeze" || at.node.op == "Squeeze") std::sort(counted.begin(), counted.end());
  at.node.attributes["axes"] = counted;
  return "";
}

std::string split_before_18(Lowering& at) {
  const auto it = at.node.attributes.find("num_outputs");
  if (it == at.node.attributes.end()) return "";
  const int64_t parts = at.attribute<int64_t>("num_outputs", 1);
  at.node.attributes.erase(it);
  if (at.has(1)) return "";
  if (parts < 1) invalid("num_outputs is ", parts);
  const int64_t rank = at.rank(0), axis = at.attribute<int64_t>("axis", 0);
  const int64_t size = (*at.input(0).dims)[size_t(axis < 0 ? axis + rank : axis)];
  if (is_symbol(size)) at.refuse("the size of axis ", axis, " is not known, and with it whether ", parts, " parts are equal");
  if (size % parts == 0) return "";
  const int64_t part = (size + parts - 1) / parts;
  std::vector<int64_t> sizes(size_t(parts), part);
  sizes.back() = size - part * (parts - 1);
  std::string outputs;
  for (size_t k = 0; k < at.node.outputs.size(); ++k) outputs += k ? text(", outputs_", k) : "outputs";
  return text(outputs, " = ", called(at.node, text("input, ", literal(sizes))));
}

std::string split_sizes_as_attribute(Lowering& at) {
  if (at.has(1)) at.node.attributes["split"] = at.integers_needed(1);
  if (at.has(1)) at.node.inputs.resize(1);
  return "";
}

std::string slice_before_10(Lowering& at) {
  const auto starts = at.integers_needed(1), ends = at.integers_needed(2);
  if (at.has(4)) for (int64_t step : at.integers_needed(4)) if (step != 1) at.refuse("a step of ", step, "; there all are 1");
  at.node.attributes["starts"] = starts, at.node.attributes["ends"] = ends;
  if (at.has(3)) {
    auto axes = at.integers_needed(3);
    for (int64_t& a : axes) if (a < 0) a += at.rank(0);
    at.node.attributes["axes"] = axes;
  }
  at.node.inputs.resize(1);
  return "";
}

std::string pad_before_19(Lowering& at) {
  if (at.attribute("mode", std::string("constant")) == "wrap") at.refuse("mode \"wrap\" came with opset 19");
  return "";
}

std::string pad_before_18(Lowering& at) {
  if (!at.has(3)) return "";
  const auto axes = at.integers_needed(3);
  const auto rank = size_t(at.rank(0));
  const auto pads = at.integers_of(1);
  if (!pads) at.refuse("its input 'pads' is computed when the model runs, and names some axes only");
  if (pads->size() != 2 * axes.size()) invalid(pads->size(), " pads for ", axes.size(), " axes");
  std::vector<int64_t> all(2 * rank, 0);
  for (size_t k = 0; k < axes.size(); ++k) {
    const auto axis = size_t(axes[k] < 0 ? axes[k] + int64_t(rank) : axes[k]);
    if (axis >= rank) invalid("axis ", axes[k], " is outside rank ", rank);
    all[axis] = (*pads)[k], all[rank + axis] = (*pads)[axes.size() + k];
  }
  return text("output = ", called(at.node, text("data, ", literal(all), at.has(2) ? ", constant_value" : "")));
}

std::string pad_before_11(Lowering& at) {
  at.node.attributes["pads"] = at.integers_needed(1);
  if (at.has(2)) {
    const Tensor* value = at.constant(2);
    if (!value || value->size() != 1) at.refuse("its input 'constant_value' is computed when the model runs; there it is an attribute");
    float number = 0;
    const bool exact = for_type<f32 | f64 | f16 | bf16 | i32 | i64 | u8 | i8 | i16 | u16>(value->type(), [&]<class T>() { number = float(*value->data<T>()); })
                       && for_type<f32 | f64 | f16 | bf16 | i32 | i64 | u8 | i8 | i16 | u16>(value->type(), [&]<class T>() { if (double(number) != double(compute_t<T>(*value->data<T>())) && number == number) at.refuse("constant_value is no float32; there it is"); });
    if (!exact) at.refuse("constant_value is ", shown(*value), "; there it is a float32");
    at.node.attributes["value"] = number;
  }
  at.node.inputs.resize(1);
  return "";
}

std::string shape_before_15(Lowering& at) {
  const bool whole = !at.node.attributes.contains("end") && at.attribute<int64_t>("start", 0) == 0;
  if (whole) return "";
  const int64_t start = at.attribute<int64_t>("start", 0), end = at.attribute<int64_t>("end", INT64_MAX);
  return text("all = Shape(data)\n shape = Slice(all, int64 [", start, "], int64 [", end, "], int64 [0])");
}

std::string reshape_before_14(Lowering& at) {
  if (!at.attribute<int64_t>("allowzero", 0)) return "";
  const auto shape = at.integers_of(1);
  if (!shape) at.refuse("allowzero=1 with a computed shape: there a 0 stands for the size that the axis has");
  for (int64_t size : *shape) if (size == 0) at.refuse("allowzero=1 with a size of 0: there a 0 stands for the size that the axis has");
  at.node.attributes.erase(at.node.attributes.find("allowzero"));
  return "";
}

// The part above or below a diagonal, by comparing row and column numbers.
std::string trilu(Lowering& at) {
  const bool upper = at.attribute<int64_t>("upper", 1) != 0;
  return text(R"(
    s = Shape(input)
    n = Gather(s, int64 -2)
    m = Gather(s, int64 -1)
    rows = Range(int64 0, n, int64 1)
    columns = Range(int64 0, m, int64 1)
    down = Unsqueeze(rows, int64 [1])
    distance = Sub(columns, down)
    )", at.has(1) ? "" : "k_0 = Constant(; value=int64 0)\n", upper ? "gone = Less(distance, " : "gone = Greater(distance, ", at.has(1) ? "k" : "k_0", R"()
    zero = Cast(int64 0; to=)", type_number(at.type(0)), R"()
    output = Where(gone, zero, input))");
}

std::string constant_of_shape_before_20(Lowering& at) {
  const auto it = at.node.attributes.find("value");
  const auto* value = it == at.node.attributes.end() ? nullptr : std::get_if<Tensor>(&it->second);
  if (!value || contains((every_type - small_floats - small_ints) | f16, value->type())) return "";
  return "c = Constant(; value=@value)\n scalar = Squeeze(c)\n output = Expand(scalar, input)";
}

std::string constant_of_shape_before_9(Lowering& at) {
  const bool given = at.node.attributes.contains("value");
  return text(given ? "c = Constant(; value=@value)\n scalar = Squeeze(c)\n" : "scalar = Constant(; value=float 0)\n", "output = Expand(scalar, input)");
}

std::string cast_like(Lowering& at) {
  if (at.type(1) == DataType::none) at.refuse("the type of '", at.node.inputs[1], "' is not known");
  std::string extra;
  for (const char* name : {"saturate", "round_mode"}) if (at.node.attributes.contains(name)) extra += text(", ", name, "=@", name);
  return text("output = Cast(input; to=", type_number(at.type(1)), extra, ")");
}

std::string cast_before_24(Lowering& at) {
  const auto it = at.node.attributes.find("round_mode");
  if (it != at.node.attributes.end() && at.attribute<int64_t>("to", 0) != int64_t(DataType::f8e8m0)) at.node.attributes.erase(it);
  return "";
}

std::string cast_before_19(Lowering& at) {
  const auto it = at.node.attributes.find("saturate");
  if (it != at.node.attributes.end() && !contains(small_floats - f16 - bf16, DataType(at.attribute<int64_t>("to", 0)))) at.node.attributes.erase(it);
  return "";
}

// The numbers 0, 1, … as the positions of ones.
std::string range_before_11(Lowering& at) {
  if (!contains(i32 | i64, at.type(0))) at.refuse("numbers of type ", name_of(at.type(0)), " cannot be counted there");
  const auto start = at.integers_of(0), step = at.integers_of(2);
  if (!start || (*start)[0] != 0 || !step || (*step)[0] != 1) at.refuse("there it counts from 0 in steps of 1 only");
  return text(R"(
    last = Cast(limit; to=7)
    n = Reshape(last, int64 [1])
    ones = ConstantOfShape(n; value=int64 [1])
    places = NonZero(ones)
    flat = Reshape(places, int64 [-1])
    output = Cast(flat; to=)", type_number(at.type(0)), ")");
}

constexpr LoweringRule rules[] = {
    {"ReduceSum", 13, reduce}, {"ReduceL1", 18, reduce}, {"ReduceL2", 18, reduce}, {"ReduceLogSum", 18, reduce}, {"ReduceLogSumExp", 18, reduce},
    {"ReduceMax", 18, reduce}, {"ReduceMean", 18, reduce}, {"ReduceMin", 18, reduce}, {"ReduceProd", 18, reduce}, {"ReduceSumSquare", 18, reduce},
    {"ReduceMax", 20, reduce_bools}, {"ReduceMin", 20, reduce_bools},
    {"Squeeze", 13, axes_as_attribute}, {"Unsqueeze", 13, axes_as_attribute},
    {"Split", 18, split_before_18}, {"Split", 13, split_sizes_as_attribute},
    {"Slice", 10, slice_before_10}, {"Pad", 19, pad_before_19}, {"Pad", 18, pad_before_18}, {"Pad", 11, pad_before_11},
    {"Shape", 15, shape_before_15}, {"Reshape", 14, reshape_before_14}, {"Trilu", 14, trilu},
    {"ConstantOfShape", 20, constant_of_shape_before_20}, {"ConstantOfShape", 9, constant_of_shape_before_9},
    {"CastLike", 15, cast_like}, {"Cast", 24, cast_before_24}, {"Cast", 19, cast_before_19}, {"Range", 11, range_before_11},
    {"ArgMax", 11, axes_from_the_front}, {"ArgMin", 11, axes_from_the_front}, {"Concat", 11, axes_from_the_front}, {"Flatten", 11, axes_from_the_front},
    {"Split", 11, axes_from_the_front}, {"Squeeze", 11, axes_from_the_front}, {"Unsqueeze", 11, axes_from_the_front}, {"Compress", 11, axes_from_the_front},
    {"ReduceL1", 11, axes_from_the_front}, {"ReduceL2", 11, axes_from_the_front}, {"ReduceLogSum", 11, axes_from_the_front},
    {"ReduceLogSumExp", 11, axes_from_the_front}, {"ReduceMax", 11, axes_from_the_front}, {"ReduceMean", 11, axes_from_the_front},
    {"ReduceMin", 11, axes_from_the_front}, {"ReduceProd", 11, axes_from_the_front}, {"ReduceSum", 11, axes_from_the_front},
    {"ReduceSumSquare", 11, axes_from_the_front}, {"Softmax", 11, axes_from_the_front}, {"LogSoftmax", 11, axes_from_the_front}, {"Hardmax", 11, axes_from_the_front},
};

}  // namespace

std::span<const LoweringRule> shape_rules() { return rules; }

}  // namespace onward
