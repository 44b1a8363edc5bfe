#include "onward/formats/limits.h"

#include <algorithm>

#include "onward/base/memory.h"

namespace onward::formats {

size_t budget(size_t base, size_t per_unit, uint64_t units) {
  const size_t most = physical_memory() / 2;
  if (base >= most || (per_unit && units > (most - base) / per_unit)) return most;
  return base + per_unit * units;
}

}  // namespace onward::formats
