// Numbers and bools where a model takes text: written as the schema says, or refused.
#include <gtest/gtest.h>

#include <cmath>

#include "onward/data/bind.h"
#include "onward/data/csv.h"
#include "onward/data/json_lines.h"

namespace onward {
namespace {

using Texts = std::vector<std::string>;

Field words(std::optional<Written> numbers, std::optional<Written> true_false = {}) {
  return {.name = "c", .type = ColumnType::string, .shape = {std::nullopt, 1}, .numbers = numbers, .true_false = true_false};
}

Texts texts_of(const Tensors& t) { return {t.at("c").data<std::string>(), t.at("c").data<std::string>() + t.at("c").size()}; }

Texts bound(const Field& field, Column column) {
  const Binder binder({.inputs = {field}}, {"c"});
  const int64_t rows = int64_t(column.size());
  return texts_of(binder.bind({.columns = {std::move(column)}, .rows = rows}));
}

Texts read(const Field& field, std::unique_ptr<TableReader> reader) {
  const Binder binder({.inputs = {field}}, reader->names());
  reader->plan(binder.plan());
  return texts_of(binder.bind(read_all(*reader)));
}
Texts from_csv(const Field& field, std::string_view text) { return read(field, open_csv(memory_source(text, "t.csv"))); }
Texts from_json(const Field& field, std::string_view text) { return read(field, open_json(memory_source(text, "t.jsonl"))); }

template <class Do> Error error_of(Do run) {
  try {
    run();
  } catch (const Error& e) {
    return e;
  }
  return {Code::internal, "no error"};
}

const Column bools("c", ColumnType::boolean, std::vector<uint8_t>{1, 0}), wholes("c", ColumnType::int64, std::vector<int64_t>{7, -1}),
    reals("c", ColumnType::float64, std::vector<double>{2, 0.5});

TEST(Written, AsPythonWritesIt) {
  EXPECT_EQ(bound(words({}), bools), (Texts{"True", "False"}));
  EXPECT_EQ(bound(words(Written::text), wholes), (Texts{"7", "-1"}));
  EXPECT_EQ(bound(words(Written::text), reals), (Texts{"2.0", "0.5"}));
}

TEST(Written, InDigits) {
  EXPECT_EQ(bound(words(Written::digits), bools), (Texts{"1", "0"}));
  EXPECT_EQ(bound(words(Written::digits), wholes), (Texts{"7", "-1"}));
  const Error e = error_of([] { bound(words(Written::digits), reals); });
  EXPECT_EQ(e.code, Code::bad_data);
  EXPECT_EQ(e.message, "row 1, column 'c': 2.0 is float64, and the model takes text, whole numbers and bools");
  Column word("c", ColumnType::string);
  std::get<Strings>(word.values).push_back("True");
  EXPECT_EQ(bound(words(Written::digits), word), (Texts{"True"}));
}

TEST(Written, OrRefused) {
  for (const Column& column : {bools, wholes, reals}) {
    const Error e = error_of([&] { bound(words(Written::refuse), column); });
    EXPECT_EQ(e.code, Code::bad_data);
    EXPECT_NE(e.message.find(", and the model takes text"), std::string::npos) << e.message;
    EXPECT_NE(e.hint.find("give the column as text, written as in training"), std::string::npos) << e.hint;
  }
  Field gaps = words(Written::refuse);
  gaps.nullable = true, gaps.missing = Missing::category;
  EXPECT_EQ(bound(gaps, Column("c", ColumnType::float64, std::vector<double>{NAN})), Texts{""});
}

TEST(Written, TrueAndFalseInAFileWithoutTypes) {
  EXPECT_EQ(from_csv(words(Written::digits), "c\nTrue\nx\n7\n"), (Texts{"True", "x", "7"}));
  EXPECT_EQ(from_csv(words(Written::digits, Written::digits), "c\nTrue\nx\nFALSE\n true\n"), (Texts{"1", "x", "0", " true"}));
  EXPECT_EQ(from_csv(words(Written::digits, Written::refuse), "c\nx\n"), Texts{"x"});
  const Error e = error_of([] { from_csv(words(Written::digits, Written::refuse), "c\nx\nFalse\n"); });
  EXPECT_EQ(e.code, Code::bad_data);
  EXPECT_EQ(e.message, "t.csv: line 3: column 'c' is 'False', and the model does not tell whether it knows that as a word or as a bool");
  EXPECT_NE(e.hint.find("\"true_false\""), std::string::npos) << e.hint;
}

TEST(Written, JsonTellsThemApart) {
  const std::string_view some = "{\"c\": true}\n{\"c\": \"true\"}\n{\"c\": 7}\n";
  EXPECT_EQ(from_json(words({}), some), (Texts{"True", "true", "7"}));
  EXPECT_EQ(from_json(words(Written::digits, Written::refuse), some), (Texts{"1", "true", "7"}));
  EXPECT_NE(error_of([&] { from_json(words(Written::refuse), some); }).message.find(", expected a text (string)"), std::string::npos);
  EXPECT_NE(error_of([&] { from_json(words(Written::digits), "{\"c\": 2.0}"); }).message.find("expected a text, a whole number or a bool"), std::string::npos);
}

}  // namespace
}  // namespace onward
