// MatMul: matrix product of the last two axes, the others broadcast; a vector counts as a row on the left, a column on the right.
#include "onward/ops/broadcast.h"
#include "onward/ops/matrix_product.h"

namespace onward::ops {
namespace {

struct MatMul : standard::MatMul {
  struct Plan { Dims a, b, batch; bool row = false, column = false; };

  static Plan plan(std::span<const int64_t> a, std::span<const int64_t> b, Symbols* symbols = nullptr) {
    Plan p{{a.begin(), a.end()}, {b.begin(), b.end()}, {}, a.size() == 1, b.size() == 1};
    if (a.empty() || b.empty()) invalid("a scalar has no matrix product");
    if (p.row) p.a.insert(p.a.begin(), 1);
    if (p.column) p.b.push_back(1);
    const int64_t k = p.a.back(), other = p.b[p.b.size() - 2];
    if (k >= 0 && other >= 0 && k != other) invalid("cannot multiply " + shown(a) + " by " + shown(b));
    p.batch = broadcast(Dims(p.a.begin(), p.a.end() - 2), Dims(p.b.begin(), p.b.end() - 2), symbols);
    return p;
  }

  void infer(Inference& io) const {
    const Plan p = plan(io.dims(0), io.dims(1), io.symbols);
    Dims out = p.batch;
    if (!p.row) out.push_back(p.a[p.a.size() - 2]);
    if (!p.column) out.push_back(p.b.back());
    io.output(0, out);
  }

  template <class T> void run(const RunContext& context, In<T> a, In<T> b, Out<T> y) const {
    const Plan p = plan(a.dims, b.dims);
    const int64_t m = p.a[p.a.size() - 2], k = p.a.back(), n = p.b.back();
    const std::span<const int64_t> operands[] = {{p.a.data(), p.a.size() - 2}, {p.b.data(), p.b.size() - 2}};
    if (p.batch.empty()) {
      context.parallel(m, 0.05 * double(n * k), [&](int64_t begin, int64_t end) { matrix_product(a.data + begin * k, b.data, y.data + begin * n, end - begin, n, k); });
      return;
    }
    const Rows batches(p.batch, operands);
    if (y.size) batches.each([&](int64_t at, std::span<const int64_t> from) {
      for (int64_t i = 0; i < batches.length(); ++i)
        matrix_product(a.data + (from[0] + i * batches.advances(0)) * m * k, b.data + (from[1] + i * batches.advances(1)) * k * n, y.data + (at + i) * m * n, m, n, k);
    });
  }
};

}  // namespace

Operators nn_matmul() {
  return {define<MatMul, computed(MatMul::T)>({.tolerance = 1e-6, .examples = {
      "float [[1, 2], [3, 4]], float [1, 1] -> float [3, 7]", "int64 [[[1]], [[2]]], int64 [[5]] -> int64 [[[5]], [[10]]]"}})};
}

}  // namespace onward::ops
