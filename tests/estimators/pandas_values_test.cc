// Series and frames as pandas' pickles hold them; what lies about its sizes ends in a problem.
#include "onward/estimators/pandas_values.h"

#include <gtest/gtest.h>

#include <limits>

#include "onward/estimators/fields.h"
#include "plain_objects.h"

namespace onward {
namespace {

using plain::Objects;
using plain::Value;

std::string little(std::initializer_list<int32_t> offsets) {
  std::string all;
  for (const int32_t o : offsets) all.append(reinterpret_cast<const char*>(&o), sizeof o);
  return all;
}

struct Read {
  LabelledNumbers values;
  std::string problem;
};

struct PandasValues : testing::Test {
  Objects o;

  Value index(Value data) { return o.call("_new_Index", {o.global("pandas", "Index"), o.dict({{"data", data}})}); }
  Value range(int64_t stop, int64_t step = 1) {
    return o.call("_new_Index", {o.global("pandas", "RangeIndex"), o.dict({{"start", plain::integer(0)}, {"stop", plain::integer(stop)}, {"step", plain::integer(step)}})});
  }
  Value slice(int64_t start, int64_t stop) { return o.call("slice", {plain::integer(start), plain::integer(stop), plain::integer(1)}); }
  Value block(Value values, Value places) { return o.call("_unpickle_block", {values, places, plain::integer(2)}); }
  Value held(std::initializer_list<Value> blocks, std::initializer_list<Value> axes) {
    return o.object("pandas", "Series", {{"_mgr", o.call("Manager", {o.tuple(blocks), o.list(axes)})}});
  }
  Value bytes(const std::string& content) {
    Value v = o.text(content);
    v.kind = plain::Kind::bytes;
    return o.call("py_buffer", {v});
  }
  Value piece(int64_t size, int64_t offset, Value valid, const std::string& offsets, const std::string& content, std::string_view type = "string") {
    return o.call("_restore_array", {o.tuple({o.call("type_for_alias", {o.text(type)}), plain::integer(size), plain::integer(0), plain::integer(offset), o.list({valid, bytes(offsets), bytes(content)}),
                                              o.list({}), o.none()})});
  }
  Value arrow(std::initializer_list<Value> pieces) {
    return o.object("pandas", "ArrowStringArray", {{"_pa_array", o.call("chunked_array", {o.list(pieces)})}});
  }

  Read read(Value v) {
    const Registry none;
    const Value root = o.object("module", "Encoder", {});
    Reading reading{none, std::make_shared<plain::Document>(o.document(root))};
    Fields fields(reading, root, {});
    Read out;
    try {
      out.values = read_labelled(fields, "mapping", v);
    } catch (const Error& e) {
      out.problem = e.message;
    }
    for (const Problem& p : reading.problems) out.problem += p.message + "\n";
    return out;
  }
  void expect_problem(Value v, std::string_view said) {
    const Read r = read(v);
    EXPECT_NE(r.problem.find(said), std::string::npos) << "found: " << r.problem;
    EXPECT_FALSE(r.values.values) << said;
  }
};

TEST_F(PandasValues, ASeriesIsOneColumnByLabel) {
  const Read r = read(held({block(o.numbers({3}, {0.5, 0.25, -1}), slice(0, 1))}, {index(o.objects({o.text("a"), o.text("b"), o.text("ü")}))}));
  ASSERT_EQ(r.problem, "");
  EXPECT_EQ(r.values.labels.size(), 3);
  EXPECT_EQ(r.values.labels.values.values<std::string>()[2], "ü");
  EXPECT_EQ(r.values.width(), 1);
  EXPECT_EQ(r.values.values[1], 0.25);
  EXPECT_TRUE(r.values.columns.empty());
}

TEST_F(PandasValues, AFrameIsPutTogetherOfItsBlocks) {
  const Value names = index(o.objects({o.text("x"), o.text("y"), o.text("z")}));
  const Read r = read(held({block(o.numbers({2, 2}, {1, 2, 5, 6}), o.integers({2}, {0, 2})), block(o.integers({1, 2}, {3, 4}), slice(1, 2))}, {names, range(2)}));
  ASSERT_EQ(r.problem, "");
  EXPECT_EQ(r.values.columns, (std::vector<std::string>{"x", "y", "z"}));
  const double expected[] = {1, 3, 5, 2, 4, 6};
  for (int64_t i = 0; i < 6; ++i) EXPECT_EQ(r.values.values[i], expected[i]) << i;
  EXPECT_EQ(place_of_number(r.values.labels, 1), 1);
  EXPECT_EQ(place_of_number(r.values.labels, 2), std::nullopt);
}

TEST_F(PandasValues, StringsOfArrowInPiecesWithAGap) {
  const std::string one(1, '\1');
  const Read r = read(held({block(o.numbers({3}, {7, 8, 9}), slice(0, 1))},
                           {index(arrow({piece(1, 1, o.none(), little({0, 2, 5}), "xxabc"), piece(2, 0, bytes(one), little({0, 1, 1}), "d")}))}));
  ASSERT_EQ(r.problem, "");
  EXPECT_EQ(r.values.labels.values.values<std::string>()[0], "abc");
  EXPECT_EQ(r.values.labels.values.values<std::string>()[1], "d");
  EXPECT_EQ(r.values.labels.nan, 2);
}

TEST_F(PandasValues, LiesAreProblems) {
  const Value three = block(o.numbers({3}, {1, 2, 3}), slice(0, 1)), labels = range(3);
  expect_problem(held({three}, {index(o.objects({o.text("a")}))}), "has 1 labels for 3 rows");
  expect_problem(held({three}, {range(5)}), "counts to 5 for 3 places");
  expect_problem(held({block(o.numbers({2, 3}, {1, 2, 3, 4, 5, 6}), o.integers({2}, {0, 7}))}, {range(2), labels}), "has a block at column 7 of 2");
  expect_problem(held({block(o.numbers({2, 3}, {1, 2, 3, 4, 5, 6}), o.integers({1}, {0}))}, {range(2), labels}), "has a block of 2 columns at 1 places");
  expect_problem(held({three}, {o.call("_new_Index", {o.global("pandas", "DatetimeIndex"), o.dict({{"data", labels}})})}), "an index that is a DatetimeIndex");
  expect_problem(o.text("no table"), "Series or a DataFrame");
  const auto names = [&](Value array) { return held({block(o.numbers({1}, {1}), slice(0, 1))}, {index(array)}); };
  expect_problem(names(arrow({piece(1, 0, o.none(), little({0, 9}), "abc")})), "text 0 lies outside of it");
  expect_problem(names(arrow({piece(1, 0, o.none(), little({2, 1}), "abc")})), "text 0 lies outside of it");
  expect_problem(names(arrow({piece(3, 0, o.none(), little({0, 1}), "abc")})), "shorter than it says");
  expect_problem(names(arrow({piece(std::numeric_limits<int64_t>::max(), 1, o.none(), little({0, 1}), "abc")})), "items from 1 on");
  expect_problem(names(arrow({piece(1, 0, o.none(), little({0, 1}), "a", "binary")})), "is an array of Arrow of binary");
}

TEST_F(PandasValues, OnePieceManyTimesIsNoMoreThanItsLimit) {
  const std::string half(size_t{1} << 19, 'a');
  const std::vector<Value> many(3000, piece(1, 0, o.none(), little({0, int32_t(half.size())}), half));
  const Value array = o.object("pandas", "ArrowStringArray", {{"_pa_array", o.call("chunked_array", {o.list(many)})}});
  expect_problem(held({block(o.numbers({1}, {1}), slice(0, 1))}, {index(array)}), "bytes of text");
}

}  // namespace
}  // namespace onward
