#include "onward/opsets/raising.h"

#include "onward/model/text.h"
#include "onward/ops/convert.h"

namespace onward {
namespace {

// A number of things is a vector of one, an axis a scalar.
Tensor as_tensor(std::string_view name, const Attribute& attribute, DataType wanted) {
  if (auto* i = std::get_if<int64_t>(&attribute)) return Tensor::of<int64_t>(name == "axis" ? Dims{} : Dims{1}, {*i});
  if (auto* ints = std::get_if<std::vector<int64_t>>(&attribute)) return Tensor::of({int64_t(ints->size())}, *ints);
  if (auto* reals = std::get_if<std::vector<float>>(&attribute)) return Tensor::of({int64_t(reals->size())}, *reals);
  const auto* f = std::get_if<float>(&attribute);
  if (!f) unsupported("an attribute became an input and is no number");
  Tensor out(wanted == DataType::none || wanted == DataType::str ? DataType::f32 : wanted, {});
  convert(DataType::f32, f, out.type(), out.raw(), 1);
  return out;
}

// The type that input `i` of the newer form has: that of another input under the same constraint.
DataType type_of_port(const Node& node, const std::vector<Port>& inputs, size_t i, const Known& known) {
  for (size_t k = 0; k < inputs.size() && k < node.inputs.size(); ++k)
    if (k != i && inputs[k].type == inputs[i].type && !node.inputs[k].empty()) return known.of(node.inputs[k]).element;
  return DataType::none;
}

}  // namespace

void raise_by_table(Node& node, const Signature& now, const Signature& then, const Known& known, ValueNames& names, Graph& home) {
  const auto inputs = ports(then.inputs);
  const auto attributes = attribute_facts(then.attributes);
  for (const AttributeFact& old : attribute_facts(now.attributes)) {
    const auto kept = std::find_if(attributes.begin(), attributes.end(), [&](const auto& a) { return a.name == old.name; });
    const bool default_changed = kept == attributes.end() || kept->default_text != old.default_text;
    if (!node.attributes.contains(old.name) && !old.default_text.empty() && default_changed) node.attributes[std::string(old.name)] = parse_attribute(old.default_text);
    const auto it = node.attributes.find(old.name);
    if (it == node.attributes.end() || kept != attributes.end()) continue;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!same_word(inputs[i].name, old.name)) continue;
      if (node.inputs.size() <= i) node.inputs.resize(i + 1);
      node.inputs[i] = names.fresh(text(node.outputs.empty() ? node.name : node.outputs[0], "/", old.name));
      home.initializers[node.inputs[i]] = as_tensor(old.name, it->second, type_of_port(node, inputs, i, known));
    }
    node.attributes.erase(it);
  }
}

// The list of words became keys or values, by which way it is read.
static void raise_label_encoder(Node& node, const Known& known) {
  const DataType type = known.of(node.inputs.at(0)).element;
  if (!contains(str | i64, type)) unsupported("the type of its input is not known");
  std::vector<std::string> words;
  node.attributes.read("classes_strings", words);
  std::vector<int64_t> numbers(words.size());
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = int64_t(i);
  node.attributes[type == DataType::str ? "keys_strings" : "values_strings"] = words;
  node.attributes[type == DataType::str ? "values_int64s" : "keys_int64s"] = numbers;
  if (const auto it = node.attributes.find("classes_strings"); it != node.attributes.end()) node.attributes.erase(it);
}

void raise_by_hand(Node& node, std::string_view own_operator, const Known& known) {
  if (own_operator == "LabelEncoderBefore2") return raise_label_encoder(node, known);
  if (own_operator != "BatchNormalizationBefore14") unsupported("operator ", node.op, " of this opset has no newer form");
  int64_t spatial = 1, is_test = 1;
  node.attributes.read("spatial", spatial), node.attributes.read("is_test", is_test);
  if (!spatial) unsupported("spatial=0 has no newer form");
  while (node.outputs.size() > 1 && node.outputs.back().empty()) node.outputs.pop_back();
  if (node.outputs.size() > 1 || !is_test) unsupported("training of opsets before 14 has no newer form");
  for (const char* gone : {"spatial", "is_test", "consumed_inputs"})
    if (const auto it = node.attributes.find(gone); it != node.attributes.end()) node.attributes.erase(it);
}

Signature own_form(const Node& node) {
  if (node.op != "AlignAxis") unsupported("operator ", node.op, " of this opset has no newer form");
  return {"onward", "AlignAxis", 1, "A:T B:T", "C:T", "axis:INT"};
}

std::string own_operator_text(const Node& node, const Known& known) {
  const auto it = node.attributes.find("axis");
  if (it == node.attributes.end()) return "C = Identity(B)";
  const auto &a = known.of(node.inputs[0]).dims, &b = known.of(node.inputs[1]).dims;
  if (!a || !b) unsupported("the ranks of its inputs are not known, which broadcasting along axis ", std::get<int64_t>(it->second), " needs");
  const auto rank = int64_t(a->size()), axis = std::get<int64_t>(it->second);
  const int64_t reach = rank - (axis < 0 ? axis + rank : axis);
  std::string axes;
  for (int64_t i = int64_t(b->size()); i < reach; ++i) axes += text(axes.empty() ? "" : ", ", i);
  return axes.empty() ? "C = Identity(B)" : text("C = Unsqueeze(B, int64 [", axes, "])");
}

std::string text_for_deprecated(const Node& node, const Known&) {
  if (node.op == "Scatter") return "output = ScatterElements(data, indices, updates; axis=@axis)";
  if (node.op == "Upsample" && node.inputs.size() == 1)
    return R"(factors = Constant(; value_floats=@scales)
              Y = Resize(X, , factors; mode=@mode, coordinate_transformation_mode="asymmetric", nearest_mode="floor"))";
  if (node.op == "Upsample")
    return R"(Y = Resize(X, , scales; mode=@mode, coordinate_transformation_mode="asymmetric", nearest_mode="floor"))";
  return "";
}

// Split says into how many parts since 18. GroupNormalization had one scale for each group, and has one for each channel.
std::string text_for_new_sense(const Node& node, const Signature& now, const Signature& then, const Known& known) {
  if (node.op == "Split" && now.since < 18 && then.since >= 18 && node.inputs.size() < 2 && !node.attributes.contains("split")) {
    std::string outputs;
    for (size_t k = 0; k < node.outputs.size(); ++k) outputs += k ? text(", outputs_", k) : "outputs";
    return text(outputs, " = Self(input; axis=@axis, num_outputs=", node.outputs.size(), ")");
  }
  if (node.op != "GroupNormalization" || now.since >= 21 || then.since < 21 || node.inputs.size() < 3) return "";
  int64_t groups = 1;
  node.attributes.read("num_groups", groups);
  const auto& dims = known.of(node.inputs[0]).dims;
  if (!dims || dims->size() < 2 || is_symbol((*dims)[1]) || groups < 1) unsupported("the number of channels is not known, for which scale and bias are repeated");
  std::string places;
  for (int64_t c = 0; c < (*dims)[1]; ++c) places += text(c ? ", " : "", c / ((*dims)[1] / groups));
  return text("s = Gather(scale, int64 [", places, "])\n b = Gather(bias, int64 [", places, "])\n Y = Self(X, s, b; num_groups=@num_groups, epsilon=@epsilon)");
}

}  // namespace onward
