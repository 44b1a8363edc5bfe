// onward.RadialKernel: exp(scale * max(|x|² - 2 x·s + |s|², 0)) of each row of X with each column s of a constant matrix, and where weights
// are given the product with them. Sessions make it of the MatMul, Mul, Sub, Add, Max, Mul, Exp and MatMul that say the same in standard
// operators (optimizer/passes/fuse_radial_kernel.cc), with the same bits, and without a tensor of all kernel values: those of some rows
// with `depth` columns stay in the first cache.
//
// X [n, k]; S [k, s]; lengths of X [n, 1]; lengths of S [s]; scale; W [s, m]. Output [n, m], or [n, s] without W.
#include <cstring>

#include "onward/ops/operator.h"
#include "onward/ops/matrix_product.h"
#include "onward/simd/math.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

constexpr int64_t depth = PackedMatrix<double>::depth, together = 12;     // columns of a chunk: what a product adds up at once; rows that pass over it

template <class T> struct KernelValues {
  [[gnu::always_inline]] static void run(T* products, const T* lengths, int64_t width, T length, T scale) {
    for (int64_t j = 0; j < width; ++j) {
      const T squared = (length - 2 * products[j]) + lengths[j];
      products[j] = simd::exp(scale * ((squared > 0) | (squared != squared) ? squared : T(0)));
    }
  }
};

template <class T> struct Chunk {
  PackedMatrix<T> columns, weights;     // of S, and those rows of W
};
template <class T> std::vector<Chunk<T>> chunks_of(const T* s, int64_t k, int64_t all, const T* w, int64_t m) {
  std::vector<Chunk<T>> out;
  for (int64_t first = 0; first < all; first += depth) {
    const int64_t width = std::min(depth, all - first);
    std::vector<T> columns(size_t(k * width));
    for (int64_t i = 0; i < k; ++i) std::copy_n(s + i * all + first, width, columns.data() + i * width);
    out.push_back({PackedMatrix<T>(columns.data(), k, width), w ? PackedMatrix<T>(w + first * m, width, m) : PackedMatrix<T>()});
  }
  return out;
}

struct RadialKernel {
  static constexpr Name standard_name{"onward", "RadialKernel", 1};
  static constexpr Constraint T{f32 | f64, 0};
  std::vector<Chunk<float>> single;     // of constants
  std::vector<Chunk<double>> twice;

  void read(const Attributes&) {}
  void prepare(const Preparation& at) {
    const Tensor *s = at.input(1), *w = at.input(5);
    if (!s || s->rank() != 2 || s->size() == 0 || (at.node.inputs.size() > 5 && (!w || w->rank() != 2 || w->dims()[0] != s->dims()[1] || w->type() != s->type()))) return;
    const int64_t k = s->dims()[0], all = s->dims()[1], m = w ? w->dims()[1] : 0;
    if (s->type() == DataType::f32) single = chunks_of(s->data<float>(), k, all, w ? w->data<float>() : nullptr, m);
    if (s->type() == DataType::f64) twice = chunks_of(s->data<double>(), k, all, w ? w->data<double>() : nullptr, m);
  }
  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &s = io.dims(1), &x_lengths = io.dims(2), &s_lengths = io.dims(3), &scale = io.dims(4);
    const auto differ = [](int64_t a, int64_t b) { return !is_symbol(a) && !is_symbol(b) && a != b; };
    if (x.size() != 2 || s.size() != 2 || differ(x[1], s[0])) invalid("cannot multiply ", shown(x), " by ", shown(s));
    if (x_lengths.size() != 2 || differ(x_lengths[0], x[0]) || differ(x_lengths[1], 1)) invalid("lengths ", shown(x_lengths), " for rows ", shown(x));
    if (s_lengths.size() != 1 || differ(s_lengths[0], s[1])) invalid("lengths ", shown(s_lengths), " for columns ", shown(s));
    if (io.product(scale) != 1) invalid("a scale of shape ", shown(scale), ", expected one number");
    for (size_t i = 1; i < 6; ++i) if ((i < 5 || io.has(5)) && io.type(i) != io.type(0)) invalid("input ", i, " is of another type than X");
    if (io.has(5) && (io.dims(5).size() != 2 || differ(io.dims(5)[0], s[1]))) invalid("weights ", shown(io.dims(5)), " for columns ", shown(s));
    io.output(0, io.type(0), {x[0], io.has(5) ? io.dims(5)[1] : s[1]});
  }
  template <class T> void run(const RunContext& context, In<T> x, In<T> s, In<T> x_lengths, In<T> s_lengths, In<T> scale, In<T> w, Out<T> y) const {
    std::fill(y.begin(), y.end(), T(0));
    if (y.size == 0 || s.size == 0) return;
    std::vector<Chunk<T>> own;
    const std::vector<Chunk<T>>* chunks = nullptr;
    if constexpr (std::is_same_v<T, float>) chunks = &single;
    else chunks = &twice;
    if (chunks->empty()) own = chunks_of<T>(s.data, s.dims[0], s.dims[1], w ? w.data : nullptr, w ? w.dims[1] : 0), chunks = &own;
    const int64_t n = x.dims[0], k = x.dims[1], m = y.dims[1];
    context.parallel((n + together - 1) / together, double(together * s.size) * 0.1, [&](int64_t begin, int64_t end) {
      std::vector<T> values(size_t(together * depth)), part(size_t(w ? together * m : 0));
      for (int64_t i = begin * together; i < std::min(n, end * together); i += together) {
        context.check();
        const int64_t rows = std::min(together, n - i);
        for (size_t c = 0; c < chunks->size(); ++c) {
          const auto& [columns, weights] = (*chunks)[c];
          const int64_t first = int64_t(c) * depth, width = columns.columns();
          columns.product(x.data + i * k, values.data(), rows);
          for (int64_t r = 0; r < rows; ++r)
            simd::Compiled<KernelValues<T>, T*, const T*, int64_t, T, T>::best(values.data() + r * width, s_lengths.data + first, width, x_lengths[i + r], scale[0]);
          if (!w) for (int64_t r = 0; r < rows; ++r) std::copy_n(values.data() + r * width, width, y.data + (i + r) * m + first);
          else if (c == 0) weights.product(values.data(), y.data + i * m, rows);
          else {
            weights.product(values.data(), part.data(), rows);
            for (int64_t e = 0; e < rows * m; ++e) y[i * m + e] += part[size_t(e)];
          }
        }
      }
    });
  }
};

}  // namespace

Operators ml_radial_kernel() {
  return {define<RadialKernel, RadialKernel::T>({.tolerance = 1e-6, .examples = {
      "double [[1, 2]], double [[1, 1], [2, 0]], double [[5]], double [5, 1], double -0.5 -> double [[1, 0.1353352832366127]]",
      "float [[1, 2]], float [[1, 1], [2, 0]], float [[5]], float [5, 1], float -0.5, float [[3], [0]] -> float [[3]]"}})};
}

}  // namespace onward::ops
