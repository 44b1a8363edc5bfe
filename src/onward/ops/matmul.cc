#include "onward/ops/matmul.h"

namespace onward {

MatMulShape::MatMulShape(std::span<const int64_t> left, std::span<const int64_t> right, Symbols* symbols)
    : a(left), b(right), row(left.size() == 1), column(right.size() == 1) {
  if (a.empty() || b.empty()) invalid("a scalar has no matrix product");
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  const int64_t k = a.back(), other = b[b.size() - 2];
  if (k >= 0 && other >= 0 && k != other) invalid("cannot multiply ", shown(left), " by ", shown(right));
  batch = broadcast(Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2), symbols);
}

Dims MatMulShape::output() const {
  Dims out = batch;
  if (!row) out.push_back(a[a.size() - 2]);
  if (!column) out.push_back(b.back());
  return out;
}

template <class T> void matmul(const RunContext& context, const MatMulShape& s, const T* a, const T* b, T* y) {
  const int64_t m = s.a[s.a.size() - 2], k = s.a.back(), n = s.b.back();
  if (s.batch.empty()) {
    context.parallel(m, 0.05 * double(n * k), [&](int64_t begin, int64_t end) { matrix_product(a + begin * k, b, y + begin * n, end - begin, n, k); });
    return;
  }
  if (count(s.batch) == 0) return;
  const std::span<const int64_t> operands[] = {{s.a.data(), s.a.size() - 2}, {s.b.data(), s.b.size() - 2}};
  const Rows batches(s.batch, operands);
  batches.each([&](int64_t at, std::span<const int64_t> from) {
    for (int64_t i = 0; i < batches.length(); ++i)
      matrix_product(a + (from[0] + i * batches.advances(0)) * m * k, b + (from[1] + i * batches.advances(1)) * k * n, y + (at + i) * m * n, m, n, k);
  });
}

template void matmul(const RunContext&, const MatMulShape&, const float*, const float*, float*);
template void matmul(const RunContext&, const MatMulShape&, const double*, const double*, double*);
template void matmul(const RunContext&, const MatMulShape&, const int32_t*, const int32_t*, int32_t*);
template void matmul(const RunContext&, const MatMulShape&, const int64_t*, const int64_t*, int64_t*);
template void matmul(const RunContext&, const MatMulShape&, const uint32_t*, const uint32_t*, uint32_t*);
template void matmul(const RunContext&, const MatMulShape&, const uint64_t*, const uint64_t*, uint64_t*);

}  // namespace onward
