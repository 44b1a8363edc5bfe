// The same operator on the same values with the same attributes is computed once; equal small constants become one.
#include "onward/ops/operator.h"
#include "onward/optimizer/passes.h"
#include "onward/optimizer/uses.h"

namespace onward::passes {
namespace {

void put(std::string& key, const Tensor& t) {
  key += shown(t);
  if (t.type() == DataType::str) for (const std::string& s : t.values<std::string>()) key += text(s.size(), ":", s);
  else key.append(t.data<char>(), t.bytes());
}

bool is_small(const Tensor& t) {
  constexpr size_t most_text = 64 << 10;
  if (t.size() > 1024) return false;
  size_t text = 0;
  if (t.type() == DataType::str) for (const std::string& s : t.values<std::string>()) text += s.size();
  return text <= most_text;
}

// False for what has no cheap text: such nodes are left alone.
bool put(std::string& key, const Attribute& a) {
  constexpr int64_t most = 256;
  key += text(int(a.index()), "=");
  if (auto* i = std::get_if<int64_t>(&a)) return key += text(*i), true;
  if (auto* f = std::get_if<float>(&a)) return key.append(reinterpret_cast<const char*>(f), sizeof *f), true;
  if (auto* s = std::get_if<std::string>(&a)) return key += text(s->size(), ":", *s), true;
  if (auto* v = std::get_if<std::vector<int64_t>>(&a); v && int64_t(v->size()) <= most) {
    for (int64_t i : *v) key += text(i, ",");
    return true;
  }
  if (auto* t = std::get_if<Tensor>(&a); t && *t && t->size() <= most && is_small(*t)) return put(key, *t), true;
  return false;
}

std::string key_of(const Node& node) {
  const Operator* op = find_operator(node.domain, node.op);
  if (!op || op->facts.random) return "";
  std::string key;
  key.append(node.domain).append(".").append(node.op).append("/").append(text(node.outputs.size()));
  for (const std::string& in : node.inputs) key.append(" ").append(text(in.size())).append(":").append(in);
  for (const auto& [name, a] : node.attributes) {
    key += text(" ", name, " ");
    if (!put(key, a)) return "";
  }
  return key;
}

}  // namespace

int merge_equal_nodes(Graph& graph, const OptimizeOptions&) {
  const BorrowedNames outputs = output_names(graph);
  ByName<std::string> to;
  int changes = 0;

  ByName<std::string> constants;
  for (const auto& [name, tensor] : graph.initializers) {
    if (!is_small(tensor) || outputs.contains(name)) continue;
    std::string key;
    put(key, tensor);
    if (const auto [it, first] = constants.emplace(std::move(key), name); !first) to[name] = it->second, ++changes;
  }
  for (const ValueInfo& v : graph.inputs) if (to.erase(v.name)) --changes;             // an initializer that a caller may override
  redirect_reads(graph, to);

  to.clear();
  std::unordered_map<size_t, size_t> seen;                // hash of the key -> the first node that has it
  seen.reserve(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    for (std::string& in : node.inputs) if (const auto it = to.find(in); it != to.end()) in = it->second;
    const std::string key = key_of(node);
    if (key.empty()) continue;
    const auto [it, first] = seen.emplace(NameHash()(key), i);
    if (first || key_of(graph.nodes[it->second]) != key || std::any_of(node.outputs.begin(), node.outputs.end(), [&](const auto& o) { return outputs.contains(o); })) continue;
    const Node& same = graph.nodes[it->second];
    bool all = true;
    for (size_t k = 0; k < node.outputs.size(); ++k) all = all && (node.outputs[k].empty() || !same.outputs[k].empty());
    if (!all) continue;
    for (size_t k = 0; k < node.outputs.size(); ++k) if (!node.outputs[k].empty()) to[node.outputs[k]] = same.outputs[k];
    ++changes;
  }
  redirect_reads(graph, to);
  return changes;
}

}  // namespace onward::passes
