// The header of a .npy file: what lies in it and how.
#pragma once
#include "onward/base/byte_reader.h"
#include "onward/model/tensor.h"

namespace onward {

inline constexpr std::string_view npy_magic = "\x93NUMPY";

struct NpyHeader {
  DataType type = DataType::none;                        // str for dtypes U and S
  Dims dims;
  size_t item_size = 0;                                  // bytes in the file
  bool big_endian = false, fortran = false;
  bool wide_text = false;                                // dtype U: four bytes a character
  int64_t time_unit = 0;                                 // of datetime64, in nanoseconds
};

// Leaves `in` at the first element. Throws Error{bad_file, unsupported_format}.
NpyHeader read_npy_header(ByteReader& in);

}  // namespace onward
