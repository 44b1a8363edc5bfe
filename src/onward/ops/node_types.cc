#include "onward/ops/node_types.h"

#include <climits>

#include "onward/base/error.h"
#include "onward/ops/allowed_types.h"

namespace onward {
namespace {

std::string listed(Types all) {
  std::string out;
  for (size_t t = 1; t < size_t(DataType::count); ++t)
    if (contains(all, DataType(t))) out += (out.empty() ? "" : "|") + name_of(DataType(t));
  return out;
}

}  // namespace

DataType only_type(std::string_view word) {
  if (!word.starts_with("tensor(")) return DataType::none;
  const auto it = std::find(std::begin(type_names), std::end(type_names), word.substr(7, word.size() - 8));
  return it == std::end(type_names) ? DataType::none : DataType(it - std::begin(type_names));
}

std::vector<int> output_type_sources(const Signature* form, size_t outputs) {
  std::vector<int> out(outputs, INT_MIN);
  if (!form) return out;
  const auto in_ports = ports(form->inputs), out_ports = ports(form->outputs);
  for (size_t k = 0; k < outputs && !out_ports.empty(); ++k) {
    const Port& port = out_ports[std::min(k, out_ports.size() - 1)];
    for (size_t i = 0; i < in_ports.size() && out[k] == INT_MIN; ++i) if (in_ports[i].type == port.type) out[k] = int(i);
    if (const DataType only = only_type(port.type); only != DataType::none) out[k] = ~int(only);
  }
  return out;
}

NodeTypes::NodeTypes(const Signature* form, size_t outputs) : sources_(output_type_sources(form, outputs)) {
  if (!form) return;
  const auto rows = allowed_types(*form);
  for (const Port& port : ports(form->inputs)) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const AllowedTypes& a) { return a.constraint == port.type; });
    if (const DataType only = only_type(port.type); only != DataType::none) add(port, one(only), false);
    else if (row != rows.end()) add(port, row->tensors | row->optionals | row->before, row->mixed);       // nodes of older models stand here in the newest form
    else add(port, {}, false);
  }
}

NodeTypes::NodeTypes(const Signature& form, std::span<const Types> allowed, size_t outputs) : sources_(output_type_sources(&form, outputs)) {
  for (const Port& port : ports(form.inputs)) add(port, allowed[inputs_.size()], false);
}

void NodeTypes::add(const Port& port, Types allowed, bool mixed) {
  const auto same = std::find_if(inputs_.begin(), inputs_.end(), [&](const Input& in) { return in.word == port.type; });
  inputs_.push_back({port.name, port.type, allowed, mixed, size_t(same - inputs_.begin())});
}

void NodeTypes::begin(std::span<const Fact> inputs, std::span<Fact> outputs) const {
  check(inputs);
  for (size_t k = 0; k < outputs.size(); ++k) outputs[k].type = output(k, inputs);
}

void NodeTypes::check(std::span<const Fact> inputs) const {
  std::vector<DataType> bound(inputs_.size(), DataType::none);                 // by the first port of each word
  for (size_t i = 0; i < inputs.size() && !inputs_.empty(); ++i) {
    const Input& in = inputs_[std::min(i, inputs_.size() - 1)];                // the last may be variadic
    if (!inputs[i].is_tensor() || in.allowed == Types{}) continue;
    const DataType type = inputs[i].type;
    if (!contains(in.allowed, type)) invalid("input '", in.name, "' is ", name_of(type), ", expected ", listed(in.allowed));
    DataType& before = bound[in.first_of_word];
    if (before != DataType::none && before != type && !in.mixed)
      invalid("input '", in.name, "' is ", name_of(type), ", expected ", name_of(before), " as '", inputs_[in.first_of_word].name, "'");
    before = type;
  }
}

DataType NodeTypes::output(size_t k, std::span<const Fact> inputs) const {
  const int source = sources_[k];
  if (source == INT_MIN) return DataType::none;
  if (source < 0) return DataType(~source);
  return size_t(source) < inputs.size() ? inputs[size_t(source)].type : DataType::none;
}

}  // namespace onward
