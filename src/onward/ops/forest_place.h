// Places in a full tree: 1 is the root, and the children of a place are two that follow from it.
#pragma once
#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace onward {

using Place = unsigned long long;

// To a place's first or second child: in one instruction, which no compiler finds by itself.
[[gnu::always_inline]] inline void descend(Place& at, bool second) {
#ifdef __x86_64__
  _addcarry_u64(second, at, at, &at);
#else
  at = 2 * at + second;
#endif
}

}  // namespace onward
