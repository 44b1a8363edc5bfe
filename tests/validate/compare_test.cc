// Two sets of answers: what counts as equal, what is counted, and what the reports show of it.
#include "onward/validate/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "onward/validate/report.h"

namespace onward {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();

Answers answers(std::string who, std::vector<std::pair<std::string, Tensor>> outputs, std::vector<uint8_t> refused = {}) {
  if (refused.empty()) refused.resize(size_t(outputs.at(0).second.dims()[0]));
  return {.who = std::move(who), .outputs = std::move(outputs), .refused = std::move(refused)};
}

Comparison numbers(std::vector<double> expected, std::vector<double> given, Tolerances tolerances = {}) {
  const int64_t n = int64_t(given.size());
  return compare(answers("a", {{"variable", Tensor::of<double>({n}, expected)}}), answers("b", {{"variable", Tensor::of<double>({n}, given)}}), tolerances);
}

TEST(Compare, EqualNumbersHaveNoError) {
  const Comparison c = numbers({1, -0.0, nan, infinite}, {1, 0.0, nan, infinite});
  EXPECT_TRUE(c.ok());
  EXPECT_EQ(c.outputs[0].compared, 4);
  EXPECT_EQ(c.outputs[0].histogram[0], 4);
  EXPECT_EQ(c.max_absolute, 0);
}

TEST(Compare, ToleranceAddsAbsoluteAndRelative) {
  EXPECT_TRUE(numbers({1}, {1 + 1e-12}).ok());
  EXPECT_FALSE(numbers({1}, {1 + 1e-11}).ok());
  EXPECT_TRUE(numbers({1}, {1 + 1e-11}, {.relative = 0, .absolute = 1e-10}).ok());
  EXPECT_TRUE(numbers({1e6}, {1e6 + 0.1}, {.relative = 1e-6, .absolute = 0}).ok());
  EXPECT_FALSE(numbers({0}, {1e-9}, {.relative = 1, .absolute = 0}).ok());
}

TEST(Compare, NotANumberAgainstANumberDiffersWhateverTheTolerance) {
  for (const auto& [e, g] : {std::pair{nan, 1.0}, {1.0, nan}, {infinite, 1.0}, {infinite, -infinite}}) {
    const Comparison c = numbers({e}, {g}, {.relative = 1e9, .absolute = 1e300});
    EXPECT_FALSE(c.ok()) << e << " " << g;
    EXPECT_EQ(c.outputs[0].histogram.back(), 1);
  }
}

TEST(Compare, WorstRowsComeFirstAndFailingRowsInOrder) {
  const Comparison c = numbers({0, 0, 0, 0}, {0.1, 0, 0.3, 0.2});
  EXPECT_EQ(c.failing_rows, (std::vector<int64_t>{0, 2, 3}));
  ASSERT_EQ(c.worst.size(), 3u);
  EXPECT_EQ(c.worst[0].row, 2);
  EXPECT_EQ(c.worst[0].given, "0.3");
  EXPECT_DOUBLE_EQ(c.outputs[0].mean_absolute, 0.15);
}

TEST(Compare, LabelsAreEqualOrNot) {
  const Comparison c = compare(answers("a", {{"label", Tensor::of<std::string>({3}, {"x", "y", "x"})}}), answers("b", {{"label", Tensor::of<std::string>({3}, {"x", "x", "y"})}}), {});
  EXPECT_EQ(c.mismatched_labels, 2);
  EXPECT_EQ((c.outputs[0].disagreements.at({"y", "x"})), 1);
  EXPECT_EQ(c.failing_count, 2);
}

TEST(Compare, WholeNumbersOfAnyWidthAreLabels) {
  const auto with = [](const Tensor& expected, const Tensor& given) { return compare(answers("a", {{"label", expected}}), answers("b", {{"label", given}}), {}); };
  const int64_t large = (int64_t(1) << 53) + 1;
  EXPECT_TRUE(with(Tensor::of<int32_t>({2}, {1, 2}), Tensor::of<int64_t>({2}, {1, 2})).ok());
  EXPECT_TRUE(with(Tensor::of<bool>({2}, {true, false}), Tensor::of<int64_t>({2}, {1, 0})).ok());
  EXPECT_FALSE(with(Tensor::of<int64_t>({1}, {large}), Tensor::of<int64_t>({1}, {large - 1})).ok());
  EXPECT_TRUE(with(Tensor::of<double>({1}, {3.0}), Tensor::of<int64_t>({1}, {3})).ok());
}

TEST(Compare, OtherShapesAndMissingOutputsAreProblems) {
  const Answers given = answers("b", {{"label", Tensor::of<int64_t>({2}, {1, 2})}, {"scores", Tensor::of<double>({2}, {0, 0})}});
  const Comparison c = compare(answers("a", {{"label", Tensor::of<int64_t>({2, 2}, {1, 2, 3, 4})}}), given, {});
  EXPECT_FALSE(c.ok());
  EXPECT_EQ(c.outputs[0].problem, "expected int64 [2, 2], given int64 [2]");
  EXPECT_EQ(c.outputs[1].problem, "a has no such output");
}

TEST(Compare, RowsThatBothRefuseAreNoDifference) {
  const Tensor e = Tensor::of<double>({3}, {1, nan, nan}), g = Tensor::of<double>({3}, {1, nan, 5});
  const Comparison both = compare(answers("a", {{"variable", e}}, {0, 1, 1}), answers("b", {{"variable", g}}, {0, 1, 1}), {});
  EXPECT_TRUE(both.ok());
  EXPECT_EQ(both.refused_by_both, 2);
  EXPECT_EQ(both.outputs[0].compared, 1);
  const Comparison one = compare(answers("a", {{"variable", e}}, {0, 1, 1}), answers("b", {{"variable", g}}, {0, 1, 0}), {});
  EXPECT_FALSE(one.ok());
  EXPECT_EQ(one.refused_by_expected, 1);
  EXPECT_EQ(one.failing_rows, (std::vector<int64_t>{2}));
}

TEST(Compare, ManyDifferencesStayBounded) {
  std::vector<double> zeros(20'000), errors(20'000);
  for (size_t i = 0; i < errors.size(); ++i) errors[i] = double((i * 7919) % 20'000) + 1;
  const Comparison c = numbers(zeros, errors);
  EXPECT_EQ(c.failing_count, 20'000);
  ASSERT_EQ(c.worst.size(), 20u);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(c.worst[i].error, 20'000 - double(i));
}

TEST(Report, IsJsonAndHtmlThatNothingCanEscapeFrom) {
  Table table{.rows = 1};
  table.columns.emplace_back("<script>alert(1)</script>", ColumnType::float64, std::vector<double>{nan});
  const Comparison c = compare(answers("a", {{"label", Tensor::of<std::string>({1}, {"</td><script>"})}}), answers("b", {{"label", Tensor::of<std::string>({1}, {"\"&"})}}), {});
  const ReportContext context{.model = "m<b>.onnx", .table = &table};
  const std::string page = report_html(c, context);
  EXPECT_EQ(page.find("<script"), page.npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)"), page.npos);
  EXPECT_NE(page.find("Different"), page.npos);
  const auto json = report_json(c, context);
  EXPECT_FALSE(json.at("ok").get<bool>());
  EXPECT_EQ(json.at("worst")[0].at("inputs").begin().value(), "(missing)");
  EXPECT_TRUE(json.at("worst")[0].at("error").is_null());
}

TEST(Report, OfAMillionRowsStaysSmall) {
  std::vector<double> numbers_(200'000);
  for (size_t i = 0; i < numbers_.size(); ++i) numbers_[i] = std::sin(double(i));
  const Comparison c = numbers(numbers_, numbers_);
  EXPECT_LT(report_html(c, {}).size(), 500'000u);
}

}  // namespace
}  // namespace onward
