// A constant matrix of float or double on the right of products, laid out when the session is created.
#pragma once
#include <type_traits>

#include "onward/ops/matrix_product.h"
#include "onward/ops/operator.h"

namespace onward {

class PackedWeights {
 public:
  PackedWeights() = default;
  explicit PackedWeights(const Tensor& b) {              // of any other type or rank: nothing
    if (b.rank() != 2 || b.size() == 0) return;
    if (b.type() == DataType::f32) single_ = std::make_shared<PackedMatrix<float>>(b.data<float>(), b.dims()[0], b.dims()[1]);
    if (b.type() == DataType::f64) double_ = std::make_shared<PackedMatrix<double>>(b.data<double>(), b.dims()[0], b.dims()[1]);
  }
  // Null where there is none of this type.
  template <class T> const PackedMatrix<T>* of() const {
    if constexpr (std::is_same_v<T, float>) return single_.get();
    else return double_.get();
  }

 private:
  std::shared_ptr<const PackedMatrix<float>> single_;
  std::shared_ptr<const PackedMatrix<double>> double_;
};

// All rows of `a` by the matrix, on as many threads as there is work for; y has `size` elements.
template <class T> void multiply_rows(const RunContext& context, const PackedMatrix<T>& b, const T* a, T* y, int64_t size, const Finish<T>& finish = {}) {
  const int64_t k = b.rows(), n = b.columns();
  context.parallel(size / n, 0.03 * double(n * k), [&](int64_t begin, int64_t end) { b.product(a + begin * k, y + begin * n, end - begin, finish); });
}

}  // namespace onward
