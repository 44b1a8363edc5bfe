#include "onward/ops/custom.h"

#include "onward/model/text.h"

namespace onward {
namespace {

using Entry = CustomOperators::Entry;

// One node: what the user's kernel says is checked before anyone else believes it.
struct CustomNode {
  const Entry& entry;
  std::shared_ptr<const CustomKernel> kernel;
  std::vector<Port> inputs = ports(entry.form.inputs), outputs = ports(entry.form.outputs);

  static size_t at(const std::vector<Port>& all, size_t i) { return std::min(i, all.size() - 1); }   // the last may be variadic

  void infer(Inference& io) const {
    kernel->infer(io);
    for (size_t k = 0; k < io.outputs.size(); ++k) check_inferred(io, k);
  }

  void check_inferred(Inference& io, size_t k) const {
    Fact& fact = io.outputs[k];
    if (!fact.dims) return;
    for (int64_t& size : *fact.dims) {
      if (size < 0 && !is_symbol(size)) invalid("its shape inference says ", size, " for a size of output '", outputs[at(outputs, k)].name, "'");
      if (is_symbol(size) && !io.symbols) return fact.dims.reset();         // only the kernel can tell
    }
  }

  void run(Call& call) const {
    struct Expected { DataType type = DataType::none; Dims dims; };
    std::vector<Expected> expected(call.outputs.size());
    for (size_t k = 0; k < expected.size(); ++k)
      if (const Tensor* t = call.outputs[k].tensor()) expected[k] = {t->type(), t->dims()};
    kernel->run(call);
    std::map<std::string_view, DataType> bound;
    for (size_t i = 0; i < call.inputs.size() && !inputs.empty(); ++i)
      if (const Tensor* t = call.has(i) ? call.inputs[i]->tensor() : nullptr) bound.emplace(inputs[at(inputs, i)].type, t->type());
    for (size_t k = 0; k < call.outputs.size() && !outputs.empty(); ++k) {
      const Port& port = outputs[at(outputs, k)];
      const Value& made = call.outputs[k];
      if (made.empty() && !port.kind) invalid("its kernel did not make output '", port.name, "'");
      const Tensor* t = made.tensor();
      const DataType type = expected[k].type != DataType::none ? expected[k].type : wanted_type(port.type, bound);
      if (made.empty() || type == DataType::none) continue;
      if (!t || t->type() != type) invalid("its kernel made ", t ? onward::shown(*t) : std::string("no tensor"), " for output '", port.name, "', expected ", name_of(type));
      if (expected[k].type != DataType::none && t->dims() != expected[k].dims)
        invalid("its kernel made ", onward::shown(*t), " for output '", port.name, "', its shape inference says ", onward::shown(expected[k].dims));
    }
  }

  static DataType wanted_type(std::string_view port_type, const std::map<std::string_view, DataType>& bound) {
    const auto it = bound.find(port_type);
    return it != bound.end() ? it->second : only_type(port_type);
  }
};

bool is_word(std::string_view s) {
  if (s.empty() || s.size() > 200 || std::isdigit(static_cast<unsigned char>(s[0]))) return false;
  return std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

DataType type_called(std::string_view name) {
  const auto it = std::find(std::begin(type_names) + 1, std::end(type_names), name);
  return it == std::end(type_names) ? DataType::none : DataType(it - std::begin(type_names));
}

// Ports as a user writes them -> as the standard's table has them, and the types that each may have.
class PortReader {
 public:
  explicit PortReader(const std::string& label) : label_(label) {}

  std::string read(std::string_view text, std::vector<Types>& types) {
    std::string out;
    bool variadic = false;
    for (const Port& port : ports(text)) {
      if (variadic) fail(Code::usage, label_, ": '", port.name, "' stands behind a variadic port, which must be the last");
      if (!is_word(port.name)) fail(Code::usage, label_, ": '", clip(port.name), "' is no name of a port");
      variadic = port.kind == '*';
      if (!out.empty()) out += ' ';
      out += std::string(port.name) + (port.kind ? std::string(1, port.kind) : "") + ":" + type(port, types);
    }
    return out;
  }

 private:
  static std::string_view clip(std::string_view s) { return s.substr(0, 60); }

  std::string type(const Port& port, std::vector<Types>& types) {
    // ports() takes the whole item for the type where there is no colon.
    const bool any = port.type.empty() || port.type.data() <= port.name.data();
    if (any) return types.push_back(Types{}), onward::text("any", ++unnamed_);
    const std::string_view word = port.type.substr(0, port.type.find('('));
    if (const DataType fixed = type_called(port.type); fixed != DataType::none) return types.push_back(one(fixed)), onward::text("tensor(", port.type, ")");
    if (!is_word(word) || !std::isupper(static_cast<unsigned char>(word[0])))
      throw Error(Code::usage, onward::text(label_, ": the type '", clip(port.type), "' of port '", port.name, "' is none"), "write an element type such as double, or a word in capitals such as T(float|double)");
    Types& known = variables_.try_emplace(std::string(word), every_type).first->second;
    if (word.size() < port.type.size()) known = listed(port.type.substr(word.size()), port);
    types.push_back(known);
    return std::string(word);
  }

  Types listed(std::string_view text, const Port& port) const {
    if (!text.ends_with(')')) fail(Code::usage, label_, ": the type '", clip(port.type), "' of port '", port.name, "' lacks its closing parenthesis");
    text = text.substr(1, text.size() - 2);
    Types out{};
    while (!text.empty()) {
      const std::string_view name = text.substr(0, text.find('|'));
      const DataType type = type_called(name);
      if (type == DataType::none) fail(Code::usage, label_, ": port '", port.name, "': there is no element type '", clip(name), "'");
      out = out | one(type);
      text.remove_prefix(std::min(text.size(), name.size() + 1));
    }
    return out;
  }

  const std::string& label_;
  std::map<std::string, Types> variables_;
  int unnamed_ = 0;
};

// The value that a default stands for, in the kind that is declared.
Attribute default_of(const AttributeFact& fact) {
  Attribute value = parse_attribute(fact.default_text);
  if (auto* i = std::get_if<int64_t>(&value); i && fact.type == "FLOAT") return float(*i);
  if (auto* ints = std::get_if<std::vector<int64_t>>(&value); ints && fact.type == "FLOATS") return std::vector<float>(ints->begin(), ints->end());
  if (auto* ints = std::get_if<std::vector<int64_t>>(&value); ints && ints->empty() && fact.type == "STRINGS") return std::vector<std::string>();
  return value;
}

void check_attributes(const std::string& label, std::string_view text) {
  constexpr std::string_view kinds[] = {"INT", "FLOAT", "STRING", "TENSOR", "", "", "", "INTS", "FLOATS", "STRINGS", "TENSORS"};   // as Attribute holds them
  for (const AttributeFact& fact : attribute_facts(text)) {
    const auto kind = std::find(std::begin(kinds), std::end(kinds), fact.type);
    if (!is_word(fact.name) || fact.type.empty() || kind == std::end(kinds))
      throw Error(Code::usage, onward::text(label, ": the attribute '", fact.name.substr(0, 60), ":", fact.type.substr(0, 60), "' cannot be read"),
                  "write name:KIND, name:KIND=default or name:KIND!, of the kinds INT, FLOAT, STRING, TENSOR, INTS, FLOATS, STRINGS, TENSORS");
    if (fact.default_text.empty()) continue;
    try {
      if (default_of(fact).index() != size_t(kind - std::begin(kinds))) fail(Code::usage, "'", fact.default_text, "' is no ", fact.type);
    } catch (Error& e) {
      throw Error(Code::usage, onward::text(label, ": the default of attribute '", fact.name, "': ", e.message));
    }
  }
}

}  // namespace

std::shared_ptr<const void> CustomOperators::Entry::create(const Preparation& at) const {
  Node node = at.node;
  for (const AttributeFact& fact : attribute_facts(form.attributes))
    if (!fact.default_text.empty() && !node.attributes.contains(fact.name)) node.attributes.emplace(std::string(fact.name), default_of(fact));
  auto kernel = definition.create({node, at.constant, at.compile});
  ONWARD_CHECK(kernel != nullptr);
  return std::make_shared<const CustomNode>(CustomNode{*this, std::move(kernel)});
}

void CustomOperators::add(CustomOperator op) {
  const std::string label = text("operator '", op.domain.substr(0, 100), ".", op.name.substr(0, 100), "'");
  if (op.domain.empty() || op.domain == "ai.onnx" || op.domain == "ai.onnx.ml" || op.domain == "onward" || op.domain == "com.onward" || op.domain.starts_with("ai.onnx.preview"))
    throw Error(Code::usage, text(label, ": the domain '", op.domain, "' is not free"), "name a domain of your own, such as com.example");
  if (!is_word(op.name)) fail(Code::usage, label, ": the name is not made of letters, digits and _");
  if (op.since < 1) fail(Code::usage, label, ": version ", op.since, " does not exist; domains begin with 1");
  if (find(op.domain, op.name)) fail(Code::usage, label, " is registered twice");
  auto entry = std::make_shared<Entry>();
  PortReader reader(label);
  std::vector<Types> output_types;
  entry->inputs = reader.read(op.inputs, entry->input_types);
  entry->outputs = reader.read(op.outputs, output_types);
  if (entry->outputs.empty()) fail(Code::usage, label, " has no outputs");
  check_attributes(label, op.attributes);
  entry->definition = std::move(op);
  const CustomOperator& kept = entry->definition;
  entry->form = {kept.domain, kept.name, kept.since, entry->inputs, entry->outputs, kept.attributes};
  entry->op.name = {kept.domain, kept.name, kept.since};
  entry->op.create = nullptr;
  entry->op.infer = [](const void* self, Inference& io) { static_cast<const CustomNode*>(self)->infer(io); };
  entry->op.run = [](const void* self, Call& call) { static_cast<const CustomNode*>(self)->run(call); };
  entries_.emplace(std::pair(kept.domain, kept.name), std::move(entry));
}

void CustomOperators::add(const CustomOperators& others) {
  for (const auto& [key, entry] : others.entries_) {
    const auto [it, first] = entries_.emplace(key, entry);
    if (!first && it->second != entry) fail(Code::usage, "operator '", key.first, ".", key.second, "' is registered twice");
  }
}

const CustomOperators::Entry* CustomOperators::find(std::string_view domain, std::string_view name) const {
  if (entries_.empty()) return nullptr;
  const auto it = entries_.find(std::pair(std::string(domain), std::string(name)));
  return it == entries_.end() ? nullptr : it->second.get();
}

NodeTypes types_of(const Node& node, const CustomOperators& custom) {
  const auto* registered = custom.find(node.domain, node.op);
  return registered ? NodeTypes(registered->form, registered->input_types, node.outputs.size()) : NodeTypes(signature(node.domain, node.op), node.outputs.size());
}

std::string registration_hint(std::string_view domain) {
  if (domain.empty() || domain == "ai.onnx" || domain == "ai.onnx.ml") return "";
  return "a custom operator is registered with the session: register_custom_ops_library(path) or register_custom_ops(operator) of Python's SessionOptions, "
         "onward_session_options_add_operators in C, --operators LIBRARY on the command line";
}

}  // namespace onward
