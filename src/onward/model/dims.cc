#include "onward/model/dims.h"

#include "onward/base/error.h"

namespace onward {

int64_t count(std::span<const int64_t> dims) {
  int64_t n = 1;
  bool empty = false, too_large = false;
  for (int64_t d : dims) {
    if (d < 0) fail(Code::limit_size, "a shape of ", shown(dims), " has a negative size");
    if (d == 0) empty = true;
    else too_large |= __builtin_mul_overflow(n, d, &n) || n > int64_t{1} << 62;
  }
  if (empty) return 0;
  if (too_large) fail(Code::limit_size, "a shape of ", shown(dims), " has more than 2^62 elements");
  return n;
}

std::string shown(std::span<const int64_t> dims) {
  std::string s = "[";
  for (int64_t d : dims) s += text(s.size() > 1 ? ", " : "", is_symbol(d) ? std::string("?") : text(d));
  return s + "]";
}

}  // namespace onward
