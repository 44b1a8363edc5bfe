// A model from bytes; what is read and sound must come back the same from what is written.
// Rooms: model
#include <cstddef>

#include "onward/base/error.h"
#include "onward/model/check.h"
#include "onward/model/onnx_file.h"
#include "onward/model/sort_nodes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto attempt = [](const auto& action) {
    try {
      action();
    } catch (const Error& e) {
      if (e.code == Code::internal) __builtin_trap();
    }
  };
  attempt([&] {
    Model model = read_model(bytes);
    const std::string once = write_model(model);
    Model again;
    try {
      again = read_model(once);
    } catch (const Error&) {
      __builtin_trap();                                   // what we write we can read
    }
    if (write_model(again) != once) __builtin_trap();
    attempt([&] { check(model); });
    attempt([&] { sort_nodes(model.graph); });
  });
  attempt([&] { write_value(read_value(bytes, guess_value_proto(bytes))); });
  return 0;
}
