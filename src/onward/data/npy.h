// NumPy's .npy arrays and .npz archives of them, in and out. Objects (dtype O) are refused: they hold pickle, which is a program.
#pragma once
#include <memory>
#include <utility>

#include "onward/data/table_stream.h"

namespace onward {

struct NpyArray {
  std::string name;                                      // in an archive, without ".npy"
  Tensor tensor;                                         // row-major and little-endian, whatever the file was
  bool datetime = false;                                 // int64 nanoseconds; INT64_MIN is "not a time"
};

struct NpyLimits {
  size_t bytes = size_t{16} << 30;                       // of all arrays, unpacked
};

// The tensor views `bytes` where layout and alignment allow (kept alive by `owner`). Throws Error{bad_file, unsupported_format, limit_*}.
NpyArray read_npy(std::string_view bytes, std::shared_ptr<const void> owner = {}, const NpyLimits& = {});
std::vector<NpyArray> read_npz(std::string_view bytes, std::shared_ptr<const void> owner = {}, const NpyLimits& = {});
bool is_npy(std::string_view bytes);

std::string npy_header(const Tensor& tensor);            // the bytes before the elements
std::string write_npy(const Tensor& tensor);
std::string write_npz(std::span<const std::pair<std::string, Tensor>> arrays);

// Arrays as columns: one axis is a column; two are columns x0, x1, … of a lone array and <name>_0, … in an archive.
Table table_of(const std::vector<NpyArray>& arrays);
// Columns as arrays, for .npz: gaps become NaN, and "" in texts; whole numbers with gaps become float64.
std::vector<std::pair<std::string, Tensor>> arrays_of(const Table& table);

}  // namespace onward
