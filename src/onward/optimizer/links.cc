#include "onward/optimizer/links.h"

namespace onward {

Links::Links(const Graph& graph) : graph_(graph) {
  values_.reserve(graph.nodes.size() + graph.inputs.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string& o : graph.nodes[i].outputs) if (!o.empty()) values_[o].maker = i;
    for_each_read(graph.nodes[i], [&](const std::string& name) {
      Value& value = values_[name];
      ++value.reads;
      if (value.reader != i) value.reader = value.reader == nobody ? i : several;       // a node that reads it twice is one reader
    });
  }
  for (const ValueInfo& v : graph.outputs) values_[v.name].is_output = true;
}

const Node* Links::maker(std::string_view value) const {
  const Value* v = find(value);
  return v && v->maker != nobody ? &graph_.nodes[v->maker] : nullptr;
}

const Node* Links::only_reader(std::string_view value) const {
  const Value* v = find(value);
  return v && !v->is_output && v->reader < several ? &graph_.nodes[v->reader] : nullptr;
}

bool Links::is_read_once(std::string_view value) const {
  const Value* v = find(value);
  return v && !v->is_output && v->reads == 1;
}

bool Links::is_output(std::string_view value) const {
  const Value* v = find(value);
  return v && v->is_output;
}

int replace_nodes(Graph& graph, std::map<size_t, Node> made, const std::vector<bool>& gone) {
  for (auto& [place, node] : made) graph.nodes[place] = std::move(node);
  size_t kept = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (gone[i] && !made.contains(i)) continue;
    if (kept != i) graph.nodes[kept] = std::move(graph.nodes[i]);
    ++kept;
  }
  graph.nodes.resize(kept);
  return int(made.size());
}

}  // namespace onward
