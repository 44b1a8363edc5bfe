// Any bytes as a fitted model: what is converted can be written, read again and run; the rest is an Error.
// Rooms: formats, validate
#include "onward/formats/source.h"
#include "onward/model/onnx_file.h"
#include "onward/validate/table_session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  try {
    const Model model = formats::convert_source({nullptr, {reinterpret_cast<const char*>(data), size}});
    const auto session = Session::load_bytes(write_model(model), {.threads = 1, .memory_limit = 64 << 20});
    session->run({}, made_up_inputs(*session, 2), {.time_limit_seconds = 2});
  } catch (const Error& e) {
    if (e.code == Code::internal) throw;
  }
  return 0;
}
