#include "onward/base/error.h"

#include <gtest/gtest.h>

namespace onward {
namespace {

TEST(Error, SaysAll) {
  const Error e = Error(Code::bad_file, "cut short", "write it again").within("step 2").within("reading model.pkl");
  EXPECT_STREQ(e.what(), "reading model.pkl: step 2: cut short");
  EXPECT_EQ(e.hint, "write it again");
}

// A node may be named by a megabyte; who reads the error should not have to.
TEST(Error, KeepsBeginningAndEndOfLongNames) {
  const Error e = Error(Code::bad_model, "node '" + std::string(1 << 20, 'n') + "' has no input").within("reading m.onnx");
  EXPECT_LT(e.message.size(), Error::longest + 100);
  EXPECT_TRUE(e.message.starts_with("reading m.onnx: node 'nnn")) << e.message.substr(0, 40);
  EXPECT_TRUE(e.message.ends_with("nnn' has no input"));
  EXPECT_NE(e.message.find(" bytes left out "), std::string::npos);
}

TEST(Error, CutsBetweenCharacters) {
  for (const char* shift : {"", "a", "ab"}) {
    std::string name = shift;
    for (int i = 0; i < 100000; ++i) name += "\xE6\x97\xA5";
    const std::string message = Error(Code::bad_model, name).message;
    const size_t cut = message.find(" \xE2\x80\xA6 ");
    ASSERT_NE(cut, std::string::npos);
    EXPECT_EQ((cut - std::string(shift).size()) % 3, 0u);
    const size_t on = message.find(" bytes left out \xE2\x80\xA6 ");
    ASSERT_NE(on, std::string::npos);
    EXPECT_EQ(message[on + std::string(" bytes left out \xE2\x80\xA6 ").size()], '\xE6');
  }
}

}  // namespace
}  // namespace onward
