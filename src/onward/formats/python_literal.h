// A Python literal as a plain value: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

plain::Value read_python_literal(Arena&, std::string_view);

}  // namespace onward::formats
