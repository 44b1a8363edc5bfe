// Files that scikit-learn 1.0 to 1.9 wrote: each opens, and each of its beginnings is an error.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "onward/base/file.h"
#include "onward/formats/open.h"
#include "shown.h"

namespace onward::formats {
namespace {

std::vector<std::string> models() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ONWARD_TEST_DATA "/sklearn"))
    if (entry.is_regular_file() && entry.path().extension() != ".npz") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

// tests/data/sklearn/1.0.2/standard_scaler.pkl -> 1.0.2/standard_scaler
std::string model_of(const std::string& path) {
  const std::filesystem::path p(path);
  return p.parent_path().filename() / p.stem();
}

TEST(Fixtures, each_opens_as_a_fitted_object_of_its_version) {
  const std::vector<std::string> paths = models();
  ASSERT_GT(paths.size(), 900u);
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const plain::Document d = open(path);
    ASSERT_TRUE(d.root.is(plain::Kind::object));
    const auto version = d.root.find("_sklearn_version");
    ASSERT_TRUE(version);
    EXPECT_EQ(version->str(), std::filesystem::path(path).parent_path().filename().string());
  }
}

TEST(Fixtures, pickle_joblib_and_skops_of_one_model_say_the_same) {
  std::map<std::string, std::string> first;
  for (const std::string& path : models()) {
    SCOPED_TRACE(path);
    const std::string written = shown(open(path).root);
    EXPECT_GT(written.size(), 80u);
    const auto [entry, inserted] = first.emplace(model_of(path), written);
    if (written == entry->second) continue;
    const auto [here, there] = std::mismatch(written.begin(), written.end(), entry->second.begin(), entry->second.end());
    const size_t at = std::max<ptrdiff_t>(here - written.begin() - 80, 0);
    ADD_FAILURE() << written.substr(at, 200) << "\nfirst was\n" << entry->second.substr(at, 200);
  }
}

TEST(Fixtures, each_beginning_is_an_error) {
  for (const std::string& path : models()) {
    SCOPED_TRACE(path);
    const MappedFile file = map_file(path);
    for (size_t n = 0; n < file.bytes.size(); n += 97) {
      const std::string cut(file.bytes.substr(0, n));   // its own memory, so that a sanitizer sees a read beyond its end
      EXPECT_THROW(open_bytes(cut, nullptr), Error) << n << " bytes";
    }
  }
}

}  // namespace
}  // namespace onward::formats
