#include "onward/data/open_table.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "onward/base/file.h"

namespace onward {
namespace {

std::string temporary(const std::string& name) { return (std::filesystem::path(testing::TempDir()) / ("onward_table_" + name)).string(); }

std::string put(const std::string& name, std::string_view bytes) {
  const std::string path = temporary(name);
  write_file(path, bytes);
  return path;
}

Error error_of(const std::string& path) {
  try {
    read_all(*open_table(path));
  } catch (const Error& e) {
    return e;
  }
  return {Code::internal, "read without an error"};
}

Table sample() {
  Table t;
  t.rows = 3;
  t.columns = {Column("f", ColumnType::float64, std::vector<double>{0.5, NAN, 2}), Column("i", ColumnType::int64, std::vector<int64_t>{1, 2, 3}), Column("s", ColumnType::string)};
  for (const char* s : {"x", "y,z", "w"}) std::get<Strings>(t.columns[2].values).push_back(s);
  return t;
}

TEST(OpenTable, EveryKindThatIsWrittenIsRead) {
  for (const char* name : {"a.csv", "a.tsv", "a.json", "a.jsonl", "a.ndjson", "a.npz", "a.CSV"}) {
    const std::string path = temporary(name);
    const auto writer = create_table(path);
    writer->write(sample());
    EXPECT_FALSE(std::filesystem::exists(path)) << "before it is finished";
    Table more = sample();
    more.first_row = 3;
    writer->write(more);
    writer->finish();
    const Table t = read_all(*open_table(path));
    ASSERT_EQ(t.rows, 6) << name;
    EXPECT_EQ(t.columns[0].as<double>()[3], 0.5);
    EXPECT_TRUE(std::isnan(t.columns[0].as<double>()[1]));
    EXPECT_EQ(t.columns[1].as<int64_t>()[5], 3);
    EXPECT_EQ(t.columns[2].strings()[1], "y,z");
    std::filesystem::remove(path);
  }
}

TEST(OpenTable, AnArrayFileIsAMatrix) {
  const std::string path = temporary("m.npy");
  Table t = sample();
  t.columns.pop_back();
  auto writer = create_table(path);
  writer->write(t);
  writer->finish();
  const auto reader = open_table(path, {.batch_rows = 2});
  EXPECT_EQ(reader->names(), (std::vector<std::string>{"x0", "x1"}));
  reader->plan({{.skip = true}, {}});
  EXPECT_EQ(reader->next()->columns[0].as<double>()[1], 2);
  const auto rest = reader->next();
  EXPECT_EQ(rest->first_row, 2);
  EXPECT_EQ(rest->columns[0].as<double>()[0], 3);
  EXPECT_FALSE(reader->next());
  writer = create_table(path);
  writer->write(sample());
  EXPECT_THROW(writer->finish(), Error);
}

TEST(OpenTable, AnUnfinishedFileLeavesNoTrace) {
  const std::string path = temporary("never.csv");
  create_table(path)->write(sample());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(OpenTable, NeverReplacesADevice) {
  const auto writer = create_table("/dev/null");
  writer->write(sample());
  writer->finish();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(OpenTable, UnpacksGzip) {
  const std::string path = temporary("a.csv.gz");
  gzFile out = gzopen(path.c_str(), "wb");
  gzputs(out, "a\tb\n1\t2\n");
  gzclose(out);
  out = gzopen(path.c_str(), "ab");
  gzputs(out, "3\t4\n");
  gzclose(out);
  EXPECT_EQ(read_all(*open_table(path)).columns[1].as<int64_t>()[1], 4);
  const std::string bytes(map_file(path).bytes);
  EXPECT_EQ(error_of(put("cut.csv.gz", bytes.substr(0, bytes.size() - 20))).code, Code::bad_file);
}

TEST(OpenTable, SaysWhatToDoWithOtherKinds) {
  const Error parquet = error_of(put("a.parquet", "PAR1...."));
  EXPECT_EQ(parquet.code, Code::unsupported_format);
  EXPECT_TRUE(parquet.message.ends_with("a.parquet: Parquet files are not read yet")) << parquet.message;
  EXPECT_EQ(parquet.hint, "convert it with pandas: pandas.read_parquet(path).to_csv('table.csv', index=False)");
  EXPECT_EQ(error_of(put("a.feather", "ARROW1..")).code, Code::unsupported_format);
  EXPECT_EQ(error_of(put("a.h5", "\x89HDF\r\n")).code, Code::unsupported_format);
  EXPECT_EQ(error_of(temporary("absent.csv")).code, Code::io);
  EXPECT_EQ(error_of(testing::TempDir()).code, Code::io);
  EXPECT_EQ(error_of(ONWARD_TEST_DATA "/tables/object.npy").code, Code::unsupported_format);
  try {
    create_table("out.parquet");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message, "out.parquet: .parquet files are not written yet");
  }
  try {
    create_table("out.cvs");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message, "out.cvs: the suffix says no kind of table; did you mean .csv");
    EXPECT_EQ(e.code, Code::usage);
  }
}

}  // namespace
}  // namespace onward
