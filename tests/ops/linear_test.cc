// Linear models of ai.onnx.ml: a row's answer does not depend on the rows around it, nor on how they were laid out for it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "onward/ops/operator.h"
#include "onward/ops/row_lanes.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

std::vector<float> numbers(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(n);
  for (float& x : out) x = normal(random);
  return out;
}

struct Answers { std::vector<int64_t> labels; std::vector<float> scores; };

Answers classified(const Operator& op, const void* self, const float* x, int64_t rows, int64_t columns, int64_t width) {
  const Value input = Tensor::view(DataType::f32, {rows, columns}, x);
  const Value* const inputs[] = {&input};
  Value outputs[] = {Tensor(DataType::i64, {rows}), Tensor(DataType::f32, {rows, width})};
  const RunContext context;
  Call call{inputs, outputs, context};
  op.run(self, call);
  const auto labels = outputs[0].tensor()->values<int64_t>();
  const auto scores = outputs[1].tensor()->values<float>();
  return {{labels.begin(), labels.end()}, {scores.begin(), scores.end()}};
}

TEST(LinearClassifier, ARowHasTheSameAnswerInEveryBatch) {
  const Operator& op = *find_operator("ai.onnx.ml", "LinearClassifier");
  for (const int64_t columns : {1, 5, 16, 30, 33, 300})
    for (const int64_t targets : {1, 2, 3, 20})
      for (const char* kind : {"NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"}) {
        const int64_t width = std::max<int64_t>(targets, 2);
        std::vector<int64_t> labels;
        for (int64_t k = 0; k < width; ++k) labels.push_back(10 + k);
        Node node{.domain = "ai.onnx.ml", .op = "LinearClassifier", .inputs = {"x"}, .outputs = {"label", "scores"}};
        node.attributes["coefficients"] = numbers(size_t(columns * targets), 1);
        node.attributes["intercepts"] = numbers(size_t(targets), 2);
        node.attributes["classlabels_ints"] = labels;
        node.attributes["post_transform"] = std::string(kind);
        const auto self = op.create({node, {}, {}});
        constexpr int64_t rows = 2 * lane_rows + 9;
        std::vector<float> x = numbers(size_t(rows * columns), 3);
        x[0] = std::nanf(""), x[size_t(columns)] = INFINITY, x[size_t(2 * columns)] = -INFINITY;
        const Answers all = classified(op, self.get(), x.data(), rows, columns, width);
        for (int64_t r = 0; r < rows; ++r) {
          const Answers one = classified(op, self.get(), x.data() + r * columns, 1, columns, width);
          ASSERT_EQ(one.labels[0], all.labels[size_t(r)]) << columns << " columns, " << targets << " targets, " << kind << ", row " << r;
          for (int64_t t = 0; t < width; ++t) {
            const float a = one.scores[size_t(t)], b = all.scores[size_t(r * width + t)];
            ASSERT_TRUE(std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b))) << columns << " columns, " << targets << " targets, " << kind << ", row " << r << ": " << a << " and " << b;
          }
        }
      }
}

TEST(LinearClassifier, TwoClassesThatMirrorEachOtherAnswerAsTwo) {
  const Operator& op = *find_operator("ai.onnx.ml", "LinearClassifier");
  constexpr int64_t columns = 30, rows = 100;
  std::vector<float> coefficients = numbers(columns, 1), both = coefficients;
  for (float& c : both) c = -c;
  both.insert(both.end(), coefficients.begin(), coefficients.end());
  const auto classifier = [&](const char* kind) {
    Node node{.domain = "ai.onnx.ml", .op = "LinearClassifier", .inputs = {"x"}, .outputs = {"label", "scores"}};
    node.attributes["coefficients"] = both, node.attributes["intercepts"] = std::vector<float>{-0.25f, 0.25f};
    node.attributes["classlabels_ints"] = std::vector<int64_t>{3, 8}, node.attributes["post_transform"] = std::string(kind);
    return op.create({node, {}, {}});
  };
  std::vector<float> x = numbers(rows * columns, 3);
  x[5] = std::nanf("");
  const Answers scores = classified(op, classifier("NONE").get(), x.data(), rows, columns, 2), answers = classified(op, classifier("LOGISTIC").get(), x.data(), rows, columns, 2);
  EXPECT_EQ(answers.labels, scores.labels);
  for (size_t k = 2; k < answers.scores.size(); ++k) ASSERT_NEAR(answers.scores[k], 1 / (1 + std::exp(-scores.scores[k])), 1e-6) << k;
  EXPECT_TRUE(std::isnan(answers.scores[0]) && std::isnan(answers.scores[1]));
}

TEST(RowLanes, EveryInstructionSetLaysTheSameRowsAndAddsTheSameProducts) {
  const simd::Target best = simd::best();
  for (const int64_t columns : {1, 3, 4, 7, 8, 16, 17, 40})
    for (int target = 0; target <= int(best); ++target) {
      simd::limit(simd::Target(target));
      const auto x = numbers(size_t(lane_rows * columns), 5), weights = numbers(size_t(columns * 3), 6);
      std::vector<float> side(size_t(lane_rows * columns)), sums(size_t(lane_rows * 3), 0.5f);
      lay_side_by_side(x.data(), columns, side.data());
      for (int64_t r = 0; r < lane_rows; ++r) for (int64_t c = 0; c < columns; ++c) ASSERT_EQ(side[size_t(c * lane_rows + r)], x[size_t(r * columns + c)]);
      add_products(side.data(), columns, weights.data(), 3, sums.data());
      for (int64_t r = 0; r < lane_rows; ++r)
        for (int64_t t = 0; t < 3; ++t) {
          double expected = 0.5;
          for (int64_t c = 0; c < columns; ++c) expected += double(x[size_t(r * columns + c)]) * double(weights[size_t(c * 3 + t)]);
          ASSERT_NEAR(sums[size_t(t * lane_rows + r)], expected, 1e-5);
        }
      std::vector<double> wide(x.begin(), x.end()), laid(wide.size());
      lay_side_by_side(wide.data(), columns, laid.data());
      for (int64_t r = 0; r < lane_rows; ++r) for (int64_t c = 0; c < columns; ++c) ASSERT_EQ(laid[size_t(c * lane_rows + r)], wide[size_t(r * columns + c)]);
    }
  simd::limit(best);
}

}  // namespace
}  // namespace onward
