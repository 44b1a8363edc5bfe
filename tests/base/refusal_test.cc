#include "onward/base/refusal.h"

#include <gtest/gtest.h>

namespace onward {
namespace {

constexpr Code code = Code::unsupported_estimator;

TEST(Refusal, NamesAllAndKeepsWhatEachSaysToDo) {
  const Refusal e({{code, "here", "is odd", "make it even"}, {Code::bad_file, "there", "is cut short", {}}});
  EXPECT_EQ(e.message, "here: is odd; make it even\nthere: is cut short");
  EXPECT_EQ(e.hint, "");
  EXPECT_EQ(e.code, code);
}

TEST(Refusal, OneHintForAllIsSaidOnce) {
  const Refusal e({{code, "here", "is odd", "make it even"}, {code, "there", "is prime", "make it even"}});
  EXPECT_EQ(e.message, "here: is odd\nthere: is prime");
  EXPECT_EQ(e.hint, "make it even");
}

TEST(Refusal, TheSameInManyPlacesIsOneProblem) {
  std::vector<Problem> all;
  for (int i = 0; i < 10'000; ++i) all.push_back({code, text("part ", i), i == 5000 ? "differs" : "is odd", {}});
  const Refusal e(all);
  ASSERT_EQ(e.problems.size(), 2u);
  EXPECT_EQ(e.problems[0].also.size(), 9998u);
  EXPECT_EQ(e.message, "part 0, part 1, part 2, part 3, part 4, part 5, part 6, part 7 and 9991 more places: is odd\npart 5000: differs");
}

TEST(Refusal, LongHintsGiveWayToWhatIsNamed) {
  std::vector<Problem> all;
  for (int i = 0; i < 30; ++i) all.push_back({code, text("part ", i), text("is odd by ", i), std::string(size_t(500 + i), 'x')});
  const Refusal e(all);
  for (int i = 0; i < 30; ++i) EXPECT_NE(e.message.find(text("part ", i, ": is odd by ", i)), std::string::npos);
  EXPECT_NE(e.hint.find("--dry-run"), std::string::npos);
  EXPECT_EQ(e.problems[29].hint.size(), 529u);
}

TEST(Refusal, ContextKeepsTheList) {
  try {
    try {
      throw Refusal({{code, "here", "is odd", {}}});
    } catch (Error& e) {
      e.within("reading x");
      throw;
    }
  } catch (const Refusal& e) {
    EXPECT_EQ(e.message, "reading x: here: is odd");
    EXPECT_EQ(e.problems.size(), 1u);
  }
}

}  // namespace
}  // namespace onward
