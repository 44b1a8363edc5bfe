// Rows for measuring: on both sides of what a model compares its inputs with.
#include "onward/validate/realistic_inputs.h"

#include <gtest/gtest.h>

#include <set>

#include "onward/model/text.h"

namespace onward {
namespace {

// A tree that asks the second of the chosen columns (x's third) for 10 and 20, and the first (x's first) for membership in {3, 5}.
const char* const tree =
    "part = Gather(x, int64 [0, 2]; axis=1)\n"
    "y = ai.onnx.ml.TreeEnsemble(part; nodes_featureids=[1, 1, 0], nodes_modes=uint8 [0, 0, 6], nodes_splits=double [10, 20, 0], nodes_truenodeids=[0, 2, 1], nodes_trueleafs=[1, 0, 1],"
    " nodes_falsenodeids=[1, 3, 2], nodes_falseleafs=[0, 1, 1], tree_roots=[0], leaf_targetids=[0, 0, 0, 0], leaf_weights=double [1, 2, 3, 4], membership_values=double [3, 5, nan], n_targets=1)\n";

Model model_of(const std::string& nodes, TypeInfo input) {
  Model m;
  m.opsets = {{"", 21}, {"ai.onnx.ml", 5}};
  m.graph = parse_nodes(nodes);
  m.graph.inputs = {{"x", std::move(input)}};
  m.graph.outputs = {{"y", TypeInfo::tensor(DataType::f64)}};
  return m;
}
Model with_tree() { return model_of(tree, TypeInfo::tensor(DataType::f64, {{{.name = "batch"}, {.size = 3}}})); }

TEST(ComparedConstants, AreFoundBehindPickedColumns) {
  const ComparedConstants found = compared_constants(with_tree().graph);
  const std::map<ComparedConstants::Column, std::vector<double>> thresholds{{{"x", 2}, {10, 20}}}, values{{{"x", 0}, {3, 5}}};
  EXPECT_EQ(found.thresholds, thresholds);
  EXPECT_EQ(found.values, values);
}

TEST(ComparedConstants, AreNotTheLeavesOfOlderTrees) {
  const Model m = model_of("y = ai.onnx.ml.TreeEnsembleRegressor(x; nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[1, 0, 0], nodes_values=[7.5, 0.0, 0.0],"
                           " nodes_modes=[\"BRANCH_LEQ\", \"LEAF\", \"LEAF\"], nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0], target_treeids=[0, 0], target_nodeids=[1, 2],"
                           " target_ids=[0, 0], target_weights=[1.0, 2.0], n_targets=1)", TypeInfo::tensor(DataType::f32, {{{.name = "batch"}, {.size = 2}}}));
  const std::map<ComparedConstants::Column, std::vector<double>> thresholds{{{"x", 1}, {7.5}}};
  EXPECT_EQ(compared_constants(m.graph).thresholds, thresholds);
}

TEST(ComparedConstants, OfJoinedInputsAreEachInputsOwn) {
  Model m = with_tree();
  m.graph.nodes[0] = {.op = "Concat", .inputs = {"a", "b"}, .outputs = {"part"}, .attributes = {{"axis", int64_t{1}}}};
  const std::vector<DimInfo> column{{.name = "batch"}, {.size = 1}};
  m.graph.inputs = {{"a", TypeInfo::tensor(DataType::f64, column)}, {"b", TypeInfo::tensor(DataType::f64, column)}};
  const ComparedConstants found = compared_constants(m.graph);
  EXPECT_EQ(found.thresholds.at({"b", 0}), (std::vector<double>{10, 20}));
  EXPECT_EQ(found.values.at({"a", 0}), (std::vector<double>{3, 5}));
}

TEST(ComparedConstants, OfEncodersAreWordsToo) {
  const Model m = model_of("y = ai.onnx.ml.LabelEncoder(x; keys_strings=[\"b\", \"a\"], values_floats=[1.0, 2.0])", TypeInfo::tensor(DataType::str, {{{.name = "batch"}, {.size = 1}}}));
  EXPECT_EQ(compared_constants(m.graph).words.at({"x", 0}), (std::vector<std::string>{"a", "b"}));
}

TEST(RealisticInputs, FallOnEverySideOfTheThresholds) {
  const Model m = with_tree();
  const Session session(with_tree());
  RealisticInputs made(session, m.graph);
  const Tensor rows = *made.next(1000)[0].second.tensor();
  std::set<double> members;
  int64_t below = 0, between = 0, above = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    const double* row = rows.data<double>() + 3 * i;
    members.insert(row[0]);
    ++(row[2] <= 10 ? below : row[2] <= 20 ? between : above);
  }
  EXPECT_EQ(members, (std::set<double>{3, 5}));
  EXPECT_GT(std::min({below, between, above}), 250);
}

TEST(RealisticInputs, AreOthersAtEachCallAndTheSameEachTime) {
  const Model m = with_tree();
  const Session session(with_tree());
  RealisticInputs one(session, m.graph), other(session, m.graph);
  const auto words = [](const NamedValues& v) { return std::vector<double>(v[0].second.tensor()->values<double>().begin(), v[0].second.tensor()->values<double>().end()); };
  const auto first = words(one.next(5)), second = words(one.next(5));
  EXPECT_NE(first, second);
  EXPECT_EQ(words(other.next(5)), first);
}

TEST(RealisticInputs, StayInTheSchemasRange) {
  Model m = model_of("y = Neg(x)", TypeInfo::tensor(DataType::f64, {{{.name = "batch"}, {.size = 1}}}));
  Schema schema = schema_of(m);
  schema.inputs[0].range = Range{100, 200};
  set_schema(m, schema);
  const Graph graph = m.graph;
  const Session session(std::move(m));
  const Tensor rows = *RealisticInputs(session, graph).next(100)[0].second.tensor();
  for (const double x : rows.values<double>()) EXPECT_TRUE(x >= 100 && x <= 200) << x;
}

}  // namespace
}  // namespace onward
