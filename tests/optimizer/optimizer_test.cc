#include "onward/optimizer/optimizer.h"

#include <gtest/gtest.h>

#include "onward/model/text.h"
#include "onward/ops/evaluate.h"
#include "onward/optimizer/rules.h"

namespace onward {
namespace {

Graph graph(std::string_view nodes, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  Graph g = parse_nodes(nodes);
  for (const std::string& name : inputs) g.inputs.push_back({name, {}, {}});
  for (const std::string& name : outputs) g.outputs.push_back({name, {}, {}});
  return g;
}

std::string ops(const Graph& g) {
  std::string out;
  for (const Node& n : g.nodes) out += (out.empty() ? "" : " ") + n.op;
  return out;
}

TEST(Optimizer, FoldsConstants) {
  Graph g = graph("a = Add(float [1], float [2])\n y = Mul(x, a)", {"x"}, {"y"});
  optimize(g);
  EXPECT_EQ(ops(g), "Mul");
  EXPECT_EQ(g.initializers.at(g.nodes[0].inputs[1]).data<float>()[0], 3);
}

TEST(Optimizer, LeavesWhatThrowsAndWhatIsTooLarge) {
  Graph g = graph("bad = Gather(float [1], int64 [5])\n big = ConstantOfShape(int64 [100000000])\n y = Add(bad, big)", {}, {"y"});
  optimize(g);
  EXPECT_EQ(ops(g), "Gather ConstantOfShape Add");
}

TEST(Optimizer, RemovesIdentitiesAndKeepsOutputNames) {
  Graph g = graph("a = Identity(x)\n b = Relu(a)\n y = Identity(b)", {"x"}, {"y"});
  optimize(g);
  ASSERT_EQ(ops(g), "Relu");
  EXPECT_EQ(g.nodes[0].inputs[0], "x");
  EXPECT_EQ(g.nodes[0].outputs[0], "y");
}

TEST(Optimizer, AnInputThatIsAnOutputStays) {
  Graph g = graph("y = Identity(x)", {"x"}, {"y"});
  optimize(g);
  EXPECT_EQ(ops(g), "Identity");
}

TEST(Optimizer, TwoOutputsOfOneValueKeepBothNames) {
  Graph g = graph("a = Relu(x)\n y = Identity(a)\n z = Identity(a)", {"x"}, {"y", "z"});
  optimize(g);
  std::set<std::string> made;
  for (const Node& n : g.nodes) made.insert(n.outputs.begin(), n.outputs.end());
  EXPECT_TRUE(made.contains("y") && made.contains("z"));
  EXPECT_EQ(g.nodes.size(), 2u);
}

TEST(Optimizer, MergesEqualNodes) {
  Graph g = graph("a = Exp(x)\n b = Exp(x)\n y = Add(a, b)", {"x"}, {"y"});
  optimize(g);
  EXPECT_EQ(ops(g), "Exp Add");
}

TEST(Optimizer, RemovesDeadNodesAndTheirConstants) {
  Graph g = graph("dead = Add(x, float [1])\n y = Relu(x)", {"x"}, {"y"});
  optimize(g);
  EXPECT_EQ(ops(g), "Relu");
  EXPECT_TRUE(g.initializers.empty());
}

TEST(Optimizer, AnUnknownNameIsAnErrorWithTheNearest) {
  Graph g;
  try {
    optimize(g, {.disabled = {"fold-constant"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.hint, "did you mean 'fold-constants'?");
  }
}

TEST(Optimizer, EachCanBeLeftOut) {
  for (std::string_view name : optimization_names()) {
    Graph g = graph("a = Not(x)\n y = Not(a)", {"x"}, {"y"});
    EXPECT_NO_THROW(optimize(g, {.disabled = {std::string(name)}})) << name;
  }
}

TEST(Rewrite, UsesInsideThePatternAreSeen) {
  Graph g = graph("a = Not(x)\n y = Not(a)\n z = Not(a)", {"x"}, {"y", "z"});
  optimize(g);
  for (const Node& n : g.nodes) EXPECT_NE(n.outputs[0], "");
  EXPECT_LE(g.nodes.size(), 3u);
}

// By being registered, a rule must fire on its own left side and must not grow the graph.
TEST(Rules, EachFiresOnItsOwnPattern) {
  for (const Rule& rule : rules()) {
    // The pattern as nodes: "Not(Not(x))" -> n0 = Not(x), n1 = Not(n0). Numbers become constants.
    Graph g;
    std::set<std::string> inputs;
    int made = 0;
    size_t at = 0;
    const std::string_view text = rule.from;
    const std::function<std::string()> term = [&]() -> std::string {
      while (at < text.size() && text[at] == ' ') ++at;
      const size_t from = at;
      while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '.' || text[at] == '-')) ++at;
      const std::string word(text.substr(from, at - from));
      if (std::islower(static_cast<unsigned char>(word[0]))) return inputs.insert(word), word;
      if (!std::isupper(static_cast<unsigned char>(word[0]))) {
        const std::string name = "c" + std::to_string(made++);
        g.initializers[name] = Tensor::of<float>({1}, {std::stof(word)});
        return name;
      }
      Node node{.op = word};
      ++at;
      do node.inputs.push_back(term()); while (text[at] == ',' && ++at);
      EXPECT_EQ(text[at], ')') << rule.name << ": attributes in a pattern need an example of their own";
      ++at;
      node.outputs = {"n" + std::to_string(made++)};
      g.nodes.push_back(node);
      return node.outputs[0];
    };
    const std::string result = term();
    for (const std::string& name : inputs) g.inputs.push_back({name, {}, {}});
    g.outputs.push_back({result, {}, {}});
    const bool kernels = std::all_of(g.nodes.begin(), g.nodes.end(), [](const Node& n) { return find_operator("", n.op); });
    const std::string to(rule.to.substr(0, rule.to.find('(')));
    if (!kernels || !find_operator("", to)) continue;     // a target without a kernel is not applied
    Graph after = g;
    EXPECT_GE(rewrite(after, {}), 1) << rule.name;
    EXPECT_LE(after.nodes.size(), g.nodes.size()) << rule.name;
  }
}

}  // namespace
}  // namespace onward
