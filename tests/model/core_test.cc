// Dims, symbols and tensors.
#include "expect_error.h"
#include "onward/model/symbols.h"
#include "onward/model/tensor.h"

namespace onward {

TEST(Dims, KeepTheirSizesInsideAndOutsideTheObject) {
  Dims few{2, 3}, many;
  for (int64_t i = 0; i < 20; ++i) many.push_back(i);
  EXPECT_EQ(few.size(), 2u);
  EXPECT_EQ(many[19], 19);
  Dims moved = std::move(many);
  EXPECT_EQ(moved.size(), 20u);
  EXPECT_TRUE(many.empty());
  many = few;
  EXPECT_EQ(many, (Dims{2, 3}));
  moved = few;
  EXPECT_EQ(moved, few);
  moved.insert(moved.begin() + 1, 7);
  EXPECT_EQ(moved, (Dims{2, 7, 3}));
  moved.erase(moved.begin());
  EXPECT_EQ(moved, (Dims{7, 3}));
}

TEST(Dims, CountRefusesWhatNoMemoryHolds) {
  EXPECT_EQ(count(Dims{}), 1);
  EXPECT_EQ(count(Dims{3, 0, 5}), 0);
  EXPECT_EQ(count(Dims{0, INT64_MAX, INT64_MAX}), 0);
  expect_error(Code::limit_size, "negative size", [] { count(Dims{2, -1}); });
  expect_error(Code::limit_size, "more than 2^62 elements", [] { count(Dims{INT64_MAX, 2}); });
}

TEST(Symbols, EqualExpressionsAreEqualNumbers) {
  Symbols s;
  const int64_t batch = s.named("batch"), seq = s.named("seq");
  EXPECT_EQ(s.named("batch"), batch);
  EXPECT_TRUE(is_symbol(batch));
  EXPECT_EQ(s.add(batch, 1), s.add(1, batch));
  EXPECT_EQ(s.subtract(s.add(batch, 1), 1), batch);
  EXPECT_EQ(s.multiply(batch, seq), s.multiply(seq, batch));
  EXPECT_EQ(s.divide(s.multiply(batch, seq), seq), batch);
  EXPECT_NE(s.fresh(), s.fresh());
  EXPECT_EQ(s.add(2, 3), 5);
}

TEST(Symbols, ReadAsPeopleWriteThem) {
  Symbols s;
  const int64_t n = s.named("n"), m = s.named("m");
  EXPECT_EQ(s.name(s.add(s.multiply(2, s.multiply(n, m)), -1)), "2*m*n - 1");
  EXPECT_EQ(s.name(s.divide(s.add(n, 3), 2)), "floor((n + 1)/2) + 1");
  EXPECT_EQ(s.divide(s.add(s.multiply(2, n), 5), 2), s.add(n, 2));
  EXPECT_EQ(s.name(s.divide_up(n, 4)), "floor((n + 3)/4)");
  EXPECT_EQ(s.divide(s.add(s.multiply(6, n), s.multiply(6, m)), s.add(n, m)), 6);
  EXPECT_EQ(s.name(s.broadcast(m, n)), "broadcast(m, n)");
  EXPECT_EQ(s.broadcast(m, n), s.broadcast(n, m));
  EXPECT_EQ(s.broadcast(1, n), n);
}

TEST(Symbols, SizesAreNotNegative) {
  Symbols s;
  const int64_t n = s.named("n"), m = s.named("m");
  EXPECT_TRUE(s.at_least(s.add(n, m), n));
  EXPECT_FALSE(s.at_least(s.subtract(n, 1), 0));
  EXPECT_EQ(s.larger(s.add(n, 2), 2), s.add(n, 2));
  EXPECT_EQ(s.name(s.larger(0, s.subtract(n, 1))), "max(n - 1, 0)");
  EXPECT_EQ(s.smaller(n, s.add(n, m)), n);
  EXPECT_FALSE(s.at_least(s.fresh_item(), 0));
  EXPECT_TRUE(s.is_fresh(s.add(s.fresh(), n)));
}

TEST(Symbols, DeclaredSumsAreSums) {
  Symbols s;
  EXPECT_EQ(s.declared("past + 2*seq"), s.add(s.named("past"), s.multiply(2, s.named("seq"))));
  EXPECT_EQ(s.declared("batch-size"), s.named("batch-size"));
  EXPECT_EQ(s.declared("a + (b"), s.named("a + (b"));
  EXPECT_EQ(s.declared("2 + 2"), s.named("2 + 2"));
}

TEST(Symbols, WhatNobodyCouldReadBecomesUnknown) {
  Symbols s;
  int64_t sum = 0, power = s.named("n");
  for (int i = 0; i < 100; ++i) sum = s.add(sum, s.named("a_rather_long_name_" + std::to_string(i)));
  EXPECT_TRUE(s.is_fresh(sum));
  for (int i = 0; i < 10; ++i) power = s.multiply(power, power);
  EXPECT_TRUE(s.is_fresh(power));
  EXPECT_TRUE(is_symbol(s.add(s.multiply(s.named("n"), INT64_MAX), s.multiply(s.named("n"), INT64_MAX))));
  EXPECT_NO_THROW(s.name(s.add(INT64_MIN / 2, INT64_MIN / 4)));
}

TEST(Tensor, CopiesShareAndViewsKeepTheirOwner) {
  const Tensor a = Tensor::of<float>({2, 2}, {1, 2, 3, 4});
  const Tensor b = a;
  EXPECT_TRUE(a.shares(b));
  EXPECT_FALSE(a.unique());
  EXPECT_EQ(a.reshaped({4}).dims(), (Dims{4}));
  auto owner = std::make_shared<std::vector<int64_t>>(std::vector<int64_t>{5, 6});
  const Tensor view = Tensor::view(DataType::i64, {2}, owner->data(), owner);
  const int64_t* data = owner->data();
  owner.reset();
  EXPECT_EQ(view.data<int64_t>(), data);
  EXPECT_EQ(view.data<int64_t>()[1], 6);
}

TEST(Tensor, StringsAreBuiltAndDestroyed) {
  Tensor t(DataType::str, {3});
  t.data<std::string>()[2] = std::string(100, 'x');
  EXPECT_EQ(t.data<std::string>()[0], "");
}

TEST(Tensor, SizesAreCheckedBeforeMemoryIsTaken) {
  expect_error(Code::limit_memory, "bytes are asked for", [] { Tensor(DataType::f32, {int64_t{1} << 40}); });
  expect_error(Code::limit_size, "larger than any memory", [] { Tensor(DataType::c128, {int64_t{1} << 61}); });
  expect_error(Code::limit_memory, "in use", [] { Tensor(DataType::u8, {100}, std::make_shared<MemoryBudget>(50)); });
}

}  // namespace onward
