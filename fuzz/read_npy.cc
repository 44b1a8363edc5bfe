// Arrays and archives of any bytes end in tensors or an Error.
// Rooms: data
#include "onward/base/error.h"
#include "onward/base/zip.h"
#include "onward/data/npy.h"

using namespace onward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const NpyLimits limits{.bytes = 64 << 20};
  try {
    table_of(is_zip(bytes) ? read_npz(bytes, {}, limits) : std::vector{read_npy(bytes, {}, limits)});
  } catch (const Error&) {
  }
  return 0;
}
