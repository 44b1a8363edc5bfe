#include "onward/data/column_tensor.h"

#include <algorithm>
#include <limits>

#include "onward/base/error.h"

namespace onward {

// Values of column k of a tensor with `width` columns.
template <class Out, class T> static std::vector<Out> gathered(const Tensor& tensor, size_t k, size_t width) {
  std::vector<Out> out;
  out.reserve(size_t(tensor.size()) / width);
  for (size_t i = k; i < size_t(tensor.size()); i += width) {
    if constexpr (contains(small_floats, type_of<T>)) out.push_back(Out(float(tensor.data<T>()[i])));
    else out.push_back(Out(tensor.data<T>()[i]));
  }
  return out;
}

Column column_of(std::string name, const Tensor& tensor, size_t k, size_t width) {
  if (tensor.type() == DataType::str) {
    Column column(std::move(name), ColumnType::string);
    for (size_t i = k; i < size_t(tensor.size()); i += width) std::get<Strings>(column.values).push_back(tensor.data<std::string>()[i]);
    return column;
  }
  if (tensor.type() == DataType::u64 && std::any_of(tensor.data<uint64_t>(), tensor.data<uint64_t>() + tensor.size(), [](uint64_t v) { return v > uint64_t(INT64_MAX); }))
    fail(Code::bad_data, "'", name, "' holds numbers beyond 2^63, which no column of a table can hold");
  Column column;
  const bool known = for_type<every_type - (str | c64 | c128)>(tensor.type(), [&]<class T>() {
    if constexpr (std::is_same_v<T, double>) column = Column(name, ColumnType::float64, gathered<double, T>(tensor, k, width));
    else if constexpr (contains(f32 | small_floats, type_of<T>)) column = Column(name, ColumnType::float32, gathered<float, T>(tensor, k, width));
    else if constexpr (std::is_same_v<T, bool>) column = Column(name, ColumnType::boolean, gathered<uint8_t, T>(tensor, k, width));
    else column = Column(name, ColumnType::int64, gathered<int64_t, T>(tensor, k, width));
  });
  if (!known) fail(Code::bad_data, "'", name, "' is ", name_of(tensor.type()), ", which no column of a table can hold");
  return column;
}

Tensor tensor_of(const Column& column) {
  const int64_t n = int64_t(column.size());
  const bool gaps = std::any_of(column.cells.begin(), column.cells.end(), [](Cell c) { return c != Cell::value; });
  if (column.type == ColumnType::string) {
    Tensor out(DataType::str, {n});
    for (size_t i = 0; i < column.size(); ++i)
      if (!column.missing(i)) out.data<std::string>()[i] = column.strings()[i];
    return out;
  }
  if (column.type == ColumnType::float32 || column.type == ColumnType::float64) {
    const bool wide = column.type == ColumnType::float64;
    const Tensor out = wide ? Tensor::of<double>({n}, column.as<double>()) : Tensor::of<float>({n}, column.as<float>());
    for (size_t i = 0; gaps && i < column.size(); ++i) {
      if (!column.missing(i)) continue;
      if (wide) out.data<double>()[i] = std::numeric_limits<double>::quiet_NaN();
      else out.data<float>()[i] = std::numeric_limits<float>::quiet_NaN();
    }
    return out;
  }
  if (column.type == ColumnType::boolean && !gaps) {
    Tensor out(DataType::b8, {n});
    for (size_t i = 0; i < column.size(); ++i) out.data<bool>()[i] = column.as<uint8_t>()[i] != 0;
    return out;
  }
  if (!gaps) return Tensor::of<int64_t>({n}, column.as<int64_t>());
  Tensor out(DataType::f64, {n});
  for (size_t i = 0; i < column.size(); ++i) {
    const double value = column.type == ColumnType::boolean ? double(column.as<uint8_t>()[i]) : double(column.as<int64_t>()[i]);
    out.data<double>()[i] = column.missing(i) ? std::numeric_limits<double>::quiet_NaN() : value;
  }
  return out;
}

}  // namespace onward
