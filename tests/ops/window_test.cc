// Windows that slide over axes: how many places they have, and where they have none.
#include "onward/ops/window.h"

#include <gtest/gtest.h>

namespace onward {
namespace {

struct Axis {
  int64_t in, taps, stride = 1, dilation = 1, before = 0, after = 0;
  bool ceil = false;
};

int64_t places(const Axis& a, const char* auto_pad = "NOTSET") {
  const std::vector<int64_t> kernel{a.taps}, strides{a.stride}, dilations{a.dilation}, pads{a.before, a.after};
  return windows({kernel, strides, dilations, pads, auto_pad, a.ceil}, Dims{1, 1, a.in}, kernel)[0].out;
}

std::string refusal(const Axis& a, const char* auto_pad = "NOTSET") {
  try {
    return text("has ", places(a, auto_pad), " places");
  } catch (const Error& e) {
    return id_of(e.code) + " " + e.message;
  }
}

TEST(Windows, HaveAPlaceWhereTheyFit) {
  EXPECT_EQ(places({.in = 3, .taps = 3}), 1);
  EXPECT_EQ(places({.in = 1, .taps = 3, .before = 1, .after = 1}), 1);
  EXPECT_EQ(places({.in = 7, .taps = 3, .dilation = 3}), 1);
  EXPECT_EQ(places({.in = 4, .taps = 3, .stride = 2, .ceil = true}), 2);
  EXPECT_EQ(places({.in = 2, .taps = 3, .stride = 2, .ceil = true}), 1) << "ceil_mode lets the first one reach over the end";
  EXPECT_EQ(places({.in = 2, .taps = 5}, "SAME_UPPER"), 2) << "padded until it fits";
}

// Once an empty tensor came of it, and nobody saw why the rest of the model had nothing to do.
TEST(Windows, LargerThanThePaddedAxisAreRefused) {
  EXPECT_EQ(refusal({.in = 2, .taps = 3}),
            "E0305 the window over spatial axis 0 reaches over 3 elements (kernel 3, dilation 1), expected at most the 2 that are there (2, with padding 0 before and 0 after)");
  EXPECT_EQ(refusal({.in = 4, .taps = 4, .dilation = 2, .before = 1, .after = 1}),
            "E0305 the window over spatial axis 0 reaches over 7 elements (kernel 4, dilation 2), expected at most the 6 that are there (4, with padding 1 before and 1 after)");
  EXPECT_EQ(refusal({.in = 0, .taps = 1}),
            "E0305 the window over spatial axis 0 reaches over 1 elements (kernel 1, dilation 1), expected at most the 0 that are there (0, with padding 0 before and 0 after)");
  EXPECT_TRUE(refusal({.in = 1, .taps = 4, .stride = 2, .ceil = true}).starts_with("E0305"));
  EXPECT_TRUE(refusal({.in = 2, .taps = 3}, "VALID").starts_with("E0305"));
}

}  // namespace
}  // namespace onward
