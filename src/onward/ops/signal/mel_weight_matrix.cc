// MelWeightMatrix: triangles that gather the bins of a spectrum into bands of equal width on the mel scale.
#include <cmath>
#include "onward/ops/convert.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct MelWeightMatrix : standard::MelWeightMatrix {
  void prepare(const Preparation&) const {
    element_type(output_datatype, T3.types);
  }
  void infer(Inference& io) const {
    const auto bands = io.sizes(0), length = io.sizes(1);
    if ((bands && bands->size() != 1) || (length && length->size() != 1)) invalid("num_mel_bins and dft_length are scalars");
    const int64_t n = bands ? (*bands)[0] : io.unknown(), bins = length ? io.add(io.divide((*length)[0], 2), 1) : io.unknown();
    if ((!is_symbol(n) && n < 0) || (!is_symbol(bins) && bins < 1)) invalid(n, " bands of ", bins, " bins");
    io.output(0, DataType(output_datatype), {bins, n});
  }
  void run(Call& call) const {
    double given[5];                                      // bands, length, rate, lower and upper edge
    for (size_t i = 0; i < 5; ++i) {
      if (call.tensor(i).size() != 1) invalid("input ", i, " is ", shown(call.tensor(i)), ", expected one number");
      given[i] = as_doubles(call.tensor(i))[0];
    }
    const Tensor& y = call.output(0);
    const int64_t bands = y.dims()[1], bins = y.dims()[0];
    const double low = mel(given[3]), step = (mel(given[4]) - low) / double(bands + 2);      // the standard's example divides so
    std::vector<int64_t> edges;
    for (int64_t i = 0; i < bands + 2; ++i) {
      const double hertz = 700 * (std::pow(10, (low + double(i) * step) / 2595) - 1), bin = std::floor((given[1] + 1) * hertz / given[2]);
      if (!(std::fabs(bin) < 1e15)) invalid("edges at ", given[3], " and ", given[4], " Hz for a rate of ", given[2]);
      edges.push_back(int64_t(bin));
    }
    for_type<T3.types>(y.type(), [&]<class E>() {
      E* const out = y.data<E>();
      std::fill_n(out, y.size(), E{});
      for (int64_t band = 0; band < bands; ++band) {
        const int64_t from = edges[size_t(band)], top = edges[size_t(band) + 1], to = edges[size_t(band) + 2];
        const auto set = [&](int64_t bin, double v) {
          if (bin < 0 || bin >= bins) return;
          if constexpr (std::is_integral_v<E>) convert(DataType::f64, &v, type_of<E>, out + bin * bands + band, 1);
          else out[bin * bands + band] = E(compute_t<E>(v));
        };
        if (from == top) set(top, 1);
        for (int64_t k = std::max(from, int64_t(0)); k <= std::min(top, bins - 1); ++k) if (top > from) set(k, double(k - from) / double(top - from));
        for (int64_t k = std::max(top, int64_t(0)); k < std::min(to, bins); ++k) if (to > top) set(k, double(to - k) / double(to - top));
      }
    });
  }

 private:
  static double mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
};

}  // namespace

Operators signal_mel_weight_matrix() { return {define<MelWeightMatrix>({.examples = {"int64 1, int64 8, int64 8, float 0, float 4 -> float [[0], [1], [0], [0], [0]]"}})}; }

}  // namespace onward::ops
