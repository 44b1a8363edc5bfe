// The expected numbers are CatBoost 1.2.10's own: cat_features_hash of a model that was saved with these words.
#include "onward/base/city_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace onward {
namespace {

std::string many(std::string_view part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

TEST(CityHash, IsCatBoostsOfEveryLength) {
  const std::pair<std::string, uint32_t> words[] = {
      {"", 797982799},
      {"a", 3489901818},
      {"ab", 4090249022},
      {"abcd", 345588365},
      {"abcdefgh", 4270775063},
      {"abcdefghi", 3019552977},
      {"0123456789abcdef", 2645308183},
      {"0123456789abcdefg", 3849924666},
      {many("\xC3\xA9", 10), 1057439460},
      {many("x", 32), 664286079},
      {many("y", 33), 3368352023},
      {many("0123456789", 6), 402074835},
      {many("z", 64), 2725922757},
      {many("w", 65), 1141626801},
      {many("q", 128), 1569960128},
      {many("r", 129), 2976866690},
      {many("0123456789", 13), 2713618934},
      {many("abc ", 100), 1166097581},
  };
  for (const auto& [word, expected] : words) EXPECT_EQ(uint32_t(city_hash(word)), expected) << word;
}

}  // namespace
}  // namespace onward
