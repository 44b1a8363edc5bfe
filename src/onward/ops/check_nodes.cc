#include "onward/ops/check_nodes.h"

#include "onward/base/names.h"
#include "onward/base/suggest.h"

namespace onward {
namespace {

std::string_view kind_of(const Attribute& a) {
  constexpr std::string_view kinds[] = {"INT", "FLOAT", "STRING", "TENSOR", "GRAPH", "TYPE_PROTO", "SPARSE_TENSOR", "INTS", "FLOATS", "STRINGS", "TENSORS", "GRAPHS", "TYPE_PROTOS", "", "INTS", "STRINGS"};
  static_assert(std::size(kinds) == std::variant_size_v<Attribute>);
  return kinds[a.index()];
}

// A list without items carries no kind in some writers' files; a reference to the caller's attribute has the caller's.
bool fits(const Attribute& a, std::string_view expected) {
  if (std::holds_alternative<AttributeOfCaller>(a) || kind_of(a) == expected) return true;
  const auto empty = [&]<class L>() { auto* list = std::get_if<L>(&a); return list && list->empty(); };
  return expected.ends_with('S') && (empty.operator()<std::vector<int64_t>>() || empty.operator()<std::vector<float>>() || empty.operator()<std::vector<std::string>>());
}

void check_ports(const Node& node, std::string_view form, const std::vector<std::string>& given, const char* what, const char* who) {
  const auto all = ports(form);
  const bool variadic = !all.empty() && all.back().kind == '*';
  if (given.size() > all.size() && !variadic) fail(Code::bad_model, shown(node), ": has ", given.size(), " ", what, ", ", who, " allows ", all.size());
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].kind == 0 && (i >= given.size() || given[i].empty())) fail(Code::bad_model, shown(node), ": ", what == std::string_view("inputs") ? "input" : "output", " '", all[i].name, "' is missing");
}

void check_attributes(const Node& node, const Signature& form, const char* who) {
  const auto all = attribute_facts(form.attributes);
  for (const auto& [name, a] : node.attributes) {
    const auto fact = std::find_if(all.begin(), all.end(), [&, &name = name](const AttributeFact& f) { return f.name == name; });
    if (fact == all.end()) {
      std::vector<std::string> names;
      for (const AttributeFact& f : all) names.emplace_back(f.name);
      const auto near = nearest(name, names);
      throw Error(Code::bad_model, text(shown(node), ": attribute '", name, "' is not in ", who, " (", form.op, " of opset ", form.since, ")"), near ? text("did you mean '", *near, "'?") : std::string());
    }
    if (!fits(a, fact->type)) fail(Code::bad_model, shown(node), ": attribute '", name, "' is ", kind_of(a), ", expected ", fact->type);
  }
  for (const AttributeFact& f : all)
    if (f.required && !node.attributes.contains(f.name)) fail(Code::bad_model, shown(node), ": attribute '", f.name, "' is missing");
}

std::string called(std::string_view domain, std::string_view op) { return text(domain, "\n", op); }

// What the nodes of one model are looked up in.
struct Known {
  const CustomOperators& custom;
  Names functions = {};                                   // of the model, as `called`
  bool inputs_alone = false;

  Known(const Model& model, const CustomOperators& custom, bool inputs_alone = false) : custom(custom), inputs_alone(inputs_alone) {
    for (const Function& f : model.functions) functions.insert(called(f.domain, f.name));
  }
  bool is_function(const Node& node) const { return !functions.empty() && functions.contains(called(node.domain, node.op)); }
};

void check_all(const std::vector<Node>& nodes, const Opsets& opsets, const Known& known, int depth) {
  if (depth > 64) fail(Code::limit_size, "graphs are nested more than 64 deep");
  for (const Node& node : nodes) {
    const auto opset = opsets.find(node.domain);
    const auto* registered = known.custom.find(node.domain, node.op);
    const bool has_form = !known.is_function(node) && opset != opsets.end();
    const Signature* form = !has_form ? nullptr : registered ? &registered->form : signature(node.domain, node.op, opset->second);
    // An operator that is younger than the model's opset runs as its newest version: its inputs must be those.
    if (has_form && !form) form = signature(node.domain, node.op);
    if (form) {
      const char* who = registered ? "its registration" : node.domain == "com.microsoft" ? "the signature" : "the standard";
      check_ports(node, form->inputs, node.inputs, "inputs", who);
      if (!known.inputs_alone) check_ports(node, form->outputs, node.outputs, "outputs", who);
      if (!known.inputs_alone) check_attributes(node, *form, who);
    }
    for (const auto& [name, a] : node.attributes)
      if (auto* g = std::get_if<GraphRef>(&a); g && *g) check_all((*g)->nodes, opsets, known, depth + 1);
  }
}

}  // namespace

void check_nodes(const Model& model, const CustomOperators& custom) {
  const Known known(model, custom);
  check_all(model.graph.nodes, model.opsets, known, 0);
  for (const Function& f : model.functions) check_all(f.nodes, f.opsets, known, 0);
}

void check_modernised(const Model& model, const CustomOperators& custom) { check_all(model.graph.nodes, model.opsets, Known(model, custom, true), 0); }

}  // namespace onward
