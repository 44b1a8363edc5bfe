// The engine of the rules: patterns are parsed once, matched from the last node backwards, and applied as a whole or not at all.
#include <cmath>
#include <memory>

#include "onward/model/text.h"
#include "onward/ops/convert.h"
#include "onward/ops/operator.h"
#include "onward/optimizer/rules.h"
#include "onward/optimizer/rules/rules.h"
#include "onward/optimizer/uses.h"

namespace onward {
namespace {

struct Term {
  enum class Kind { any, number, node } kind = Kind::any;
  std::string name;                      // of a value, or of the operator
  double number = 0;
  std::vector<Term> inputs;
  Attributes attributes;
};

class TermParser {
 public:
  explicit TermParser(std::string_view text) : text_(text) {}
  Term whole() {
    Term t = term();
    skip();
    ONWARD_CHECK(at_ == text_.size());
    return t;
  }

 private:
  void skip() { while (at_ < text_.size() && text_[at_] == ' ') ++at_; }
  bool accept(char c) { return skip(), at_ < text_.size() && text_[at_] == c && (++at_, true); }
  std::string_view word() {
    skip();
    const size_t from = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' || text_[at_] == '.' || text_[at_] == '-')) ++at_;
    ONWARD_CHECK(at_ > from);
    return text_.substr(from, at_ - from);
  }
  Term term() {
    const std::string_view w = word();
    if (std::islower(static_cast<unsigned char>(w[0]))) return {Term::Kind::any, std::string(w), 0, {}, {}};
    if (!std::isupper(static_cast<unsigned char>(w[0]))) return {Term::Kind::number, {}, std::stod(std::string(w)), {}, {}};
    Term t{Term::Kind::node, std::string(w), 0, {}, {}};
    ONWARD_CHECK(accept('('));
    do t.inputs.push_back(term()); while (accept(','));
    if (accept(';')) do attribute(t); while (accept(','));
    ONWARD_CHECK(accept(')'));
    return t;
  }
  void attribute(Term& t) {
    const std::string name(word());
    ONWARD_CHECK(accept('='));
    skip();
    const size_t from = at_;
    int depth = 0;
    for (; at_ < text_.size() && (depth > 0 || (text_[at_] != ',' && text_[at_] != ')')); ++at_) depth += text_[at_] == '[' ? 1 : text_[at_] == ']' ? -1 : 0;
    t.attributes[name] = parse_attribute(text_.substr(from, at_ - from));
  }
  std::string_view text_;
  size_t at_ = 0;
};

bool commutes(std::string_view op) { return op == "Add" || op == "Mul" || op == "Max" || op == "Min" || op == "And" || op == "Or" || op == "Equal"; }

// What the graph looks like to a matcher.
struct View {
  Graph& graph;
  std::map<std::string, size_t, std::less<>> maker;       // value -> node
  std::map<std::string, int, std::less<>> readers;

  explicit View(Graph& g) : graph(g) {
    for (size_t i = 0; i < g.nodes.size(); ++i) {
      for (const std::string& o : g.nodes[i].outputs) if (!o.empty()) maker[o] = i;
      for_each_read(g.nodes[i], [&](const std::string& name) { ++readers[name]; });
    }
    for (const ValueInfo& v : g.outputs) readers[v.name] += 2;        // kept whatever else reads it
  }
  bool holds(const std::string& value, double number) const {
    const auto it = graph.initializers.find(value);
    if (it == graph.initializers.end() || it->second.size() == 0 || it->second.size() > 4096 || !contains(f32 | f64 | i32 | i64, it->second.type())) return false;
    std::vector<double> all(size_t(it->second.size()));
    convert(it->second.type(), it->second.raw(), DataType::f64, all.data(), it->second.size());
    const double tolerance = it->second.type() == DataType::f32 ? std::fabs(number) * 1e-6 : 0;
    return std::all_of(all.begin(), all.end(), [&](double v) { return std::fabs(v - number) <= tolerance; });
  }
};

struct Match {
  std::map<std::string, std::string, std::less<>> values; // name in the pattern -> value in the graph
  std::vector<size_t> nodes;
};

bool match(const View& view, const Term& term, const std::string& value, bool root, Match& m) {
  if (term.kind == Term::Kind::number) return view.holds(value, term.number);
  if (term.kind == Term::Kind::any) {
    const auto [it, first] = m.values.emplace(term.name, value);
    return first || it->second == value;
  }
  const auto made = view.maker.find(value);
  if (made == view.maker.end()) return false;
  const Node& node = view.graph.nodes[made->second];
  if (!node.domain.empty() || node.op != term.name || node.outputs.size() != 1 || node.inputs.size() != term.inputs.size()) return false;
  if (!root && view.readers.at(value) != 1) return false;
  for (const auto& [name, wanted] : term.attributes) {
    const auto it = node.attributes.find(name);
    if (it == node.attributes.end() || it->second.index() != wanted.index()) return false;
    const auto equal = [&]<class A>() { auto* mine = std::get_if<A>(&wanted); return mine && *mine == std::get<A>(it->second); };
    const bool same = equal.operator()<int64_t>() || equal.operator()<float>() || equal.operator()<std::string>() || equal.operator()<std::vector<int64_t>>();
    if (!same) return false;
  }
  const auto all = [&](bool swapped) {
    Match trial = m;
    trial.nodes.push_back(made->second);
    for (size_t i = 0; i < term.inputs.size(); ++i)
      if (!match(view, term.inputs[i], node.inputs[swapped ? term.inputs.size() - 1 - i : i], false, trial)) return false;
    return m = std::move(trial), true;
  };
  return all(false) || (term.inputs.size() == 2 && commutes(term.name) && all(true));
}

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

struct Parsed { const Rule* rule; Term from, to; };

const std::vector<Parsed>& parsed_rules() {
  static const std::vector<Parsed> all = [] {
    std::vector<Parsed> out;
    for (const Rule& rule : rules()) out.push_back({&rule, TermParser(rule.from).whole(), TermParser(rule.to).whole()});
    return out;
  }();
  return all;
}

int apply(Graph& graph, const Parsed& p) {
  int changes = 0;
  View view(graph);
  std::vector<bool> gone(graph.nodes.size());
  std::map<size_t, std::vector<Node>> replacements;       // in the place of the root
  std::map<std::string, std::string, std::less<>> redirect;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    if (gone[i] || graph.nodes[i].outputs.size() != 1) continue;
    const std::string& value = graph.nodes[i].outputs[0];
    Match m;
    if (!match(view, p.from, value, true, m)) continue;
    if (std::any_of(m.nodes.begin(), m.nodes.end(), [&](size_t n) { return gone[n]; })) continue;
    if (p.to.kind == Term::Kind::any && view.readers[value] >= 2 && output_names(graph).contains(value)) continue;     // an output keeps its name
    std::vector<Node> made;
    const std::string result = build(p.to, m, value, graph, made, graph.nodes[i].name.empty() ? value + "/" : graph.nodes[i].name + "/");
    for (const Node& n : made) if (!find_operator(n.domain, n.op)) { made.clear(); break; }
    if (p.to.kind == Term::Kind::node && made.empty()) continue;
    if (result != value) redirect[value] = result;
    for (size_t n : m.nodes) gone[n] = true;
    replacements[i] = std::move(made);
    ++changes;
  }
  if (!changes) return 0;
  std::vector<Node> nodes;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (const auto it = replacements.find(i); it != replacements.end()) for (Node& n : it->second) nodes.push_back(std::move(n));
    if (!gone[i]) nodes.push_back(std::move(graph.nodes[i]));
  }
  graph.nodes = std::move(nodes);
  for (auto& [from, to] : redirect) while (redirect.contains(to)) to = redirect.find(to)->second;
  redirect_reads(graph, redirect);
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
  for (const Parsed& p : parsed_rules())
    if (std::find(options.disabled.begin(), options.disabled.end(), p.rule->name) == options.disabled.end()) changes += apply(graph, p);
  return changes;
}

}  // namespace onward
