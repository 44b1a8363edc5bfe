// Pictures of any bytes end in pixels or an Error.
// Rooms: ops
#include "onward/base/error.h"
#include "onward/ops/image/decoder.h"

using namespace onward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  RunContext context{.budget = std::make_shared<MemoryBudget>(64 << 20)};
  context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  try {
    image::decode({reinterpret_cast<const char*>(data), size}, context);
  } catch (const Error&) {
  }
  if (context.budget->used() != 0) __builtin_trap();      // what was counted for the decoder's library is given back
  return 0;
}
