// Operators of the first opsets that the standard no longer lists, in models that converters of that time wrote.
#include <gtest/gtest.h>

#include "onward/model/text.h"
#include "onward/ops/evaluate.h"
#include "onward/ops/upgrade.h"

namespace onward {
namespace {

struct Row { std::string_view node, expected; };

constexpr Row rows[] = {
    {"Affine(float [1, -2]; alpha=3.0, beta=0.5)", "float [3.5, -5.5]"},
    {"Affine(double [1, -2])", "double [1, -2]"},
    {"ImageScaler(float [[[[1, 2]], [[3, 4]]]]; scale=2.0, bias=[0.5, -1.0])", "float [[[[2.5, 4.5]], [[5, 7]]]]"},
    {"ParametricSoftplus(float [0, 40]; alpha=2.0, beta=0.5)", "float [1.3862944, 40]"},
    {"Scale(float [1, -2]; scale=0.25)", "float [0.25, -0.5]"},
    {"ScaledTanh(float [0, 1]; alpha=2.0, beta=0.5)", "float [0, 0.92423431]"},
    {"ConstantFill(int64 [2, 1]; input_as_shape=1, value=1.5)", "float [[1.5], [1.5]]"},
    {"ConstantFill(int64 [2]; input_as_shape=1, extra_shape=[1], dtype=7, value=3.0)", "int64 [[3], [3]]"},
    {"ConstantFill(float [[7, 7]]; dtype=9, value=1.0)", "bool [[true, true]]"},
};

Tensor answer(std::string_view node) {
  Model model;
  model.graph = parse_nodes("y = " + std::string(node));
  model.opsets = {{"", 7}};
  modernise(model);
  std::map<std::string, Value> values;
  for (const auto& [name, tensor] : model.graph.initializers) values[name] = tensor;
  for (const Node& n : model.graph.nodes) {
    std::vector<Value> inputs;
    for (const std::string& name : n.inputs) inputs.push_back(name.empty() ? Value() : values.at(name));
    const auto outputs = evaluate(n, inputs);
    for (size_t k = 0; k < outputs.size(); ++k) values[n.outputs[k]] = outputs[k];
  }
  return std::get<Tensor>(values.at("y"));
}

TEST(Experimental, OperatorsOfTheFirstOpsetsRun) {
  for (const Row& row : rows) {
    const Tensor y = answer(row.node), expected = parse_tensor(row.expected);
    ASSERT_EQ(y.type(), expected.type()) << row.node;
    ASSERT_EQ(y.dims(), expected.dims()) << row.node;
    for (int64_t i = 0; i < y.size(); ++i) {
      if (y.type() == DataType::f32) EXPECT_NEAR(y.data<float>()[i], expected.data<float>()[i], 1e-6) << row.node;
      else if (y.type() == DataType::f64) EXPECT_EQ(y.data<double>()[i], expected.data<double>()[i]) << row.node;
      else if (y.type() == DataType::i64) EXPECT_EQ(y.data<int64_t>()[i], expected.data<int64_t>()[i]) << row.node;
      else EXPECT_EQ(y.data<bool>()[i], expected.data<bool>()[i]) << row.node;
    }
  }
}

TEST(Experimental, ConstantFillSaysWhatDoesNotFit) {
  for (const auto& [node, message] : {std::pair{"ConstantFill(int64 [-2]; input_as_shape=1)", "a shape with the size -2"},
                                      std::pair{"ConstantFill(float [1]; input_as_shape=1)", "a shape of type float"},
                                      std::pair{"ConstantFill(; shape=[1], dtype=8)", "dtype is 8"}})
    try {
      answer(node);
      ADD_FAILURE() << "accepted: " << node;
    } catch (const Error& e) {
      EXPECT_NE(e.message.find(message), std::string::npos) << e.message;
    }
}

}  // namespace
}  // namespace onward
