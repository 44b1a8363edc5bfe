// Errors of C libraries that may not return (libjpeg, libpng): the library jumps out, and what jumped becomes an Error.
#pragma once
#include <csetjmp>

#include "onward/base/error.h"

namespace onward::image {

struct JumpTarget {
  std::jmp_buf where;
  char message[256] = {};                                // written before the jump
};

// Calls `step`, which must call C only and own nothing that needs a destructor: a jump out of it runs none.
template <class Step> void guarded(JumpTarget& target, Step&& step) {
  if (setjmp(target.where) == 0) step();
  else fail(Code::bad_file, target.message);
}

}  // namespace onward::image
