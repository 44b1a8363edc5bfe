// Pickles by hand: what each opcode means, and what hostile ones get.
#include <gtest/gtest.h>

#include "onward/formats/open.h"

namespace onward::formats {
namespace {

using plain::Kind;
using namespace std::string_view_literals;

plain::Document read(std::string_view bytes) { return open_bytes(bytes, nullptr); }

TEST(Pickle, a_call_is_a_record_and_nothing_runs) {
  const plain::Document d = read("cos\nsystem\n(S'touch /tmp/owned'\ntR."sv);
  ASSERT_TRUE(d.root.is(Kind::object));
  EXPECT_EQ(d.root.object->callee.global->module, "os");
  EXPECT_EQ(d.root.object->callee.global->name, "system");
  EXPECT_EQ(d.root.object->args.items()[0].str(), "touch /tmp/owned");
}

TEST(Pickle, constructors_of_old_protocols_give_the_class_itself) {
  const plain::Document d = read("ccopy_reg\n_reconstructor\n(csvm\nSVC\nc__builtin__\nobject\nNtR(dS'C'\nI2\nsb."sv);
  ASSERT_TRUE(d.root.is(Kind::object));
  EXPECT_EQ(d.root.object->callee.global->name, "SVC");
}

}  // namespace
}  // namespace onward::formats
