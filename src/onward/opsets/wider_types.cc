// Element types that an older version does not take yet: a wider one stands in where the answer is the same.
#include "onward/opsets/lowering.h"
#include "onward/ops/allowed_types.h"
#include "onward/ops/node_types.h"

namespace onward {
namespace {

// Types that hold every value of another, the nearest first.
struct Wider { DataType type; std::initializer_list<DataType> all; };
using enum DataType;
const Wider wider[] = {
    {b8, {u8, i32, i64, DataType::f32}}, {u8, {i32, i64, DataType::f32, DataType::f64}}, {i8, {i32, i64, DataType::f32, DataType::f64}},
    {u16, {i32, i64, DataType::f32, DataType::f64}}, {i16, {i32, i64, DataType::f32, DataType::f64}}, {i32, {i64, DataType::f64}},
    {u32, {i64, DataType::f64}}, {f16, {DataType::f32, DataType::f64}}, {bf16, {DataType::f32, DataType::f64}},
    {f8e4m3fn, {DataType::f32}}, {f8e4m3fnuz, {DataType::f32}}, {f8e5m2, {DataType::f32}}, {f8e5m2fnuz, {DataType::f32}},
    {f4e2m1, {DataType::f32}}, {f8e8m0, {DataType::f32}}, {u4, {u8, i32}}, {i4, {i8, i32}}, {u2, {u8, i32}}, {i2, {i8, i32}},
};

// They move elements or compare them: any wider type gives the same.
constexpr std::string_view movers[] = {
    "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split", "Slice", "Gather", "GatherElements", "GatherND", "Expand", "Tile", "Pad",
    "Where", "Compress", "DepthToSpace", "SpaceToDepth", "ReverseSequence", "OneHot", "TopK", "Max", "Min", "Unique", "ReduceMax", "ReduceMin", "ArgMax",
    "ArgMin", "NonZero", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Sign", "Abs", "Relu", "Clip", "IsNaN", "IsInf", "Shape", "Size",
    "MaxPool", "Identity", "Dropout", "ScatterElements", "ScatterND", "Scatter", "Trilu", "PRelu", "EyeLike", "Neg", "Mod", "MaxRoiPool", "GlobalMaxPool",
};
// Of integers they give the wider answer's low bits, which is what casting back takes.
constexpr std::string_view rings[] = {"Add", "Sub", "Mul", "Sum", "Div", "MatMul", "Gemm", "ReduceSum", "ReduceProd", "CumSum"};
// They know no kernel for small floats either, or what they do to them depends on the type itself.
constexpr std::string_view never[] = {"If", "Loop", "Scan", "Cast", "CastLike", "Constant", "ConstantOfShape", "QuantizeLinear", "DequantizeLinear", "QLinearMatMul", "QLinearConv",
                                      "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Optional", "OptionalGetElement",
                                      "OptionalHasElement", "SequenceConstruct", "SequenceMap"};

template <size_t n> bool among(const std::string_view (&list)[n], std::string_view op) { return std::find(list, list + n, op) != list + n; }

bool widens_exactly(std::string_view op, DataType type, bool scatters) {
  if (among(never, op) || type == DataType::str || contains(complex_types, type)) return false;
  if (contains(small_floats, type)) return true;          // their kernels compute in float as well
  return !scatters && (among(movers, op) || among(rings, op));
}

const AllowedTypes* constraint_of(std::span<const AllowedTypes> all, std::string_view name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const AllowedTypes& a) { return a.constraint == name; });
  return it == all.end() ? nullptr : &*it;
}

Types allowed_in(const AllowedTypes& allowed, TypeInfo::Kind kind) {
  return kind == TypeInfo::Kind::sequence ? allowed.sequences : kind == TypeInfo::Kind::optional ? allowed.optionals : allowed.tensors;
}

// The types of one form that a port asks for: those of its constraint, or the one that it names.
bool allows(const Signature& form, std::string_view port_type, const Knowledge& value) {
  if (value.element == DataType::none || value.kind == TypeInfo::Kind::none || value.kind == TypeInfo::Kind::map) return true;
  if (const DataType only = only_type(port_type); only != DataType::none) return only == value.element;
  const AllowedTypes* allowed = constraint_of(allowed_types(form), port_type);
  return !allowed || contains(allowed_in(*allowed, value.kind), value.element);
}

std::string name_in_text(const Port& port, size_t nth) { return nth == 0 ? std::string(port.name) : text(port.name, "_", nth); }

}  // namespace

std::string text_with_wider_types(const Lowering& at) {
  const Signature& form = *at.target_form;
  const auto inputs = ports(form.inputs), outputs = ports(form.outputs);
  std::map<std::string_view, DataType> replaced;          // by constraint
  const auto check = [&](const Port& port, const std::string& name) {
    const Knowledge& value = at.known.of(name);
    if (name.empty() || allows(form, port.type, value) || replaced.contains(port.type)) return;
    const bool scatters = at.node.op.starts_with("Scatter") && at.attribute("reduction", std::string("none")) != "none";
    const AllowedTypes* allowed = constraint_of(allowed_types(form), port.type);
    if (allowed && value.kind == TypeInfo::Kind::tensor && widens_exactly(at.node.op, value.element, scatters))
      for (const Wider& w : wider) if (w.type == value.element)
        for (DataType to : w.all) if (contains(allowed->tensors, to)) { replaced[port.type] = to; return; }
    at.refuse("'", name, "' is ", name_of(value.element), ", which it does not take there");
  };
  for (size_t i = 0; i < at.node.inputs.size() && !inputs.empty(); ++i) check(inputs[std::min(i, inputs.size() - 1)], at.node.inputs[i]);
  for (size_t k = 0; k < at.node.outputs.size() && !outputs.empty(); ++k) check(outputs[std::min(k, outputs.size() - 1)], at.node.outputs[k]);
  if (replaced.empty()) return "";

  std::string before, arguments, results, after;
  for (size_t i = 0; i < at.node.inputs.size(); ++i) {
    const Port& port = inputs[std::min(i, inputs.size() - 1)];
    const std::string name = name_in_text(port, i - std::min(i, inputs.size() - 1));
    const auto it = replaced.find(port.type);
    const bool cast = it != replaced.end() && at.has(i);
    if (cast) before += text(name, "_wide = Cast(", name, "; to=", type_number(it->second), ")\n");
    arguments += text(i ? ", " : "", at.has(i) ? name : "", cast ? "_wide" : "");
  }
  for (size_t k = 0; k < at.node.outputs.size(); ++k) {
    const Port& port = outputs[std::min(k, outputs.size() - 1)];
    const std::string name = name_in_text(port, k - std::min(k, outputs.size() - 1));
    const bool cast = replaced.contains(port.type);
    if (cast && at.wants(k)) after += text(name, " = Cast(", name, "_wide; to=", type_number(at.known.of(at.node.outputs[k]).element), ")\n");
    results += text(k ? ", " : "", name, cast ? "_wide" : "");
  }
  return text(before, results, " = ", called(at.node, arguments), "\n", after);
}

}  // namespace onward
