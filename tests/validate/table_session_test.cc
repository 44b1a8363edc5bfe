// Sessions that answer for tables, rows that are refused one by one, made-up rows, and processes.
#include "onward/validate/table_session.h"

#include <gtest/gtest.h>

#include <cmath>

#include "onward/model/text.h"
#include "onward/validate/answers.h"
#include "onward/validate/python.h"
#include "onward/validate/sample_rows.h"

namespace onward {
namespace {

// variable = a + 2 b, where a may not be missing and b must be at most 10.
std::shared_ptr<Session> session() {
  Model m;
  m.opsets = {{"", 21}};
  m.graph = parse_nodes("two_b = Mul(b, double 2)\nvariable = Add(a, two_b)");
  const std::vector<DimInfo> column{{.name = "batch"}, {.size = 1}};
  m.graph.inputs = {{"a", TypeInfo::tensor(DataType::f64, column)}, {"b", TypeInfo::tensor(DataType::f64, column)}};
  m.graph.outputs = {{"variable", TypeInfo::tensor(DataType::f64, column)}};
  Schema s = schema_of(m);
  s.inputs[0].missing = Missing::refuse, s.inputs[0].nullable = false;
  s.inputs[1].range = Range{0, 10}, s.inputs[1].out_of_range = OutOfRange::refuse;
  set_schema(m, s);
  return std::make_shared<Session>(std::move(m));
}

Table table(std::vector<double> a, std::vector<double> b) {
  Table t{.rows = int64_t(a.size())};
  t.columns.emplace_back("a", ColumnType::float64, std::move(a));
  t.columns.emplace_back("b", ColumnType::float64, std::move(b));
  return t;
}

TEST(TableSession, FindsColumnsByName) {
  Table t = table({1, 2}, {3, 4});
  std::swap(t.columns[0], t.columns[1]);
  const TableSession s(session(), {"b", "a"});
  const Table out = s.predict(t);
  EXPECT_EQ(out.columns.at(0).name, "variable");
  EXPECT_EQ(out.columns[0].as<double>()[1], 10);
}

TEST(Answers, RefusedRowsAreFoundOneByOne) {
  std::vector<double> a(10'000, 1), b(10'000, 2);
  a[3] = std::nan(""), b[9'000] = 11, b[9'999] = -1;
  const Table t = table(a, b);
  const TableSession s(session(), {"a", "b"});
  const Answers answers = answers_of(s, t, {});
  std::vector<size_t> refused;
  for (size_t i = 0; i < answers.refused.size(); ++i)
    if (answers.refused[i]) refused.push_back(i);
  EXPECT_EQ(refused, (std::vector<size_t>{3, 9'000, 9'999}));
  EXPECT_NE(answers.why_refused.find("row 4"), std::string::npos) << answers.why_refused;
  EXPECT_EQ(answers.outputs.at(0).second.data<double>()[9'998], 5);
  EXPECT_TRUE(std::isnan(answers.outputs[0].second.data<double>()[3]));
}

TEST(SampleRows, AreTheSameForTheSameSeedAndKeepToTheSchema) {
  const Schema schema = schema_of(session()->model());
  const auto made = [&](uint64_t seed) {
    Table t = table({1, 2, 3}, {4, 5, 6});
    append_sample_rows(t, schema, 500, seed);
    return t;
  };
  const Table one = made(1), again = made(1), other = made(2);
  EXPECT_EQ(one.rows, 503);
  EXPECT_EQ(one.columns[1].as<double>().size(), 503u);
  EXPECT_TRUE(std::equal(one.columns[1].as<double>().begin(), one.columns[1].as<double>().end(), again.columns[1].as<double>().begin()));
  EXPECT_FALSE(std::equal(one.columns[1].as<double>().begin(), one.columns[1].as<double>().end(), other.columns[1].as<double>().begin()));
  for (const double x : one.columns[1].as<double>()) EXPECT_TRUE(x >= 0 && x <= 10) << x;
  Table empty;
  append_sample_rows(empty, schema, 5, 1);
  EXPECT_EQ(empty.columns.size(), 2u);
}

TEST(MadeUpInputs, RunOnAnyModelOfTensors) {
  const auto s = session();
  for (const int64_t rows : {0, 1, 7}) {
    const NamedValues inputs = made_up_inputs(*s, rows);
    EXPECT_EQ(s->run({}, inputs).at(0).tensor()->dims(), (Dims{rows, 1}));
  }
}

TEST(Process, GivesBackWhatItSaidAndHowItEnded) {
  const ProcessResult r = run_process({"/bin/sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(r.exit_code, 7);
  EXPECT_EQ(r.out, "out\n");
  EXPECT_EQ(r.err, "err\n");
  EXPECT_EQ(run_process({"/bin/sh", "-c", "kill -9 $$"}).exit_code, 137);
  EXPECT_LE(run_process({"/bin/sh", "-c", "head -c 1000000 /dev/zero"}).out.size(), 200'000u);
  EXPECT_THROW(run_process({"/no/such/program"}), Error);
}

TEST(Process, EndsAtItsLimits) {
  EXPECT_THROW(run_process({"/bin/sleep", "60"}, nullptr, 0.2), Error);
  const std::atomic<bool> cancel{true};
  EXPECT_THROW(run_process({"/bin/sleep", "60"}, &cancel), Error);
}

TEST(FindPython, RefusesWhatCannotBeExecuted) {
  EXPECT_THROW(find_python("/no/such/python"), Error);
  EXPECT_EQ(find_python("/bin/sh"), "/bin/sh");
}

}  // namespace
}  // namespace onward
