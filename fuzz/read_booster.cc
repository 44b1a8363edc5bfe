// Any bytes as a file of a boosting library: what opens has values that can be looked at, and becomes a model or an Error.
// Rooms: formats
#include "onward/formats/open.h"
#include "onward/formats/source.h"
#include "outcome.h"
#include "touch_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const plain::Document document =
        formats::open_bytes(bytes, nullptr, {.memory = 8 << 20, .decompressed = 8 << 20, .decompressed_per_byte = 0});
    fuzz::Toucher().touch(document.root);
    formats::convert_source({nullptr, bytes}, {.own_ops = true});
    fuzz::came_to("converted");
  } catch (const Error& e) {
    if (e.code == Code::internal) throw;
    fuzz::came_to(e.what());
  }
  return 0;
}
