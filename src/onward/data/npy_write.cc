// Writing .npy and .npz, and arrays as tables.
#include <algorithm>

#include "onward/base/error.h"
#include "onward/base/unicode.h"
#include "onward/base/zip.h"
#include "onward/data/column_tensor.h"
#include "onward/data/npy.h"
#include "onward/data/npy_header.h"

namespace onward {
namespace {

// NumPy's text is four bytes a character, all cells as long as the longest.
size_t longest_text(const Tensor& tensor) {
  size_t longest = 1;
  for (const std::string& s : tensor.values<std::string>()) {
    size_t n = 0;
    for (size_t at = 0; at < s.size(); ++n) next_code_point(s, at);
    longest = std::max(longest, n);
  }
  return longest;
}

std::string descr(const Tensor& tensor) {
  switch (tensor.type()) {
    case DataType::f16: return "<f2";
    case DataType::f32: return "<f4";
    case DataType::f64: return "<f8";
    case DataType::i8: return "|i1";
    case DataType::i16: return "<i2";
    case DataType::i32: return "<i4";
    case DataType::i64: return "<i8";
    case DataType::u8: return "|u1";
    case DataType::u16: return "<u2";
    case DataType::u32: return "<u4";
    case DataType::u64: return "<u8";
    case DataType::b8: return "|b1";
    case DataType::c64: return "<c8";
    case DataType::c128: return "<c16";
    case DataType::str: return text("<U", longest_text(tensor));
    default: fail(Code::unsupported_format, "NumPy has no type for ", name_of(tensor.type()));
  }
}

// The elements' bytes: the tensor's own, or text spread out into `scratch`.
std::string_view elements(const Tensor& tensor, std::string& scratch) {
  if (tensor.type() != DataType::str) return {static_cast<const char*>(tensor.raw()), tensor.bytes()};
  const size_t width = longest_text(tensor) * 4;
  size_t size = 0;
  if (__builtin_mul_overflow(width, size_t(tensor.size()), &size) || size > size_t{16} << 30)
    throw Error(Code::limit_size, text("text of ", width / 4, " characters in ", tensor.size(), " cells is too much for a NumPy array"), "write a .csv");
  scratch.assign(size, '\0');
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const std::string& s = tensor.data<std::string>()[i];
    char* to = scratch.data() + size_t(i) * width;
    for (size_t at = 0; at < s.size(); to += 4) {
      const uint32_t c = next_code_point(s, at);
      std::copy_n(reinterpret_cast<const char*>(&c), 4, to);
    }
  }
  return scratch;
}

}  // namespace

std::string npy_header(const Tensor& tensor) {
  std::string dict = text("{'descr': '", descr(tensor), "', 'fortran_order': False, 'shape': (");
  for (size_t i = 0; i < tensor.dims().size(); ++i) dict += text(i ? ", " : "", tensor.dims()[i]);
  dict += tensor.rank() == 1 ? ",), }" : "), }";
  constexpr size_t before = 10, alignment = 64;
  dict.append(alignment - (before + dict.size() + 1) % alignment, ' ') += '\n';
  const auto length = uint16_t(dict.size());
  std::string out(npy_magic);
  out += '\1', out += '\0', out += char(length & 0xFF), out += char(length >> 8);
  return out + dict;
}

std::string write_npy(const Tensor& tensor) {
  std::string scratch;
  return npy_header(tensor).append(elements(tensor, scratch));
}

std::string write_npz(std::span<const std::pair<std::string, Tensor>> arrays) {
  std::string out;
  ZipWriter zip([&](std::string_view bytes) { out += bytes; });
  for (const auto& [name, tensor] : arrays) {
    std::string scratch;
    const std::string header = npy_header(tensor);
    const std::string_view parts[] = {header, elements(tensor, scratch)};
    zip.add(name + ".npy", parts);
  }
  zip.finish();
  return out;
}

Table table_of(const std::vector<NpyArray>& arrays) {
  Table table;
  for (const NpyArray& array : arrays) {
    const std::string name = array.name.empty() ? "x" : array.name;
    const auto dims = array.tensor.dims();
    if (dims.empty() || dims.size() > 2) fail(Code::bad_data, "array '", name, "' has shape ", shown(dims), ", expected one or two axes for columns of a table");
    if (&array != &arrays[0] && dims[0] != table.rows) fail(Code::bad_data, "array '", name, "' has ", dims[0], " rows, '", arrays[0].name, "' has ", table.rows);
    table.rows = dims[0];
    const size_t width = dims.size() == 1 ? 1 : size_t(dims[1]);
    constexpr size_t most_columns = 4 << 20;
    if (width > most_columns) fail(Code::limit_size, "array '", name, "' would be ", width, " columns, at most ", most_columns, " are read");
    for (size_t k = 0; k < width; ++k) {
      const bool single = dims.size() == 1 || (width == 1 && !array.name.empty());
      table.columns.push_back(column_of(single && !array.name.empty() ? name : arrays.size() == 1 ? text("x", k) : text(name, "_", k), array.tensor, k, width));
      Column& column = table.columns.back();
      if (!array.datetime) continue;
      column.type = ColumnType::datetime;
      for (size_t row = 0; row < column.size(); ++row)
        if (column.as<int64_t>()[row] == INT64_MIN) column.set_missing(row);
    }
  }
  return table;
}

std::vector<std::pair<std::string, Tensor>> arrays_of(const Table& table) {
  std::vector<std::pair<std::string, Tensor>> arrays;
  for (const Column& column : table.columns) arrays.emplace_back(column.name, tensor_of(column));
  return arrays;
}

}  // namespace onward
