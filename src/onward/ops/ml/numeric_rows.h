// The input of ai.onnx.ml operators that take float, double, int64 or int32 and compute in float or double.
#pragma once
#include "onward/ops/convert.h"
#include "onward/ops/operator.h"

namespace onward {

// Rows and columns of the input: a vector is one row.
struct RowsAndColumns { int64_t rows, columns; };
inline RowsAndColumns rows_and_columns(const Dims& dims) {
  if (dims.empty() || dims.size() > 2) invalid("expected an input of shape [rows, columns], found ", shown(dims));
  return dims.size() == 2 ? RowsAndColumns{dims[0], dims[1]} : RowsAndColumns{1, dims[0]};
}

// The elements as T, converted when they are something else.
template <class T> class NumericRows {
 public:
  NumericRows(const Call& call, const Tensor& x) : held_(x.type() == type_of<T> ? x : call.scratch(type_of<T>, x.dims())) {
    if (x.type() != type_of<T>) convert(x.type(), x.raw(), type_of<T>, held_.raw(), x.size());
  }
  const T* data() const { return held_.data<T>(); }

 private:
  Tensor held_;
};

}  // namespace onward
