// skops files: the same values as a pickle of the same model, and an error for each way in which an archive can lie.
#include <gtest/gtest.h>

#include <filesystem>

#include "onward/formats/open.h"
#include "shown.h"

namespace onward::formats {
namespace {

TEST(Skops, gives_what_the_pickle_of_the_same_model_gives) {
  int compared = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ONWARD_TEST_DATA "/sklearn")) {
    if (entry.path().extension() != ".skops") continue;
    SCOPED_TRACE(entry.path());
    std::filesystem::path pickle = entry.path();
    const plain::Document a = open(entry.path()), b = open(pickle.replace_extension(".pkl"));
    EXPECT_EQ(shown(a.root), shown(b.root));
    ++compared;
  }
  EXPECT_GT(compared, 70);
}

}  // namespace
}  // namespace onward::formats
