// Steps that treat every row on its own, next to each other, become one onward.ByRows: on a large batch they run on some rows after
// the other, and what lies between them stays in the cache. The answers are the same, for an operator's answer for a row depends on no
// other row.
#include "onward/optimizer/passes.h"
#include "onward/optimizer/row_steps.h"
#include "onward/optimizer/uses.h"

namespace onward::passes {
namespace {

// Bytes that the rows of a block may take between two steps: about half of a second-level cache.
constexpr int64_t block_bytes = 256 << 10;
constexpr int64_t most_rows = 4096;

// Numbers for the nodes such that row steps of one number may run together: nothing that leaves them comes back.
std::vector<int> groups_of(const Graph& graph, const std::vector<bool>& by_rows) {
  std::vector<int> group(graph.nodes.size());
  ByBorrowedName<size_t> maker;
  maker.reserve(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for_each_read(graph.nodes[i], [&](const std::string& name) {
      const auto it = maker.find(name);
      if (it == maker.end()) return;
      const size_t from = it->second;
      group[i] = std::max(group[i], group[from] + (by_rows[i] && !by_rows[from] ? 1 : 0));
    });
    for (const std::string& o : graph.nodes[i].outputs) if (!o.empty()) maker[o] = i;
  }
  return group;
}

int64_t rows_at_a_time(const Graph& graph, const RowSteps& steps, const std::vector<Node*>& nodes) {
  int64_t widest = 1;
  for (const Node* node : nodes) widest = std::max(widest, steps.row_bytes(size_t(node - graph.nodes.data())));
  const int64_t rows = std::clamp<int64_t>(block_bytes / widest, 1, most_rows);
  return rows < 12 ? rows : rows / 12 * 12;               // whole tiles of a matrix product
}

// What a profile shows of steps that run as one.
std::string steps_in_words(const std::vector<Node*>& nodes) {
  constexpr size_t most = 6;
  std::string out = "by rows:";
  for (size_t i = 0; i < std::min(most, nodes.size()); ++i) out += " " + nodes[i]->op;
  return nodes.size() > most ? text(out, " and ", nodes.size() - most, " more") : out;
}

// Moves the nodes into the body.
Node block_of(const Graph& graph, const RowSteps& steps, const std::vector<Node*>& nodes, const BorrowedNames& read_outside, const ByName<TypeInfo>& entering) {
  auto body = std::make_shared<Graph>();
  Node out{.domain = "onward", .op = "ByRows", .name = steps_in_words(nodes)};
  BorrowedNames made, read;
  for (const Node* node : nodes) {
    for (const std::string& name : node->inputs)
      if (!name.empty() && !graph.initializers.contains(name) && !made.contains(name) && read.insert(name).second) out.inputs.push_back(name);
    for (const std::string& name : node->outputs) {
      if (name.empty()) continue;
      made.insert(name);
      if (read_outside.contains(name)) out.outputs.push_back(name);
    }
  }
  for (const std::string& name : out.inputs) body->inputs.push_back({name, entering.at(name), {}});
  for (const std::string& name : out.outputs) body->outputs.push_back({name, {}, {}});
  out.attributes["rows"] = rows_at_a_time(graph, steps, nodes);
  body->nodes.reserve(nodes.size());
  for (Node* node : nodes) body->nodes.push_back(std::move(*node));
  out.attributes["body"] = GraphRef(std::move(body));
  return out;
}

}  // namespace

int run_by_rows(Graph& graph, const OptimizeOptions&) {
  const RowSteps steps(graph);
  if (std::count(steps.by_rows().begin(), steps.by_rows().end(), true) < 2) return 0;
  const std::vector<int> group = groups_of(graph, steps.by_rows());
  std::map<int, std::vector<Node*>> together;
  for (size_t i = 0; i < graph.nodes.size(); ++i) if (steps.by_rows()[i]) together[group[i]].push_back(&graph.nodes[i]);
  std::erase_if(together, [](const auto& entry) { return entry.second.size() < 2; });
  if (together.empty()) return 0;

  const auto inside = [&](size_t i) { return steps.by_rows()[i] && together.contains(group[i]); };
  std::map<int, BorrowedNames> read_outside;              // what each group makes for others
  ByBorrowedName<int> made_in;
  for (size_t i = 0; i < graph.nodes.size(); ++i) if (inside(i)) for (const std::string& o : graph.nodes[i].outputs) made_in[o] = group[i];
  const auto leaves = [&](const std::string& name, int reader) {
    if (const auto it = made_in.find(name); it != made_in.end() && it->second != reader) read_outside[it->second].insert(it->first);
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) for_each_read(graph.nodes[i], [&](const std::string& name) { leaves(name, inside(i) ? group[i] : -1); });
  for (const ValueInfo& v : graph.outputs) leaves(v.name, -1);

  ByName<TypeInfo> entering;                              // asked for while the names of nodes stay where they are
  for (size_t i = 0; i < graph.nodes.size(); ++i) if (inside(i))
    for (const std::string& name : graph.nodes[i].inputs)
      if (const auto it = made_in.find(name); !name.empty() && (it == made_in.end() || it->second != group[i])) entering.emplace(name, steps.type_of(name));

  std::vector<Node> nodes;                                // a group, then what is not by rows of the same number
  const int last = *std::max_element(group.begin(), group.end());
  std::vector<std::vector<size_t>> of(size_t(last) + 1);
  for (size_t i = 0; i < graph.nodes.size(); ++i) of[size_t(group[i])].push_back(i);
  for (int g = 0; g <= last; ++g) {
    if (const auto it = together.find(g); it != together.end() && !read_outside[g].empty()) nodes.push_back(block_of(graph, steps, it->second, read_outside[g], entering));
    for (const bool by_rows : {true, false})
      for (size_t i : of[size_t(g)]) if (steps.by_rows()[i] == by_rows && !inside(i)) nodes.push_back(std::move(graph.nodes[i]));
  }
  graph.nodes = std::move(nodes);
  return int(together.size());
}

}  // namespace onward::passes
