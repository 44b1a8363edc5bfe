// ZipMap, CastMap, DictVectorizer: the operators on maps, which examples cannot write.
#include <gtest/gtest.h>

#include "onward/model/text.h"
#include "onward/ops/evaluate.h"

namespace onward {
namespace {

Node node(const char* text) { return parse_nodes(text).nodes[0]; }

TEST(ZipMap, GivesAMapForEachRow) {
  const Value x = Tensor::of<float>({2, 2}, {1, 2, 3, 4});
  const auto out = evaluate(node("y = ai.onnx.ml.ZipMap(x; classlabels_strings=[\"no\", \"yes\"])"), std::span(&x, 1));
  const auto& maps = std::get<Sequence>(out[0]);
  ASSERT_EQ(maps.items.size(), 2u);
  const auto& second = std::get<Map>(maps.items[1]);
  EXPECT_EQ(second.keys.data<std::string>()[1], "yes");
  EXPECT_EQ(second.values.data<float>()[1], 4);
}

TEST(ZipMap, RefusesAnotherNumberOfColumns) {
  const Value x = Tensor::of<float>({1, 3}, {1, 2, 3});
  EXPECT_THROW(evaluate(node("y = ai.onnx.ml.ZipMap(x; classlabels_int64s=[0, 1])"), std::span(&x, 1)), Error);
}

TEST(CastMap, OrdersByKey) {
  const Value map = Map{Tensor::of<int64_t>({2}, {5, 1}), Tensor::of<float>({2}, {50, 10})};
  const auto out = evaluate(node("y = ai.onnx.ml.CastMap(x; cast_to=\"TO_INT64\")"), std::span(&map, 1));
  const Tensor& y = *out[0].tensor();
  EXPECT_EQ(y.dims(), (Dims{1, 2}));
  EXPECT_EQ(y.data<int64_t>()[0], 10);
}

TEST(CastMap, SparseKeysAreColumns) {
  const Value map = Map{Tensor::of<int64_t>({1}, {2}), Tensor::of<float>({1}, {7})};
  const auto out = evaluate(node("y = ai.onnx.ml.CastMap(x; map_form=\"SPARSE\", max_map=4)"), std::span(&map, 1));
  EXPECT_EQ(out[0].tensor()->data<float>()[2], 7);
  const Value outside = Map{Tensor::of<int64_t>({1}, {9}), Tensor::of<float>({1}, {7})};
  EXPECT_THROW(evaluate(node("y = ai.onnx.ml.CastMap(x; map_form=\"SPARSE\", max_map=4)"), std::span(&outside, 1)), Error);
}

TEST(DictVectorizer, FollowsTheVocabulary) {
  const Value map = Map{Tensor::of<std::string>({2}, {"b", "z"}), Tensor::of<double>({2}, {2, 9})};
  const auto out = evaluate(node("y = ai.onnx.ml.DictVectorizer(x; string_vocabulary=[\"a\", \"b\"])"), std::span(&map, 1));
  EXPECT_EQ(out[0].tensor()->data<double>()[0], 0);
  EXPECT_EQ(out[0].tensor()->data<double>()[1], 2);
}

}  // namespace
}  // namespace onward
