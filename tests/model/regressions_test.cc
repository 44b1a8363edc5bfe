// Inputs that once did harm (fuzz/regressions/read_onnx): each is an Error or a model that comes back the same, never a crash.
#include <filesystem>

#include "expect_error.h"
#include "onward/model/check.h"
#include "onward/model/onnx_file.h"
#include "onward/model/sort_nodes.h"

namespace onward {

TEST(Regressions, ReadOnnx) {
  int n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ONWARD_TEST_DATA "/../../fuzz/regressions/read_onnx")) {
    SCOPED_TRACE(entry.path().filename());
    const MappedFile file = map_file(entry.path());
    const std::string bytes(file.bytes);                  // its own allocation, so that a sanitizer sees what lies behind
    const auto attempt = [](const auto& action) { EXPECT_FALSE(thrown(action).starts_with(id_of(Code::internal))); };
    attempt([&] {
      Model m = read_model(bytes);
      const std::string once = write_model(m);
      EXPECT_EQ(write_model(read_model(once)), once);
      attempt([&] { check(m); });
      attempt([&] { sort_nodes(m.graph); });
    });
    attempt([&] { write_value(read_value(bytes, guess_value_proto(bytes))); });
    ++n;
  }
  EXPECT_GT(n, 0);
}

}  // namespace onward
