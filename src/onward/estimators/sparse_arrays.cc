#include "onward/estimators/sparse_arrays.h"

#include "onward/estimators/numpy_arrays.h"
#include "onward/estimators/reading.h"

namespace onward {

using plain::Kind;

namespace {

// A file of a few values may state any size: how many items it may become, beside how many for each value.
constexpr int64_t always_dense = int64_t{1} << 22, sparsest = int64_t{1} << 14;

Array<int64_t> integers(const plain::Value& matrix, std::string_view name) {
  const auto v = matrix.find(name);
  if (!v || !v->is(Kind::array)) fail(Code::bad_file, "is a sparse matrix without ", name);
  return as_array<int64_t>(*v->array, nullptr);
}

Dims shape_of(const plain::Value& matrix) {
  const auto shape = matrix.find("_shape");
  Dims out;
  for (const plain::Value& size : shape ? shape->items() : std::span<const plain::Value>())
    if (size.is(Kind::integer) && size.integer >= 0) out.push_back(size.integer);
  if (out.empty() || out.size() > 2) fail(Code::bad_file, "is a sparse matrix of ", out.size(), " sizes; expected 1 or 2");
  return out;
}

}  // namespace

bool is_sparse(const plain::Value& v) {
  return v.is(Kind::object) && v.object->callee.is(Kind::global) && v.object->callee.global->module.starts_with("scipy.sparse.");
}

Numbers dense(const plain::Value& matrix, int64_t most) {
  const std::string_view kind = matrix.object->callee.global->name;
  const bool by_rows = kind.starts_with("csr_"), by_columns = kind.starts_with("csc_");
  if (!by_rows && !by_columns) fail(Code::unsupported_estimator, "is a ", clipped(kind), "; convertible: csr and csc");
  const Dims shape = shape_of(matrix);
  const auto data = matrix.find("data");
  if (!data || !data->is(Kind::array)) fail(Code::bad_file, "is a sparse matrix without data");
  const Numbers values = as_array<double>(*data->array, nullptr);
  if (count(shape) > std::min(most, always_dense + sparsest * values.size()))
    fail(Code::limit_size, "is a sparse matrix of ", shown(shape), " items with ", values.size(), " values, more than can be made dense");
  const Array<int64_t> starts = integers(matrix, "indptr"), places = integers(matrix, "indices");
  const int64_t columns = shape.back(), rows = shape.size() == 1 ? 1 : shape[0];
  const int64_t lines = by_rows ? rows : columns, length = by_rows ? columns : rows;
  if (starts.size() - 1 != lines || places.size() < values.size())
    fail(Code::bad_file, "is a sparse matrix of ", lines, " lines with ", starts.size(), " starts, and ", values.size(), " values at ",
         places.size(), " places");

  const Numbers out = Numbers::of(shape, [](int64_t) { return 0.0; });
  double* cells = out.tensor().data<double>();
  for (int64_t line = 0; line < lines; ++line) {
    if (starts[line] < 0 || starts[line] > starts[line + 1] || starts[line + 1] > values.size())
      fail(Code::bad_file, "is a sparse matrix whose line ", line, " ends before it starts or behind its ", values.size(), " values");
    for (int64_t k = starts[line]; k < starts[line + 1]; ++k) {
      if (places[k] < 0 || places[k] >= length) fail(Code::bad_file, "is a sparse matrix with a value at ", places[k], " of a line of ", length);
      cells[by_rows ? line * length + places[k] : places[k] * columns + line] += values[k];  // what stands there twice is a sum
    }
  }
  return out;
}

}  // namespace onward
