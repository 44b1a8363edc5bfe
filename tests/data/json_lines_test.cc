#include "onward/data/json_lines.h"

#include <gtest/gtest.h>

#include <cmath>

namespace onward {
namespace {

Table read(std::string_view text, JsonOptions options = {}) { return read_all(*open_json(memory_source(text, "t.jsonl"), options)); }

std::string error_of(std::string_view text, JsonOptions options = {}) {
  try {
    read(text, options);
  } catch (const Error& e) {
    return e.message;
  }
  return "read without an error";
}

TEST(JsonLines, JudgesTypesAndKeepsTheOrderOfKeys) {
  const Table t = read("{\"z\": 1, \"s\": \"x\", \"b\": true, \"f\": 1}\n\n{\"s\": null, \"z\": 2, \"b\": false, \"f\": 2.5, \"late\": 3}\n");
  ASSERT_EQ(t.columns.size(), 5u);
  EXPECT_EQ(t.columns[0].name, "z");
  EXPECT_EQ(t.columns[0].type, ColumnType::int64);
  EXPECT_EQ(t.columns[1].type, ColumnType::string);
  EXPECT_EQ(t.columns[1].cell(1), Cell::nan);
  EXPECT_EQ(t.columns[2].type, ColumnType::boolean);
  EXPECT_EQ(t.columns[3].as<double>()[1], 2.5);
  EXPECT_EQ(t.columns[4].type, ColumnType::float64);
  EXPECT_TRUE(t.columns[4].missing(0) && std::isnan(t.columns[4].as<double>()[0]));
  EXPECT_FALSE(t.columns[4].missing(1));
}

TEST(JsonLines, ReadsAnArrayOverManyLines) {
  const Table t = read("\xef\xbb\xbf[\n  {\"a\": \"}]\\\"\",\n   \"b\": 1},\n  {\"a\": \"y\"}\n]\n");
  EXPECT_EQ(t.columns[0].strings()[0], "}]\"");
  EXPECT_EQ(error_of("[{\"a\": 1}, {\"a\": [1]}]"), "t.jsonl: line 1: 'a' is an object or list, expected a text (string)");
  EXPECT_EQ(t.rows, 2);
}

TEST(JsonLines, NestedValuesMayBeSkipped) {
  const auto reader = open_json(memory_source("{\"a\": [1, {\"b\": 2}], \"c\": 5}"));
  ASSERT_EQ(reader->names(), (std::vector<std::string>{"a", "c"}));
  reader->plan({{.skip = true}, {.type = ColumnType::float32}});
  EXPECT_EQ(read_all(*reader).columns[0].as<float>()[0], 5);
}

TEST(JsonLines, TheSchemaOverrides) {
  const auto reader = open_json(memory_source("{\"d\": \"1970-01-01T00:00:01Z\", \"i\": 3.0, \"s\": 7, \"b\": 1, \"f\": \"2.5\"}"));
  reader->plan({{.type = ColumnType::datetime}, {.type = ColumnType::int64}, {.type = ColumnType::string}, {.type = ColumnType::boolean}, {.type = ColumnType::float64}});
  const Table t = read_all(*reader);
  EXPECT_EQ(t.columns[0].as<int64_t>()[0], 1'000'000'000);
  EXPECT_EQ(t.columns[1].as<int64_t>()[0], 3);
  EXPECT_EQ(t.columns[2].strings()[0], "7");
  EXPECT_EQ(t.columns[3].as<uint8_t>()[0], 1);
  EXPECT_EQ(t.columns[4].as<double>()[0], 2.5);
}

TEST(JsonLines, StreamsInBatches) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "{\"i\": " + std::to_string(i) + (i > 300 ? ", \"late\": 1}\n" : "}\n");
  const auto reader = open_json(memory_source(text), {.batch_rows = 64});
  int64_t rows = 0;
  while (const auto t = reader->next()) {
    ASSERT_EQ(t->columns.size(), 1u);
    EXPECT_EQ(t->columns[0].as<int64_t>()[0], rows);
    EXPECT_EQ(t->first_row, rows);
    rows += t->rows;
  }
  EXPECT_EQ(rows, 500);
}

TEST(JsonLines, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("{\"a\": 1}\n[1]\n"), "t.jsonl: line 2: expected an object {…}, found '[1]\n'");
  EXPECT_EQ(error_of("{\"a\": 1}\n{\"a\": nul}\n"), "t.jsonl: line 2: byte 10 of the object is not what JSON allows there");
  EXPECT_EQ(error_of("{\"a\": 1}\n{\"a\": "), "t.jsonl: line 2: the object is never closed");
  EXPECT_EQ(error_of("[{\"a\": 1}"), "t.jsonl: line 1: the array is never closed");
  EXPECT_EQ(error_of("[{\"a\": 1} {\"a\": 1}]"), "t.jsonl: line 1: a comma is missing between two objects");
  EXPECT_EQ(error_of("[{\"a\": 1}] {}"), "t.jsonl: line 1: text behind the array's end");
  EXPECT_EQ(error_of("{\"a\": 1}\n{\"a\": \"x\"}\n", {.batch_rows = 1}), "t.jsonl: line 2: 'a' is \"x\", expected a whole number (int64)");
  EXPECT_EQ(error_of("{\"a\": \"\xff\"}"), "t.jsonl: line 1: byte 8 of the object is not what JSON allows there");
}

TEST(JsonLines, HostileTextEndsInErrors) {
  EXPECT_EQ(error_of("{\"a\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}"), "t.jsonl: line 1: values nest deeper than 32 levels");
  EXPECT_EQ(error_of("{\"a\": \"" + std::string(2 << 20, 'x'), {.object_bytes = 1 << 20}), "t.jsonl: line 1: an object of more than 1048576 bytes");
  std::string wide = "{\"k\": 1";
  for (int i = 0; i < 300'000; ++i) wide += ",\"" + std::to_string(i) + "\":1";
  EXPECT_EQ(read(wide + "}").columns.size(), 300'001u);
  EXPECT_EQ(read("{\"a\": 1, \"a\": 2}").columns[0].as<int64_t>()[0], 2);
  EXPECT_EQ(read("").rows, 0);
}

TEST(JsonLines, WritesWhatItReads) {
  Table t;
  t.rows = 2;
  t.columns = {Column("q\"", ColumnType::float64, std::vector<double>{0.1, NAN}), Column("i", ColumnType::int64, std::vector<int64_t>{-1, 2}), Column("s", ColumnType::string)};
  for (const char* s : {"a\n\"é", ""}) std::get<Strings>(t.columns[2].values).push_back(s);
  t.columns[2].set_missing(1);
  std::string text;
  append_json_rows(text, t);
  EXPECT_EQ(text, "{\"q\\\"\":0.1,\"i\":-1,\"s\":\"a\\n\\\"é\"}\n{\"q\\\"\":null,\"i\":2,\"s\":null}\n");
  const Table back = read(text);
  EXPECT_EQ(back.columns[2].strings()[0], "a\n\"é");
  EXPECT_TRUE(back.columns[0].missing(1) && back.columns[2].missing(1));
}

}  // namespace
}  // namespace onward
