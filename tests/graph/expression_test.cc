// The expression language: what it reads, and that its errors point at the column of the text.
#include "onward/graph/expression.h"

#include <gtest/gtest.h>

namespace onward {
namespace {

std::string refusal(const std::string& text, std::string* hint = nullptr) {
  try {
    Expression e(text);
    GraphBuilder g;
    std::map<std::string, Expr> known;
    e.in(g, [&](const std::string& name) {
      if (!known.contains(name)) known[name] = g.input(name, name == "word" ? DataType::str : DataType::none, {rows, 1});
      return known[name];
    });
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::usage) << e.message;
    if (hint) *hint = e.hint;
    return e.message;
  }
}

// How operators bind, as the nodes that come out.
std::string shape_of(const std::string& text) {
  GraphBuilder g;
  std::map<std::string, Expr> known;
  const Expression e(text);
  const Expr out = e.in(g, [&](const std::string& name) { return known.try_emplace(name, Expr()).first->second.graph ? known[name] : known[name] = g.input(name, DataType::f64, {rows, 1}); });
  std::string ops;
  for (const Node& node : g.graph({{"y", out}}).nodes) ops += (ops.empty() ? "" : " ") + node.op;
  return ops;
}

TEST(Expression, KnowsItsColumnsAndHowOperatorsBind) {
  const Expression e("log1p(fare) / `home.dest` + fare * été_2 ** -x");
  EXPECT_EQ(e.names(), (std::vector<std::string>{"fare", "home.dest", "été_2", "x"}));
  EXPECT_EQ(shape_of("a + b * c"), "Mul Add");
  EXPECT_EQ(shape_of("(a + b) * c"), "Add Mul");
  EXPECT_EQ(shape_of("-a ** b"), "Pow Neg");
  EXPECT_EQ(shape_of("a ** b ** c"), "Pow Pow");
  EXPECT_EQ(shape_of("not a < b and c > a"), "Less Not Greater And");
  EXPECT_EQ(shape_of("a or b and c"), shape_of("a or (b and c)"));
  EXPECT_EQ(shape_of("a - b - c"), "Sub Sub");
}

TEST(Expression, ErrorsPointAtTheColumn) {
  EXPECT_NE(refusal("log1p(fare / age").find("column 17: expected ',' or ')', found the end"), std::string::npos);
  EXPECT_NE(refusal("fare +").find("column 7: expected a number, a column, a function or '(', found the end"), std::string::npos);
  EXPECT_NE(refusal("fare $ 2").find("column 6: expected an operator or the end, found '$'"), std::string::npos);
  EXPECT_NE(refusal("fare € 2").find("found '€'"), std::string::npos) << refusal("fare € 2");
  EXPECT_NE(refusal("1 + lgo1p(fare)").find("column 5: there is no function 'lgo1p'; did you mean 'log1p'"), std::string::npos) << refusal("1 + lgo1p(fare)");
  EXPECT_NE(refusal("log(a, b)").find("column 1: log takes 1 argument, given 2"), std::string::npos);
  EXPECT_NE(refusal("where(a, b)").find("where takes 3 arguments, given 2"), std::string::npos);
  EXPECT_NE(refusal("2x").find("column 2: expected an operator behind the number"), std::string::npos);
  EXPECT_NE(refusal("1e999 * a").find("no double holds"), std::string::npos);
  EXPECT_NE(refusal("a == 'b").find("column 6: the closing ' is missing"), std::string::npos);
  EXPECT_NE(refusal("a < 'b'").find("column 5: a text may only be compared"), std::string::npos);
  EXPECT_NE(refusal("word + 1").find("column 1: text where a number is expected"), std::string::npos);
  EXPECT_NE(refusal("a < b < c").find("column 7"), std::string::npos);
  EXPECT_NE(refusal("").find("column 1"), std::string::npos);
  EXPECT_NE(refusal("``").find("a column needs a name"), std::string::npos);
  std::string hint;
  refusal("foo(a)", &hint);
  EXPECT_NE(hint.find("log1p"), std::string::npos);
  EXPECT_EQ(refusal("where(word == 'x' or not isnan(a), maximum(a, 0), 1.5e3 * pi)"), "");
}

TEST(Expression, DepthAndLengthAreBounded) {
  EXPECT_NE(refusal(std::string(5000, '(') + "a").find("nested too deeply"), std::string::npos);
  EXPECT_NE(refusal(std::string(5000, '-') + "a").find("nested too deeply"), std::string::npos);
  EXPECT_NE(refusal(std::string(20000, 'a')).find("at most"), std::string::npos);
  std::string doubled = "a";
  for (int i = 0; i < 60; ++i) doubled = "(" + doubled + ") == b";
  EXPECT_EQ(refusal(doubled), "");
}

}  // namespace
}  // namespace onward
