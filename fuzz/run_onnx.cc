// Any model, sound or not, made into a session and run twice on made-up inputs within limits. Half of the changes keep the file
// readable (mutate_model.h), so that what follows the reader is reached.
// Rooms: validate
#include "mutate_model.h"
#include "onward/model/onnx_file.h"
#include "onward/validate/table_session.h"
#include "outcome.h"

using namespace onward;

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  try {
    Model model = read_model({reinterpret_cast<const char*>(data), size});
    fuzz::ModelMutator(seed).mutate(model);
    const std::string bytes = write_model(model);
    if (bytes.size() > max_size) return size;
    std::copy(bytes.begin(), bytes.end(), data);
    return bytes.size();
  } catch (const Error&) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto session = Session::load_bytes({reinterpret_cast<const char*>(data), size}, {.threads = 1, .memory_limit = 64 << 20});
    for (const int64_t rows : {2, 1}) {
      std::string outcome = "ran";
      for (const Value& v : session->run({}, made_up_inputs(*session, rows), {.time_limit_seconds = 2})) outcome += v.tensor() ? shown(*v.tensor()) : "?";
      fuzz::came_to(outcome);
    }
  } catch (const Error& e) {
    if (e.code == Code::internal) throw;
    fuzz::came_to(e.what());
  }
  return 0;
}
