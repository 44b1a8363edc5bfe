// Any bytes as a pickle or joblib file: plain values whose spans hold, or an Error, within the memory limit.
// Rooms: formats
#include "onward/formats/open.h"
#include "touch_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const onward::formats::Limits limits{.memory = 8 << 20, .decompressed = 8 << 20, .decompressed_per_byte = 0};
  onward::plain::Document document;
  try {
    document = onward::formats::open_bytes({reinterpret_cast<const char*>(data), size}, nullptr, limits);
  } catch (const onward::Error& e) {
    if (e.code == onward::Code::internal) throw;
    return 0;
  }
  onward::fuzz::Toucher().touch(document.root);
  return 0;
}
