// Pickles that lie, that never end or that want to run something: each gets an Error of the right kind, in little time and memory.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "onward/formats/open.h"
#include "onward/formats/pickle.h"
#include "shown.h"

namespace onward::formats {
namespace {

using plain::Kind;
using namespace std::string_view_literals;

// The bytes in memory of their own, so that they live as long as the document and a sanitizer sees a read beyond their end.
plain::Document read(std::string_view bytes, const Limits& limits = {}) {
  const auto owned = std::make_shared<const std::vector<char>>(bytes.begin(), bytes.end());
  return read_pickle({owned->data(), owned->size()}, owned, limits);
}

void expect_error(std::string_view bytes, Code code, std::string_view says, const Limits& limits = {}) {
  try {
    read(bytes, limits);
    ADD_FAILURE() << "no error; expected: " << says;
  } catch (const Error& e) {
    EXPECT_EQ(e.code, code) << e.message;
    EXPECT_NE(e.message.find(says), std::string::npos) << e.message;
  }
}

std::string repeated(std::string_view s, size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += s;
  return out;
}

TEST(HostilePickle, the_table_knows_every_opcode_of_the_protocols_0_to_5_once) {
  std::set<int> codes;
  std::set<std::string> names;
  for (const OpcodeRow& row : opcode_table()) codes.insert(row.code), names.insert(row.name);
  EXPECT_EQ(codes.size(), 68u);
  EXPECT_EQ(names.size(), 68u);
}

TEST(HostilePickle, calls_are_names_and_arguments_whoever_is_called) {
  const std::string file = ::testing::TempDir() + "/onward_was_run";
  std::filesystem::remove(file);
  const std::string commands[] = {"cposix\nsystem\n(S'touch " + file + "'\ntR.", "(S'touch " + file + "'\niposix\nsystem\n.",
                                  "\x80\x04\x8c\5posix\x8c\6system\x93\x8c" + std::string(1, char(6 + file.size())) + "touch " + file +
                                      "\x85R."};
  for (const std::string& bytes : commands) {
    const plain::Document d = read(bytes);
    EXPECT_EQ(shown(d.root), "posix.system(a tuple ['touch " + file + "', ]) None");
  }
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(HostilePickle, what_needs_parts_outside_the_file_is_refused_by_name) {
  expect_error("Pa\n.", Code::unsupported_format, "persistent id");
  expect_error("NQ.", Code::unsupported_format, "persistent id");
  expect_error("(Vonward.live\ntQ.", Code::unsupported_format, "persistent id");
  expect_error("(Vonward.live\nVm\nVC\nVnumber\nNNtQ.", Code::unsupported_format, "persistent id");
  expect_error("\x82\1."sv, Code::unsupported_format, "extension code");
  expect_error("\x97."sv, Code::unsupported_format, "out-of-band buffer");
  expect_error("\x80\6N."sv, Code::unsupported_format, "protocol 6");
}

TEST(HostilePickle, an_unsound_machine_stops) {
  expect_error("0.", Code::bad_file, "empty stack");
  expect_error("(0.", Code::bad_file, "empty stack");           // not beyond the mark
  expect_error("t.", Code::bad_file, "no MARK");
  expect_error("g0\n.", Code::bad_file, "never set");
  expect_error("Nq\5h\4."sv, Code::bad_file, "memo index 5");    // after one opcode
  expect_error("Nr\xff\xff\xff\xff."sv, Code::bad_file, "memo index");
  expect_error("}(Nu."sv, Code::bad_file, "without a value");
  expect_error("K\1Na."sv, Code::bad_file, "puts items into");
  expect_error(")Na.", Code::bad_file, "puts items into a tuple");
  expect_error("(o.", Code::bad_file, "no class");
  expect_error("Ixyz\n.", Code::bad_file, "is no integer");
  expect_error("Fxyz\n.", Code::bad_file, "is no float");
  expect_error("K\1K\2\x93."sv, Code::bad_file, "named by");
  expect_error("\x8c\2\xff\xfe."sv, Code::bad_file, "not UTF-8");
  expect_error("X\xff\xff\xff\x7f" "abc."sv, Code::bad_file, "too early");
  expect_error("\x8e\xff\xff\xff\xff\xff\xff\xff\xff" "abc."sv, Code::bad_file, "too early");
  expect_error("\xff."sv, Code::bad_file, "no pickle opcode");
  expect_error("N", Code::bad_file, "ends at byte 1");
}

TEST(HostilePickle, memory_is_bounded_by_the_file) {
  const Limits small{.memory = 1 << 16, .memory_per_byte = 0};
  expect_error(repeated("]", 1 << 16) + ".", Code::limit_memory, "", small);
  expect_error(repeated("N", 1 << 16) + ".", Code::limit_memory, "", small);
  expect_error(repeated("(", 1 << 16) + ".", Code::limit_memory, "", small);
  expect_error("N" + repeated("\x94", 1 << 16) + ".", Code::limit_memory, "", small);
}

TEST(HostilePickle, depth_costs_nothing) {
  const size_t deep = 1 << 20;
  const plain::Document d = read(repeated("]", deep) + repeated("a", deep - 1) + ".");
  size_t levels = 1;
  for (plain::Value v = d.root; v.items().size() == 1; v = v.items()[0]) ++levels;
  EXPECT_EQ(levels, deep);
}

TEST(HostilePickle, values_may_contain_themselves) {
  const plain::Document list = read("]q\0h\0a."sv);
  ASSERT_EQ(list.root.items().size(), 1u);
  EXPECT_EQ(list.root.items()[0].sequence, list.root.sequence);
  const plain::Document object = read("(imodule\nClass\nq\0}X\4\0\0\0selfh\0sb."sv);
  EXPECT_EQ(object.root.find("self")->object, object.root.object);
  EXPECT_LT(shown(object.root).size(), 2000u);
}

// numpy.core.multiarray._reconstruct(numpy.ndarray, (0,), b'b') and a state of the given parts.
std::string array(std::string_view shape, std::string_view dtype_arguments, std::string_view items) {
  return text("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n", shape, "cnumpy\ndtype\n(", dtype_arguments,
              "tR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n", items, "tb.");
}

TEST(HostilePickle, arrays_fill_their_shape_exactly) {
  EXPECT_EQ(read(array("(I2\nt", "S'i2'\nI0\nI1\n", "S'abcd'\n")).root.array->bytes, "abcd");
  expect_error(array("(I2\nt", "S'i8'\nI0\nI1\n", "S'abcd'\n"), Code::bad_file, "comes with 4 bytes");
  expect_error(array("(I-2\nt", "S'i2'\nI0\nI1\n", "S'abcd'\n"), Code::bad_file, "impossible");
  expect_error(array("(I4294967296\nI4294967296\nt", "S'i2'\nI0\nI1\n", "S'abcd'\n"), Code::bad_file, "impossible");
  expect_error(array("(I4294967296\nt", "S'S0'\nI0\nI1\n", "S''\n"), Code::unsupported_format, "0 bytes");
  expect_error(array("(I2\nt", "S'O8'\nI0\nI1\n", "S'abcd'\n"), Code::bad_file, "expected a list");
  expect_error(array("(I2\nt", "S'O8'\nI0\nI1\n", "(lI1\na"), Code::bad_file, "comes with 1");
  expect_error(array("(I2\nt", "S'i3'\nI0\nI1\n", "S'abcdef'\n"), Code::unsupported_format, "dtype 'i3'");
}

TEST(HostilePickle, object_arrays_keep_integers_and_booleans) {
  const plain::Document d = read(array("(I4\nt", "S'O8'\nI0\nI1\n", "(lI9007199254740993\naI01\naF1.5\naL36893488147419103232L\na"));
  const auto items = d.root.array->objects;
  EXPECT_EQ(items[0].integer, (int64_t{1} << 53) + 1);
  EXPECT_TRUE(items[1].is(Kind::boolean));
  EXPECT_TRUE(items[2].is(Kind::real));
  EXPECT_EQ(items[3].str(), "36893488147419103232");   // beyond 64 bits: its digits, never a rounded number
}

TEST(HostilePickle, integers_of_any_length_are_exact) {
  EXPECT_EQ(read("\x8a\0."sv).root.integer, 0);
  EXPECT_EQ(read("\x8a\1\xff."sv).root.integer, -1);
  EXPECT_EQ(read("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."sv).root.integer, INT64_MAX);
  EXPECT_EQ(read("\x8a\x09\0\0\0\0\0\0\0\x80\0."sv).root.str(), "9223372036854775808");
  EXPECT_EQ(read("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\xff."sv).root.str(), "-9223372036854775809");
  EXPECT_EQ(read("\x8a\x09\0\0\0\0\0\0\0\x80\xff."sv).root.integer, INT64_MIN);
}

TEST(HostilePickle, texts_of_old_protocols_lose_their_escapes) {
  EXPECT_EQ(read("Vgr\\u00f6\\u00dfe \\U0001f600\n.").root.str(), "größe 😀");
  EXPECT_EQ(read("S'it\\'s \\x41\\n'\n.").root.str(), "it's A\n");
  EXPECT_TRUE(read("S'\\xff'\n.").root.is(Kind::bytes));
  expect_error("V\\u12\n.", Code::bad_file, "damaged");
  expect_error("Sabc\n.", Code::bad_file, "no quotes");
}

TEST(HostilePickle, a_call_that_says_more_than_is_known_stays_a_record) {
  EXPECT_TRUE(read("ccollections\nOrderedDict\n)R."sv).root.is(Kind::dict));
  EXPECT_TRUE(read("ccollections\nOrderedDict\n(((S'a'\nI1\ntttR."sv).root.is(Kind::object));
  EXPECT_TRUE(read("c_codecs\nencode\n(Va\nVlatin1\ntR."sv).root.is(Kind::bytes));
  EXPECT_TRUE(read("c_codecs\nencode\n(Va\nVutf-16\ntR."sv).root.is(Kind::object));
  EXPECT_TRUE(read("c__builtin__\nbytes\n(I5\ntR."sv).root.is(Kind::object));
}

std::string wrapper(std::string_view dtype, std::string_view shape, std::string_view after) {
  return text("(ijoblib.numpy_pickle\nNumpyArrayWrapper\n}(X\5\0\0\0dtypecnumpy\ndtype\n(S'"sv, dtype, "'\nI0\nI1\ntR"sv,
              "X\5\0\0\0shape"sv, shape, "ub"sv, after);
}

TEST(HostilePickle, joblib_arrays_in_the_stream) {
  EXPECT_EQ(read(wrapper("i1", "(I3\nt", "abc.")).root.array->bytes, "abc");   // joblib before 1.1: no padding
  expect_error(wrapper("i1", "(I4611686018427387904\nt", "abc."), Code::bad_file, "too early");
  expect_error(wrapper("i1", "N", "ab"), Code::bad_file, "");
  const std::string objects = wrapper("O8", "(I1\nt", "");
  expect_error(repeated(objects, 40), Code::limit_size, "nested too deeply");
  expect_error(objects + "N..", Code::bad_file, "object array holds None");
  expect_error("(ijoblib.numpy_pickle\nNDArrayWrapper\n}b.", Code::unsupported_format, "joblib before 0.10");
}

}  // namespace
}  // namespace onward::formats
