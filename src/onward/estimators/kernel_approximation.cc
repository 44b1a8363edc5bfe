// Maps whose inner products come near to a kernel: by some of the training rows, by random waves, by sketches.
#include <cmath>

#include "onward/estimators/dense_algebra.h"
#include "onward/estimators/pairwise_kernel.h"

namespace onward {

struct Nystroem {
  PairwiseKernel kernel;
  Numbers basis, normalization;

  void learned(Fields& f) {
    kernel.learned(f);
    if (kernel.kind == PairwiseKernel::Kind::precomputed)
      return f.refuse("kernel", "is precomputed, of which the library takes no rows to answer for", "convertible: the named kernels");
    f("components_", basis, {"basis", "features"});
    f("normalization_", normalization, {"basis", "basis"});
  }
  Outputs operator()(Expr x) const { return components(matmul(kernel(x, basis), normalization.transposed())); }
};

struct RBFSampler {
  Numbers weights, offset;

  void learned(Fields& f) {
    f("random_weights_", weights, {"features", "components"});
    f("random_offset_", offset, {"components"});
  }
  Outputs operator()(Expr x) const { return waves(x, std::sqrt(2.0 / double(offset.size()))); }

 protected:
  Outputs waves(Expr x, double height) const { return components(unary("Cos", matmul(x, weights) + offset) * height); }
};

struct SkewedChi2Sampler : RBFSampler {
  double skewedness = 1;

  void learned(Fields& f) {
    RBFSampler::learned(f);
    f("skewedness", skewedness);
  }
  // The library refuses what is not above -skewedness; here that is NaN.
  Outputs operator()(Expr x) const { return waves(log(x + skewedness), std::sqrt(2.0) / std::sqrt(double(offset.size()))); }
};

struct AdditiveChi2Sampler {
  int64_t steps = 2;
  double interval = 0;

  void learned(Fields& f) {
    f("sample_steps", steps);
    if (steps < 1 || steps > 10'000) return f.bad("sample_steps", text("is ", steps));
    if (f.given("sample_interval")) return f("sample_interval", interval);
    if (steps > 3) return f.bad("sample_interval", text("is missing, and ", steps, " steps have no usual one"));
    interval = steps == 1 ? 0.8 : steps == 2 ? 0.5 : 0.4;
  }
  Outputs operator()(const Frame& frame) const {
    const Expr x = frame.numbers(), none = equal(x, 0.0), turn = interval * log(x), length = 2.0 * x * interval;
    std::vector<Expr> parts{sqrt(x * interval)};
    std::vector<std::string> names;
    const auto name = [&](const std::string& kind) {
      for (int64_t i = 0; i < frame.size(); ++i) names.push_back(text("additivechi2sampler_", frame.name(i), "_", kind));
    };
    name("sqrt");
    for (int64_t j = 1; j < steps; ++j) {
      const Expr factor = sqrt(length / std::cosh(M_PI * double(j) * interval));
      for (const auto& [wave, kind] : {std::pair{"Cos", "cos"}, {"Sin", "sin"}}) {
        parts.push_back(where(none, 0.0, factor * unary(wave, double(j) * turn)));
        name(text(kind, j));
      }
    }
    Frame out(concat(parts), names);
    out.sparse = frame.sparse;
    return transformed(out);
  }
};

// A product of polynomials modulo x^n - 1, each made of the row's items at random places: one product of spectra, and back.
struct PolynomialCountSketch {
  Array<int64_t> place, sign;  // (degree, features): where each item goes and with which sign
  double gamma = 1, coef0 = 0;
  int64_t n = 100;

  void learned(Fields& f) {
    f("gamma", gamma);
    f("coef0", coef0);
    f("n_components", n);
    f("indexHash_", place, {"degree", "items"});
    f("bitHash_", sign, {"degree", "items"});
    if (!f.ok()) return;
    if (n < 1 || n > most_components) return f.refuse("n_components", text("is ", n), text("convertible: up to ", most_components));
    if (f.facts().n_features_in >= 0 && place.dim(1) != f.facts().n_features_in + (coef0 != 0))
      return f.bad("indexHash_", text("places ", place.dim(1), " items of ", f.facts().n_features_in, " columns"));
    if (place.size() > most_waves / (n / 2 + 1)) return f.refuse("n_components", text("is ", n, " for ", place.size(), " places"), "convertible: fewer of either");
    for (int64_t p : place)
      if (p < 0 || p >= n) return f.bad("indexHash_", text("names place ", p, " of ", n));
  }
  Outputs operator()(Expr x) const {
    const int64_t features = x.columns(), half = n / 2 + 1;
    std::optional<Expr> re, im;
    for (int64_t d = 0; d < place.dim(0); ++d) {
      const auto wave = [&](int64_t item, int64_t k, bool sine) {
        const double angle = 2 * M_PI * double(place(d, item) * k % n) / double(n);
        return double(sign(d, item)) * (sine ? -std::sin(angle) : std::cos(angle));
      };
      const auto spectrum = [&](bool sine) {
        const Expr y = matmul(x * std::sqrt(gamma), Numbers::of({features, half}, [&](int64_t i) { return wave(i / half, i % half, sine); }));
        return coef0 == 0 ? y : y + Numbers::of({half}, [&](int64_t k) { return std::sqrt(coef0) * wave(features, k, sine); });
      };
      const Expr a = spectrum(false), b = spectrum(true);
      const Expr real = re ? *re * a - *im * b : a;
      im = re ? *re * b + *im * a : b;
      re = real;
    }
    // The other half of a real signal's spectrum is this one mirrored.
    const auto back = [&](bool sine) {
      return Numbers::of({half, n}, [&](int64_t i) {
        const int64_t k = i / n, t = i % n;
        const double angle = 2 * M_PI * double(k * t % n) / double(n), weight = k == 0 || 2 * k == n ? 1 : 2;
        return weight / double(n) * (sine ? -std::sin(angle) : std::cos(angle));
      });
    };
    return components(matmul(*re, back(false)) + matmul(*im, back(true)));
  }

 private:
  static constexpr int64_t most_components = 4096, most_waves = int64_t{1} << 26;
};

Definitions kernel_approximation_estimators() {
  return {
      reads<Nystroem>("sklearn.kernel_approximation.Nystroem",
                      {.cases = {"(n_components=8, random_state=0)", "(kernel='poly', degree=2, n_components=5, random_state=0)",
                                 "(kernel='sigmoid', gamma=0.01, n_components=4, random_state=0)", "(kernel='laplacian', n_components=8, random_state=0)",
                                 "(kernel='cosine', n_components=3, random_state=0)", "(kernel='linear', n_components=3, random_state=0)"},
                       .data = "clean",
                       .tolerance = 1e-12}),
      reads<Nystroem>("sklearn.kernel_approximation.Nystroem",
                      {.cases = {"(kernel='chi2', n_components=6, random_state=0)", "(kernel='additive_chi2', n_components=3, random_state=0)"},
                       .data = "ratings",
                       .tolerance = 1e-12}),
      reads<RBFSampler>("sklearn.kernel_approximation.RBFSampler",
                        {.cases = {"(n_components=20, random_state=0)", "(gamma='scale', n_components=7, random_state=0)"}, .data = "clean", .tolerance = 1e-12}),
      reads<SkewedChi2Sampler>("sklearn.kernel_approximation.SkewedChi2Sampler",
                               {.cases = {"(skewedness=0.1, n_components=9, random_state=0)"}, .data = "ratings", .tolerance = 1e-12}),
      reads<AdditiveChi2Sampler>("sklearn.kernel_approximation.AdditiveChi2Sampler",
                                 {.cases = {"()", "(sample_steps=1)", "(sample_steps=4, sample_interval=0.3)"}, .data = "ratings", .tolerance = 1e-12}),
      reads<PolynomialCountSketch>("sklearn.kernel_approximation.PolynomialCountSketch",
                                   {.cases = {"(random_state=0)", "(degree=3, gamma=0.5, coef0=1, n_components=15, random_state=0)"}, .data = "clean", .tolerance = 1e-12}),
  };
}

}  // namespace onward
