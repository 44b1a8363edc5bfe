// .npy members and the literals in their headers.
#include "onward/formats/npy_member.h"

#include <gtest/gtest.h>

#include "onward/formats/python_literal.h"
#include "shown.h"

namespace onward::formats {
namespace {

using namespace std::string_literals;

std::string npy(const std::string& header, const std::string& bytes) {
  std::string out = "\x93NUMPY\1\0"s;
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  return out + header + bytes;
}

TEST(Npy, records_have_their_fields_by_name) {
  Arena arena(1 << 20);
  const std::string header = "{'descr': [('left', '<i8'), ('', '|V3'), ('go', '|u1')], 'fortran_order': False, 'shape': (), }";
  const std::string file = npy(header, std::string(12, 1));
  const plain::Value v = read_npy(arena, file);
  const plain::DType& type = *v.array->type;
  ASSERT_EQ(type.fields.size(), 2u);
  EXPECT_EQ(type.size, 12u);
  EXPECT_EQ(type.fields[1].name, "go");
  EXPECT_EQ(type.fields[1].offset, 11u);
}

TEST(Npy, what_does_not_fit_is_an_error) {
  Arena arena(1 << 20);
  const auto read = [&](const std::string& header, const std::string& bytes) { read_npy(arena, npy(header, bytes)); };
  EXPECT_NO_THROW(read("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1L)}", std::string(8, 0)));
  EXPECT_THROW(read("{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}", "abc"), Error);
  EXPECT_THROW(read("{'descr': '<f4', 'fortran_order': True, 'shape': (-2, -4)}", std::string(32, 0)), Error);
  EXPECT_THROW(read("{'descr': '<f4', 'fortran_order': True, 'shape': (4294967296, 4294967296)}", ""), Error);
  EXPECT_THROW(read("{'descr': '|O', 'fortran_order': True, 'shape': (1,)}", std::string(8, 0)), Error);
  EXPECT_THROW(read("{'descr': '|S0', 'fortran_order': True, 'shape': (1000000000,)}", ""), Error);
  EXPECT_THROW(read("{'descr': '<f4'}", ""), Error);
  EXPECT_THROW(read("{'descr': ", ""), Error);
}

TEST(PythonLiteral, is_read_and_bounded) {
  Arena arena(1 << 20);
  const auto read = [&](std::string_view s) { return shown(read_python_literal(arena, s)); };
  EXPECT_EQ(read(" {'a': [1, -2,], \"b'\": (None, True, False,)} "), "{'a': a list [1, -2, ]\n'b'': a tuple [None, True, False, ]\n}");
  EXPECT_THROW(read(std::string(100'000, '[')), Error);
  EXPECT_THROW(read("{'a'}"), Error);
  EXPECT_THROW(read("[1 2]"), Error);
  EXPECT_THROW(read("'abc"), Error);
  EXPECT_THROW(read("1 + 1"), Error);
}

}  // namespace
}  // namespace onward::formats
