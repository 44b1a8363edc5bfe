#include "onward/data/csv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace onward {
namespace {

Table read(std::string_view text, CsvOptions options = {}) { return read_all(*open_csv(memory_source(text, "t.csv"), options)); }

std::string error_of(std::string_view text, CsvOptions options = {}) {
  try {
    read(text, options);
  } catch (const Error& e) {
    return e.message;
  }
  return "read without an error";
}

std::string error_as(std::string_view text, ColumnType type) {
  try {
    const auto reader = open_csv(memory_source(text, "t.csv"));
    reader->plan(std::vector<ColumnPlan>(reader->names().size(), ColumnPlan{.type = type}));
    read_all(*reader);
  } catch (const Error& e) {
    return e.message;
  }
  return "read without an error";
}

TEST(Csv, JudgesTypesAsPandasDoes) {
  const Table t = read("i,f,g,b,c,s,e\n1,1,1,True,True,x,\n-2,2.5,,false,NA,,NA\n");
  ASSERT_EQ(t.columns.size(), 7u);
  EXPECT_EQ(t.rows, 2);
  const ColumnType expected[] = {ColumnType::int64, ColumnType::float64, ColumnType::float64, ColumnType::boolean, ColumnType::boolean, ColumnType::string, ColumnType::float64};
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(t.columns[i].type, expected[i]) << t.columns[i].name;
  EXPECT_EQ(t.columns[0].as<int64_t>()[1], -2);
  EXPECT_EQ(t.columns[1].as<double>()[1], 2.5);
  EXPECT_TRUE(std::isnan(t.columns[2].as<double>()[1]));
  EXPECT_TRUE(t.columns[2].missing(1));
  EXPECT_EQ(t.columns[3].as<uint8_t>()[0], 1);
  EXPECT_TRUE(t.columns[4].missing(1));
  EXPECT_FALSE(t.columns[5].missing(0));
  EXPECT_TRUE(t.columns[5].missing(1));
  EXPECT_TRUE(t.columns[6].missing(0) && t.columns[6].missing(1));
}

TEST(Csv, ReadsQuotesAndLineEndings) {
  const Table t = read("\xef\xbb\xbf\"a,\"\"b\"\"\",c\r\n\"line 1\nline \"\"2\"\"\",5\" nail\r\n\n  \n\"\",x\r\"y\",\"z\"");
  ASSERT_EQ(t.rows, 3);
  EXPECT_EQ(t.columns[0].name, "a,\"b\"");
  EXPECT_EQ(t.columns[0].strings()[0], "line 1\nline \"2\"");
  EXPECT_EQ(t.columns[1].strings()[0], "5\" nail");
  EXPECT_TRUE(t.columns[0].missing(1));
  EXPECT_EQ(t.columns[1].strings()[2], "z");
}

TEST(Csv, KeepsQuotedMarkersWhereAsked) {
  const Table t = read("a,b\n\"NA\",\"\"\nNA,\n", {.quoted_is_text = true});
  EXPECT_EQ(t.columns[0].strings()[0], "NA");
  EXPECT_TRUE(t.columns[0].missing(1));
  EXPECT_FALSE(t.columns[1].missing(0));
  EXPECT_TRUE(t.columns[1].missing(1));
}

TEST(Csv, TakesOtherMarkers) {
  const Table t = read("a,b\n-999,?\n5,NA\n", {.missing = {"-999", "?"}});
  EXPECT_TRUE(t.columns[0].missing(0));
  EXPECT_EQ(t.columns[0].as<double>()[1], 5);
  EXPECT_TRUE(t.columns[1].missing(0));
  EXPECT_EQ(t.columns[1].strings()[1], "NA");
}

TEST(Csv, FindsTheSeparator) {
  EXPECT_EQ(read("a;b\n\"1,5\";2\n1,7;3\n").columns.size(), 2u);
  EXPECT_EQ(read("a\tb, c\n1\t2\n").columns[1].name, "b, c");
  EXPECT_EQ(read("a|b|c\n1|2|3\n").columns.size(), 3u);
  EXPECT_EQ(read("a\n1\n").columns.size(), 1u);
  EXPECT_EQ(read("a;b\n1;2\n", {.separator = ','}).columns.size(), 1u);
}

TEST(Csv, NamesColumnsAsPandasDoes) {
  const auto names = open_csv(memory_source(",a,a,a.1,\n1,2,3,4,5\n"))->names();
  EXPECT_EQ(names, (std::vector<std::string>{"Unnamed: 0", "a", "a.2", "a.1", "Unnamed: 4"}));
  const Table t = read("1,2\n3,4\n", {.header = false});
  EXPECT_EQ(t.columns[1].name, "x1");
  EXPECT_EQ(t.rows, 2);
}

TEST(Csv, AFileWithoutRowsIsATableWithoutRows) {
  for (const char* text : {"a,b", "a,b\n", "a,b\r\n\r\n"}) {
    const Table t = read(text);
    EXPECT_EQ(t.columns.size(), 2u);
    EXPECT_EQ(t.rows, 0);
  }
}

TEST(Csv, ErrorsNameTheLine) {
  EXPECT_EQ(error_of(""), "t.csv: the file is empty, expected a header line, or rows of JSON");
  EXPECT_EQ(error_of("a,b\n1,2\n\"x\ny\",2\n3\n"), "t.csv: line 5: the row has 1 cells, the header has 2");
  EXPECT_EQ(error_of("a,b\n1,2\n3,4,5\n"), "t.csv: line 3: the row has 3 cells, the header has 2");
  EXPECT_EQ(error_of("a,b\n1,2,3\n4\n"), "t.csv: line 2: the row has 3 cells, the header has 2");
  EXPECT_EQ(error_of("a,b\n1,\"2\n3,4\n"), "t.csv: line 2: a quote is opened and never closed");
  EXPECT_EQ(error_of("a,b\n1,\"2\"x\n3,4\n"), "t.csv: line 2: text behind a closing quote");
  EXPECT_EQ(error_of("a,b\n1,2\n3,\xff\n"), "t.csv: line 3: the text is not UTF-8");
  EXPECT_EQ(error_of(std::string_view("\xff\xfe\x61\0", 4)), "t.csv: line 1: the text is UTF-16");
  EXPECT_EQ(error_of(std::string_view("PK\3\4\0\0\n", 7)), "t.csv: line 1: a zero byte where the columns' names should be: this is no text");
  EXPECT_EQ(error_as("a\n1\n2.5\n", ColumnType::int64), "t.csv: line 3: column 'a' is '2.5', expected a whole number (int64)");
  EXPECT_EQ(error_as("a\nx\n", ColumnType::float64), "t.csv: line 2: column 'a' is 'x', expected a number (float64)");
  EXPECT_EQ(error_as("a\nyes\n", ColumnType::boolean), "t.csv: line 2: column 'a' is 'yes', expected True or False (bool)");
  EXPECT_EQ(error_as("a\n2024-02-30\n", ColumnType::datetime), "t.csv: line 2: column 'a' is '2024-02-30', expected a date or time such as 2024-02-29 13:30:00 (datetime)");
  EXPECT_EQ(error_of("a\n1\n2\nx\n", {.batch_rows = 2}), "t.csv: line 4: column 'a' is 'x', expected a whole number (int64, judged from the first 2 rows)");
}

TEST(Csv, TheSchemaOverridesWhatTheTextLooksLike) {
  const auto reader = open_csv(memory_source("zip,flag,skip,day\n01234,1,x,1970-01-02\n,0,y,1969-12-31 23:59:59.5Z\n"));
  reader->plan({{.type = ColumnType::string}, {.type = ColumnType::boolean}, {.skip = true}, {.type = ColumnType::datetime}});
  const Table t = read_all(*reader);
  ASSERT_EQ(t.columns.size(), 3u);
  EXPECT_EQ(t.columns[0].strings()[0], "01234");
  EXPECT_EQ(t.columns[1].as<uint8_t>()[0], 1);
  EXPECT_EQ(t.columns[2].as<int64_t>()[0], 86'400'000'000'000);
  EXPECT_EQ(t.columns[2].as<int64_t>()[1], -500'000'000);
}

TEST(Csv, StreamsInBatches) {
  std::string text = "a,b\n";
  for (int i = 0; i < 1000; ++i) text += std::to_string(i) + ",\"x" + std::to_string(i) + "\"\r\n";
  const auto reader = open_csv(memory_source(text), {.batch_rows = 64});
  int64_t rows = 0;
  while (const auto t = reader->next()) {
    EXPECT_LE(t->rows, 64);
    EXPECT_EQ(t->first_row, rows);
    EXPECT_EQ(t->columns[0].as<int64_t>()[0], rows);
    EXPECT_EQ(t->columns[1].strings()[0], "x" + std::to_string(rows));
    rows += t->rows;
  }
  EXPECT_EQ(rows, 1000);
}

TEST(Csv, LongRowsCrossBlocks) {
  std::string text = "a,b\n";
  for (int i = 0; i < 5; ++i) text += "\"" + std::string(700'000 + size_t(i), 'x') + "\"\"\"," + std::string(500'000, char('a' + i)) + "\r\n";
  const Table t = read(text);
  ASSERT_EQ(t.rows, 5);
  EXPECT_EQ(t.columns[0].strings()[4].size(), 700'005u);
  EXPECT_EQ(t.columns[1].strings()[4], std::string(500'000, 'e'));
}

TEST(Csv, HostileFilesEndInErrors) {
  EXPECT_EQ(error_of("a\n\"" + std::string(3 << 20, 'x'), {.row_bytes = 1 << 20}), "t.csv: line 2: a row of more than 1048576 bytes");
  std::string wide;
  for (int i = 0; i < 1'000'000; ++i) wide += "c,";
  EXPECT_EQ(error_of(wide + "\n1\n"), "t.csv: line 2: the row has 1 cells, the header has 1000001");
  const Table nul = read(std::string_view("a,b\n\0,x\0y\n", 10));
  EXPECT_EQ(nul.columns[1].strings()[0], std::string_view("x\0y", 3));
  EXPECT_EQ(error_of("\x1f\x8b" + std::string(30, '\x08')), "t.csv: the gzip stream is cut short");
  EXPECT_EQ(error_of("\x1f\x8b" + std::string(30, '\x07')), "t.csv: the gzip stream is damaged");
}

TEST(Csv, EveryTruncationEndsInATableOrAnError) {
  const std::string text = "\"a\",b\r\n1,\"x\"\"y\"\r\n\"\",\xc3\xa9\r\n";
  for (size_t n = 0; n <= text.size(); ++n) {
    try {
      read(std::string_view(text).substr(0, n));
    } catch (const Error&) {
    }
  }
}

TEST(Csv, NumbersAreRoundedCorrectly) {
  const Table t = read("a\n0.1\n 1e22\n123456789012345678\n2.2250738585072011e-308\n1e400\n-1e-400\n+.5\n7.\n-Infinity\n179769313486231580793e289\n9007199254740993.0\n");
  const double expected[] = {0.1, 1e22, 123456789012345678.0, 2.2250738585072011e-308, INFINITY, -0.0, 0.5, 7, -INFINITY, INFINITY, 9007199254740992.0};
  const auto got = t.columns[0].as<double>();
  ASSERT_EQ(got.size(), std::size(expected));
  for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], expected[i]) << i;
  EXPECT_FALSE(float64_from("") || float64_from("-") || float64_from(".") || float64_from("1e") || float64_from("0x10") || float64_from("1 2") || float64_from("+-1") || float64_from("--1") ||
               float64_from("nan") || float64_from("1.2.3"));
  EXPECT_FALSE(int64_from("9223372036854775808"));
  EXPECT_EQ(int64_from("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(Csv, ShortDecimalsAgreeWithStrtod) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200'000; ++i) {
    std::string s = std::to_string(int64_t(random()) >> (random() % 63));
    if (random() % 2) s.insert(s.size() - random() % (s[0] == '-' ? s.size() : s.size() + 1), ".");
    ASSERT_EQ(float64_from(s).value_or(NAN), std::strtod(s.c_str(), nullptr)) << s;
  }
}

std::string random_text(std::mt19937& random) {
  static const std::string pieces[] = {"a", ",", "\"", "\n", "\r", "é", "NA", " ", ";", "\t", "1", ".5", "\"\"", "\r\n", "😀", "True"};
  std::string out;
  for (unsigned n = random() % 5; n; --n) out += pieces[random() % std::size(pieces)];
  return out;
}

Table random_table(std::mt19937& random) {
  Table t;
  t.rows = random() % 50;
  const size_t width = 1 + random() % 6;
  for (size_t i = 0; i < width; ++i) {
    Column c(text("c", i, random_text(random)), ColumnType(random() % 6));
    for (int64_t r = 0; r < t.rows; ++r) {
      const uint64_t bits = uint64_t(random()) << 32 | random();
      std::visit([&]<class V>(V& values) {
        if constexpr (std::is_same_v<V, Strings>) values.push_back(random_text(random));
        else if constexpr (std::is_same_v<V, std::vector<double>>) values.push_back(std::bit_cast<double>(bits));
        else if constexpr (std::is_same_v<V, std::vector<float>>) values.push_back(std::bit_cast<float>(uint32_t(bits)));
        else if constexpr (std::is_same_v<V, std::vector<uint8_t>>) values.push_back(bits & 1);
        else values.push_back(int64_t(bits));
      }, c.values);
    }
    for (int64_t r = 0; r < t.rows; ++r)
      if (random() % 7 == 0) c.set_missing(size_t(r));
    t.columns.push_back(std::move(c));
  }
  return t;
}

bool gap(const Column& c, size_t row) {
  if (c.type == ColumnType::float64 && std::isnan(c.as<double>()[row])) return true;
  if (c.type == ColumnType::float32 && std::isnan(c.as<float>()[row])) return true;
  return c.missing(row);
}

TEST(Csv, WhatIsWrittenReadsBackTheSame) {
  std::mt19937 random(42);
  for (int round = 0; round < 500; ++round) {
    const Table t = random_table(random);
    const char separator = ",;\t|"[round % 4];
    std::string text;
    CsvText(separator).append_header(text, t), CsvText(separator).append_rows(text, t);
    const auto reader = open_csv(memory_source(text), {.separator = separator, .quoted_is_text = true, .batch_rows = 7});
    std::vector<ColumnPlan> plan;
    for (const Column& c : t.columns) plan.push_back({.type = c.type});
    reader->plan(plan);
    const Table back = read_all(*reader);
    ASSERT_EQ(back.rows, t.rows) << text;
    for (size_t i = 0; i < t.columns.size(); ++i) {
      const Column &a = t.columns[i], &b = back.columns[i];
      ASSERT_EQ(a.name, b.name);
      for (size_t r = 0; r < size_t(t.rows); ++r) {
        ASSERT_EQ(gap(a, r), gap(b, r)) << text;
        if (gap(a, r)) continue;
        std::visit([&]<class V>(const V& values) { ASSERT_EQ(values[r], std::get<V>(b.values)[r]) << text; }, a.values);
      }
    }
  }
}

TEST(Csv, WritesAsPandasReads) {
  Table t;
  t.rows = 2;
  t.columns = {Column("b", ColumnType::boolean, std::vector<uint8_t>{1, 0}), Column("f", ColumnType::float64, std::vector<double>{1, NAN}), Column("g", ColumnType::float32, std::vector<float>{0.1f, INFINITY}),
               Column("d", ColumnType::datetime, std::vector<int64_t>{0, -1})};
  std::string text;
  CsvText().append_header(text, t), CsvText().append_rows(text, t);
  EXPECT_EQ(text, "b,f,g,d\nTrue,1.0,0.1,1970-01-01 00:00:00\nFalse,,inf,1969-12-31 23:59:59.999999999\n");
}

}  // namespace
}  // namespace onward
