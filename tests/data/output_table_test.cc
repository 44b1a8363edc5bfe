#include "onward/data/output_table.h"

#include <gtest/gtest.h>

#include <cmath>

namespace onward {
namespace {

using Outputs = std::vector<std::pair<std::string, Value>>;

std::vector<std::string> names(const Table& t) {
  std::vector<std::string> out;
  for (const Column& c : t.columns) out.push_back(c.name);
  return out;
}
Table table(const std::vector<Field>& fields, const Outputs& outputs, int64_t rows) { return output_table({.outputs = fields}, outputs, rows); }

TEST(OutputTable, NamesClassesAsTheSchemaDoes) {
  const Categories classes = std::vector<std::string>{"no", "yes"};
  const Table t = table({{.name = "label", .type = ColumnType::string, .classes = classes}, {.name = "probabilities", .classes = classes}},
                        {{"label", Tensor::of<std::string>({2}, {"no", "yes"})}, {"probabilities", Tensor::of<double>({2, 2}, {0.75, 0.25, 0.5, 0.5})}}, 2);
  EXPECT_EQ(names(t), (std::vector<std::string>{"label", "probability_no", "probability_yes"}));
  EXPECT_EQ(t.columns[0].strings()[1], "yes");
  EXPECT_EQ(t.columns[2].as<double>()[0], 0.25);
}

TEST(OutputTable, NamesFollowTheContract) {
  EXPECT_EQ(output_columns({.name = "scores"}, 1), (std::vector<std::string>{"score"}));
  EXPECT_EQ(output_columns({.name = "scores", .classes = std::vector<int64_t>{3, 5, 7}}, 3), (std::vector<std::string>{"score_3", "score_5", "score_7"}));
  EXPECT_EQ(output_columns({.name = "variable"}, 1), (std::vector<std::string>{"variable"}));
  EXPECT_EQ(output_columns({.name = "variable"}, 2), (std::vector<std::string>{"variable_0", "variable_1"}));
  EXPECT_EQ(output_columns({.name = "transformed", .names = {"age", "sex_f"}}, 2), (std::vector<std::string>{"age", "sex_f"}));
  EXPECT_EQ(output_columns({.name = "transformed"}, 2), (std::vector<std::string>{"transformed_0", "transformed_1"}));
  EXPECT_EQ(output_columns({.name = "probabilities_1", .classes = std::vector<int64_t>{0, 1}}, 2), (std::vector<std::string>{"probability_1_0", "probability_1_1"}));
  EXPECT_EQ(output_columns({.name = "label"}, 2), (std::vector<std::string>{"label_0", "label_1"}));
}

TEST(OutputTable, TakesEveryTypeAndShapeOfColumns) {
  const Table t = table({}, {{"b", Tensor::of<bool>({2}, {true, false})}, {"i", Tensor::of<int32_t>({2, 1}, {1, 2})}, {"h", Tensor::of<float16>({2}, {float16(0.5f), float16(1.f)})},
                             {"transformed", Tensor::of<float>({2, 1}, {3, 4})}, {"cube", Tensor::of<float>({2, 1, 2}, {1, 2, 3, 4})}}, 2);
  EXPECT_EQ(names(t), (std::vector<std::string>{"b", "i", "h", "transformed_0", "cube_0", "cube_1"}));
  EXPECT_EQ(t.columns[0].type, ColumnType::boolean);
  EXPECT_EQ(t.columns[1].as<int64_t>()[1], 2);
  EXPECT_EQ(t.columns[2].as<float>()[0], 0.5f);
  EXPECT_EQ(t.columns[5].as<float>()[1], 4);
}

TEST(OutputTable, MapsBecomeAColumnForEachKey) {
  Sequence maps;
  maps.items = {Map{Tensor::of<std::string>({2}, {"a", "b"}), Tensor::of<float>({2}, {0.25f, 0.75f})}, Map{Tensor::of<std::string>({1}, {"b"}), Tensor::of<float>({1}, {1})}};
  const Table t = table({}, {{"output_probability", maps}}, 2);
  EXPECT_EQ(names(t), (std::vector<std::string>{"probability_a", "probability_b"}));
  EXPECT_TRUE(std::isnan(t.columns[0].as<double>()[1]));
  EXPECT_EQ(t.columns[1].as<double>()[1], 1);
}

TEST(OutputTable, RefusesWhatIsNoColumn) {
  try {
    table({}, {{"y", Tensor::of<float>({3}, {1, 2, 3})}}, 2);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message, "output 'y' has shape [3], which are no columns of 2 rows");
  }
  EXPECT_THROW(table({}, {{"y", Tensor::scalar(1.f)}}, 1), Error);
  EXPECT_THROW(table({}, {{"y", Value()}}, 1), Error);
  EXPECT_EQ(table({}, {{"y", Tensor(DataType::f32, {0, 3})}}, 0).columns.size(), 3u);
}

}  // namespace
}  // namespace onward
