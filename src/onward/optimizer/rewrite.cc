// The engine of the rules: patterns are parsed once, matched from the last node backwards, and applied as a whole or not at all.
#include <cmath>
#include <memory>

#include "onward/ops/convert.h"
#include "onward/ops/operator.h"
#include "onward/optimizer/links.h"
#include "onward/optimizer/pattern.h"
#include "onward/optimizer/rules.h"
#include "onward/optimizer/rules/rules.h"

namespace onward {
namespace {

bool commutes(std::string_view op) { return op == "Add" || op == "Mul" || op == "Max" || op == "Min" || op == "And" || op == "Or" || op == "Equal"; }

bool holds(const Graph& graph, const std::string& value, double number) {
  constexpr int64_t most = 4096;
  const Tensor* t = constant_of(graph, value);
  if (!t || t->size() == 0 || t->size() > most || !contains(f32 | f64 | i32 | i64, t->type())) return false;
  std::vector<double> all(size_t(t->size()));
  convert(t->type(), t->raw(), DataType::f64, all.data(), t->size());
  const double tolerance = t->type() == DataType::f32 ? std::fabs(number) * 1e-6 : 0;
  return std::all_of(all.begin(), all.end(), [&](double v) { return std::fabs(v - number) <= tolerance; });
}

struct Match {
  std::map<std::string, std::string, std::less<>> values; // name in the pattern -> value in the graph
  std::vector<size_t> nodes;
};

bool carries(const Node& node, const Attributes& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    const auto it = node.attributes.find(entry.first);
    if (it == node.attributes.end() || it->second.index() != entry.second.index()) return false;
    const auto equal = [&]<class A>() { auto* mine = std::get_if<A>(&entry.second); return mine && *mine == std::get<A>(it->second); };
    return equal.template operator()<int64_t>() || equal.template operator()<float>() || equal.template operator()<std::string>() || equal.template operator()<std::vector<int64_t>>();
  });
}

struct Matcher {
  const Graph& graph;
  const Links& links;

  static bool may_be(const Term& term, const Node& node) {
    return node.op == term.name && node.domain.empty() && node.outputs.size() == 1 && node.inputs.size() == term.inputs.size();
  }
  bool match(const Term& term, const std::string& value, Match& m) const {
    if (term.kind == Term::Kind::number) return holds(graph, value, term.number);
    if (term.kind == Term::Kind::any) {
      const auto [it, first] = m.values.emplace(term.name, value);
      return first || it->second == value;
    }
    const Node* node = links.maker(value);
    return node && may_be(term, *node) && links.is_read_once(value) && match_node(term, *node, m);
  }
  bool match_node(const Term& term, const Node& node, Match& m) const {
    if (!carries(node, term.attributes)) return false;
    const auto all = [&](bool swapped) {
      Match trial = m;
      trial.nodes.push_back(links.place(node));
      for (size_t i = 0; i < term.inputs.size(); ++i)
        if (!match(term.inputs[i], node.inputs[swapped ? term.inputs.size() - 1 - i : i], trial)) return false;
      return m = std::move(trial), true;
    };
    return all(false) || (term.inputs.size() == 2 && commutes(term.name) && all(true));
  }
};

// Writes the term's nodes to `out`; the value it makes.
std::string build(const Term& term, const Match& m, const std::string& result, Graph& graph, std::vector<Node>& out, const std::string& prefix) {
  if (term.kind == Term::Kind::any) return m.values.at(term.name);
  ONWARD_CHECK(term.kind == Term::Kind::node);
  Node node{.op = term.name, .name = prefix + term.name, .attributes = term.attributes};
  for (const Term& in : term.inputs) node.inputs.push_back(build(in, m, text(result, "/", term.name, out.size()), graph, out, prefix));
  node.outputs = {result};
  out.push_back(std::move(node));
  return result;
}

void note_operators(const Term& term, BorrowedNames& out) {
  if (term.kind == Term::Kind::node) out.insert(term.name);
  for (const Term& in : term.inputs) note_operators(in, out);
}

struct Parsed {
  const Rule* rule;
  Term from, to;
  std::vector<std::string> needed = {};                   // operators without which it cannot match
};

const std::vector<Parsed>& parsed_rules() {
  static const std::vector<Parsed> all = [] {
    std::vector<Parsed> out;
    for (const Rule& rule : rules()) {
      Parsed& p = out.emplace_back(Parsed{&rule, parse_pattern(rule.from), parse_pattern(rule.to)});
      BorrowedNames needed;
      note_operators(p.from, needed);
      p.needed.assign(needed.begin(), needed.end());
    }
    return out;
  }();
  return all;
}

// What the rules look at, found once for all of them until one changes something.
struct Surroundings {
  BorrowedNames operators;
  Links links;
  explicit Surroundings(const Graph& graph) : links(graph) {
    for (const Node& node : graph.nodes) if (node.domain.empty()) operators.insert(node.op);
  }
  bool may_match(const Parsed& p) const { return std::all_of(p.needed.begin(), p.needed.end(), [&](const std::string& op) { return operators.contains(op); }); }
};

using Replacements = std::vector<std::pair<size_t, std::vector<Node>>>;         // in the place of the root; from the last to the first

void put_in_place(Graph& graph, Replacements& replacements, const std::vector<bool>& gone) {
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!replacements.empty() && replacements.back().first == i) {
      std::move(replacements.back().second.begin(), replacements.back().second.end(), std::back_inserter(nodes));
      replacements.pop_back();
    }
    if (!gone[i]) nodes.push_back(std::move(graph.nodes[i]));
  }
  graph.nodes = std::move(nodes);
}

int apply(Graph& graph, const Links& links, const Parsed& p) {
  std::vector<bool> gone(graph.nodes.size());
  Replacements replacements;
  std::vector<std::pair<std::string, std::string>> renamed;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& root = graph.nodes[i];
    if (gone[i] || !Matcher::may_be(p.from, root)) continue;
    const std::string& value = root.outputs[0];
    Match m;
    if (!Matcher{graph, links}.match_node(p.from, root, m)) continue;
    if (std::any_of(m.nodes.begin(), m.nodes.end(), [&](size_t n) { return gone[n]; })) continue;
    if (p.to.kind == Term::Kind::any && links.is_output(value)) continue;       // an output keeps its name
    std::vector<Node> made;
    const std::string result = build(p.to, m, value, graph, made, root.name.empty() ? value + "/" : root.name + "/");
    for (const Node& n : made) if (!find_operator(n.domain, n.op)) { made.clear(); break; }
    if (p.to.kind == Term::Kind::node && made.empty()) continue;
    if (result != value) renamed.emplace_back(value, result);
    for (size_t n : m.nodes) gone[n] = true;
    replacements.emplace_back(i, std::move(made));
  }
  const int changes = int(replacements.size());
  if (!changes) return 0;
  put_in_place(graph, replacements, gone);
  ByName<std::string> to;
  for (size_t k = renamed.size(); k-- > 0;) {             // from the first on: what a value became is known before those after it
    auto& [value, result] = renamed[k];
    if (const auto it = to.find(result); it != to.end()) result = it->second;
    to.insert(std::move(renamed[k]));
  }
  redirect_reads(graph, to);
  return changes;
}

}  // namespace

std::span<const Rule> rules() {
  static const std::vector<Rule> all = [] {
    std::vector<Rule> out;
    for (auto list : {neutral_rules(), fusion_rules()}) out.insert(out.end(), list.begin(), list.end());
    return out;
  }();
  return all;
}

int rewrite(Graph& graph, const OptimizeOptions& options) {
  int changes = 0;
  std::optional<Surroundings> around;
  for (const Parsed& p : parsed_rules()) {
    if (std::find(options.disabled.begin(), options.disabled.end(), p.rule->name) != options.disabled.end()) continue;
    if (!around) around.emplace(graph);
    const int found = around->may_match(p) ? apply(graph, around->links, p) : 0;
    if (found) around.reset();                            // its nodes are others now
    changes += found;
  }
  return changes;
}

}  // namespace onward
