// Pickles by hand: what each opcode means, and the words of each error.
#include <gtest/gtest.h>

#include "onward/formats/open.h"
#include "shown.h"

namespace onward::formats {
namespace {

using plain::Kind;
using namespace std::string_literals;

plain::Document read(std::string_view bytes, const Limits& limits = {}) { return open_bytes(bytes, nullptr, limits); }
std::string value_of(const std::string& bytes) { return shown(read(bytes).root); }

Error error_of(const std::string& bytes, const Limits& limits = {}) {
  try {
    read(bytes, limits);
  } catch (const Error& e) {
    return e;
  }
  return Error(Code::internal, "no error");
}

struct Case {
  std::string bytes, value;
};

TEST(Pickle, opcodes_give_their_values) {
  const Case cases[] = {
      {"N.", "None"},
      {"\x88.", "True"},
      {"I01\n.", "True"},
      {"I-7\n.", "-7"},
      {"L12345678901L\n.", "12345678901"},
      {"\x8a\x02\xff\x7f.", "32767"},
      {"\x8a\x01\xff.", "-1"},
      {"\x8a\0."s, "0"},
      {"\x8b\x02\0\0\0\0\x80."s, "-32768"},
      {"K\xff.", "255"},
      {"M\xff\xff.", "65535"},
      {"J\xff\xff\xff\xff.", "-1"},
      {"G\x3f\xf8\0\0\0\0\0\0."s, "1.5r"},
      {"F-1.5e3\n.", "-1500r"},
      {"Finf\n.", "infr"},
      {"\x8c\3\xe2\x82\xac.", "'\xe2\x82\xac'"},
      {"X\1\0\0\0a."s, "'a'"},
      {"\x8d\1\0\0\0\0\0\0\0a."s, "'a'"},
      {"Vgr\\u00f6\xdf\\u005c\n.", "'größ\\'"},
      {"V\\U0001f600\n.", "'\xf0\x9f\x98\x80'"},
      {"C\1\xff.", "b'\xff'"},
      {"B\1\0\0\0a."s, "b'a'"},
      {"\x8e\1\0\0\0\0\0\0\0a."s, "b'a'"},
      {"\x96\1\0\0\0\0\0\0\0a."s, "b'a'"},
      {"S'it\\'s \\x41\\n\\101'\n.", "'it's A\nA'"},
      {"U\2ab.", "'ab'"},
      {"T\1\0\0\0\xff."s, "b'\xff'"},
      {"(K\1K\2t.", "a tuple [1, 2, ]"},
      {").", "a tuple []"},
      {"K\1\x85.", "a tuple [1, ]"},
      {"K\1K\2\x86.", "a tuple [1, 2, ]"},
      {"K\1K\2K\3\x87.", "a tuple [1, 2, 3, ]"},
      {"](K\1K\2eK\3a.", "a list [1, 2, 3, ]"},
      {"(K\1l.", "a list [1, ]"},
      {"}(K\1K\2uK\3K\4s.", "{1: 2\n3: 4\n}"},
      {"(K\1K\2d.", "{1: 2\n}"},
      {"\x8f(K\1\x90.", "a set [1, ]"},
      {"(K\1\x91.", "a set [1, ]"},
      {"K\1K\2" "0.", "1"},
      {"K\1(K\2K\3" "1.", "1"},
      {"K\1" "2\x86.", "a tuple [1, 1, ]"},
      {"K\1p0\n0g0\n.", "1"},
      {"K\1q\0" "0h\0."s, "1"},
      {"K\1r\1\0\0\0" "0j\1\0\0\0."s, "1"},
      {"K\1\x94" "0h\0."s, "1"},
      {"\x8c\1m\x8c\1n\x93.", "m.n"},
      {"cm\nn\n)\x81.", "m.n(a tuple []) None"},
      {"cm\nn\n)}\x92.", "m.n(a tuple []) None"},
      {"(K\1im\nn\n.", "m.n(a tuple [1, ]) None"},
      {"(cm\nn\nK\1o.", "m.n(a tuple [1, ]) None"},
      {"cm\nn\n)R}(K\1K\2ub.", "m.n(a tuple []) {1: 2\n}"},
      {"cm\nn\n)R(K\1K\2u.", "m.n(a tuple []) Nonedict 1: 2\n"},
      {"cm\nn\n)RK\1a.", "m.n(a tuple []) Nonelist 1, "},
      {"\x80\4\x95\2\0\0\0\0\0\0\0K\1."s, "1"},
  };
  for (const Case& c : cases) EXPECT_EQ(value_of(c.bytes), c.value) << testing::PrintToString(c.bytes);
}

TEST(Pickle, constructors_of_old_protocols_give_the_class_itself) {
  EXPECT_EQ(value_of("ccopy_reg\n_reconstructor\n(csvm\nSVC\nc__builtin__\nobject\nNtR(dS'C'\nI2\nsb."),
            "svm.SVC(a tuple []) {'C': 2\n}");
  EXPECT_EQ(value_of("ccopy_reg\n_reconstructor\n(cm\nBunch\nc__builtin__\ndict\n(dS'C'\nI2\nstR."), "Bunch 'C': 2\n");
  EXPECT_EQ(value_of("ccopyreg\n__newobj__\n(csvm\nSVC\nK\1tR."), "svm.SVC(a tuple [1, ]) None");
  EXPECT_EQ(value_of("ccopyreg\n__newobj_ex__\n(csvm\nSVC\n(K\1t(dtR."), "svm.SVC(a tuple [1, ]) None")
      << "the named arguments are left out";
  EXPECT_EQ(value_of("csklearn._loss._loss\n__pyx_unpickle_CyHalfPoissonLoss\n(csklearn._loss._loss\nCyHalfPoissonLoss\nK\1)tR."),
            "sklearn._loss._loss.CyHalfPoissonLoss(a tuple []) None");
}

TEST(Pickle, state_with_slots_is_found_in_both_parts) {
  const std::string bytes = "cm\nn\n)R}(U\1aK\1u}(U\1bK\2u\x86" "b.";
  const plain::Document d = read(bytes);
  EXPECT_EQ(d.root.find("a")->integer, 1);
  EXPECT_EQ(d.root.find("b")->integer, 2);
}

TEST(Pickle, errors_say_where_and_what) {
  const Case cases[] = {
      {"K", "byte 0, opcode BININT1: the file ends at byte 1, 1 bytes too early"},
      {"K\1", "the file ends at byte 2, 1 bytes too early"},
      {"\xff.", "byte 0: 255 is no pickle opcode"},
      {"0.", "byte 0, opcode POP: takes from an empty stack"},
      {"t.", "byte 0, opcode TUPLE: has no MARK before it"},
      {"g7\n.", "byte 0, opcode GET: uses memo 7, which was never set"},
      {"K\1p99\n.", "byte 2, opcode PUT: memo index 99 after 2 opcodes"},
      {"K\1K\2a.", "byte 4, opcode APPEND: puts items into an int"},
      {"}(K\1u.", "byte 4, opcode SETITEMS: has a key without a value"},
      {"\x80\x09.", "byte 0, opcode PROTO: pickle protocol 9; known are 0 to 5"},
      {"Pabc\n.", "byte 0, opcode PERSID: a persistent id: such a pickle needs parts that are not in the file"},
      {"\x97.", "byte 0, opcode NEXT_BUFFER: an out-of-band buffer: such a pickle needs parts that are not in the file"},
      {"X\1\0\0\0\xff."s, "byte 0, opcode BINUNICODE: a text is not UTF-8"},
      {"V\\ud800\n.", "byte 0, opcode UNICODE: a text has a damaged \\u escape"},
      {"cnumpy\ndtype\n(U\2q9tR.", "byte 19, opcode REDUCE: arrays of dtype 'q9'"},
      {"K\1K\2\x93.", "byte 4, opcode STACK_GLOBAL: a class is named by an int and an int"},
      {"ZF0x123", "a file of joblib before 0.10 (2016)"},
      {"", "the file is empty"},
  };
  for (const Case& c : cases) EXPECT_EQ(error_of(c.bytes).message, c.value) << testing::PrintToString(c.bytes);
}

TEST(Pickle, a_path_stands_before_the_error) {
  EXPECT_THROW(
      try { open(ONWARD_TEST_DATA "/sklearn/1.9.1/standard_scaler.npz"); } catch (const Error& e) {
        EXPECT_EQ(e.message.find("reading " ONWARD_TEST_DATA "/sklearn/1.9.1/standard_scaler.npz: a zip archive"), 0u) << e.message;
        throw;
      },
      Error);
}

TEST(Pickle, joblib_arrays_may_be_padded) {
  const std::string bytes = "cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}("
                            "U\5dtypecnumpy\ndtype\n(U\2i2tRU\5shape(K\2tU\5orderU\1C"
                            "U\x1bnumpy_array_alignment_bytesK\x10ub\3\xff\xff\xff\1\0\2\0."s;
  const plain::Document d = read(bytes);
  ASSERT_TRUE(d.root.is(Kind::array));
  EXPECT_EQ(d.root.array->bytes, "\1\0\2\0"s);
}

}  // namespace
}  // namespace onward::formats
