// A schema of any bytes is read or refused; what is read is written and read back the same.
// Rooms: model
#include <cstdlib>

#include "onward/base/error.h"
#include "onward/model/schema.h"

using namespace onward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Schema schema;
  try {
    schema = read_schema({reinterpret_cast<const char*>(data), size});
  } catch (const Error&) {
    return 0;
  }
  if (!(read_schema(write_schema(schema)) == schema)) std::abort();
  return 0;
}
