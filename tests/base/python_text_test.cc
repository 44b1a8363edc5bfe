#include "onward/base/python_text.h"

#include <gtest/gtest.h>

namespace onward::python {
namespace {

TEST(PythonText, LowerCaseIsThatOfStr) {
  EXPECT_EQ(lower("ABC xyz 1"), "abc xyz 1");
  EXPECT_EQ(lower("ÉTÉ Straße ẞ"), "été straße ß");
  EXPECT_EQ(lower("İstanbul"), "i\u0307stanbul");
  EXPECT_EQ(lower("K Ω Ǆ ǅ"), "k ω ǆ ǆ");
}

TEST(PythonText, ASigmaThatEndsAWordIsFinal) {
  EXPECT_EQ(lower("ΟΔΟΣ ΣΊΣΥΦΟΣ Σ"), "οδος σίσυφος σ");
  EXPECT_EQ(lower("ΑΣ. ΑΣ'Α Α\u0345Σ"), "ας. ασ'α α\u0345ς");
  EXPECT_EQ(lower("1Σ ʰΣ ⅠΣ"), "1σ ʰσ ⅰς");
}

TEST(PythonText, AccentsComeOff) {
  EXPECT_EQ(without_accents("été naïve e\u0301 ﬁ ²"), "ete naive e fi 2");
  EXPECT_EQ(without_accents("日本語 が"), "日本語 か");
  EXPECT_EQ(to_ascii("été Straße ﬁ ² 日本"), "ete Strae fi 2 ");
  EXPECT_EQ(without_accents("ΐ한"), "ι\u1112\u1161\u11ab");
}

TEST(PythonText, DamagedBytesStayOutOfTheWay) {
  EXPECT_EQ(characters("a\xff"), (std::vector<uint32_t>{'a', 0xFFFD}));
  EXPECT_NO_THROW(lower("\xff\xc3 A"));
  EXPECT_NO_THROW(without_accents("\xff\xc3 A"));
}

TEST(PythonText, Classes) {
  for (const uint32_t word : {uint32_t('_'), uint32_t('9'), uint32_t(0xE9), uint32_t(0xB2), uint32_t(0x2167), uint32_t(0x65E5)}) EXPECT_TRUE(is_word(word)) << word;
  for (const uint32_t other : {uint32_t('-'), uint32_t(0x301), uint32_t(0x200B), uint32_t(0x1F642)}) EXPECT_FALSE(is_word(other)) << other;
  EXPECT_TRUE(is_space(0x1C) && is_space(0x85) && is_space(0x2003) && !is_space(0x200B));
  EXPECT_TRUE(is_decimal(0x663) && !is_decimal(0xB2));
}

}  // namespace
}  // namespace onward::python
