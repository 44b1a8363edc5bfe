#include "onward/estimators/gaussian_process_kernel.h"

#include <cmath>

namespace onward {
namespace {

enum class Kind : uint8_t { sum, product, power, constant, white, rbf, matern, rational_quadratic, sine, dot, pairwise };

constexpr std::pair<std::string_view, Kind> kinds[] = {
    {"Sum", Kind::sum},           {"Product", Kind::product}, {"Exponentiation", Kind::power},
    {"ConstantKernel", Kind::constant}, {"WhiteKernel", Kind::white}, {"RBF", Kind::rbf},
    {"Matern", Kind::matern},     {"RationalQuadratic", Kind::rational_quadratic},
    {"ExpSineSquared", Kind::sine}, {"DotProduct", Kind::dot},  {"PairwiseKernel", Kind::pairwise},
};
constexpr int deepest = 64;
constexpr int64_t most_kernels = 1000;

}  // namespace

struct GaussianProcessKernel::Node {
  Kind kind;
  std::vector<std::shared_ptr<const Node>> parts = {};
  Numbers length = {};                   // one, or one for each column
  double value = 1, other = 1;           // the constant, noise, exponent, period, σ₀ or γ; ν or α
  std::string metric = "linear";

  // Squared distance in units of the length, (batch, samples).
  Expr squared(Expr x, const Numbers& fitted) const {
    const int64_t m = fitted.dim(1);
    const auto unit = [&](int64_t i) { return length.size() == 1 ? length[0] : length[i % m]; };
    const Numbers scaled = Numbers::of(fitted.shape(), [&](int64_t i) { return fitted[i] / unit(i); });
    const Expr off = reshaped(x / Numbers::of({m}, unit), {0, 1, m}) - scaled;
    return sum(off * off, -1, false);
  }
  static Expr plain_squared(Expr x, const Numbers& fitted) {
    const Expr off = reshaped(x, {0, 1, fitted.dim(1)}) - fitted;
    return sum(off * off, -1, false);
  }

  Expr operator()(Expr x, const Numbers& fitted) const {
    switch (kind) {
      case Kind::sum:
        return (*parts[0])(x, fitted) + (*parts[1])(x, fitted);
      case Kind::product:
        return (*parts[0])(x, fitted) * (*parts[1])(x, fitted);
      case Kind::power:
        return power((*parts[0])(x, fitted), value);
      case Kind::constant:
        return everywhere(x, fitted, value);
      case Kind::white:
        return everywhere(x, fitted, 0);  // noise of other rows has nothing in common
      case Kind::rbf:
        return exp(-0.5 * squared(x, fitted));
      case Kind::matern:
        return matern(squared(x, fitted));
      case Kind::rational_quadratic:
        return power(1.0 + plain_squared(x, fitted) / (2 * other * length[0] * length[0]), -other);
      case Kind::sine: {
        const Expr wave = unary("Sin", M_PI / value * sqrt(plain_squared(x, fitted))) / length[0];
        return exp(-2.0 * (wave * wave));
      }
      case Kind::dot:
        return matmul(x, fitted.transposed()) + value * value;
      default:
        return pairwise(x, fitted);
    }
  }
  Expr diagonal(Expr x) const {
    const Expr zero = columns(x, {0}) * 0.0;
    switch (kind) {
      case Kind::sum:
        return parts[0]->diagonal(x) + parts[1]->diagonal(x);
      case Kind::product:
        return parts[0]->diagonal(x) * parts[1]->diagonal(x);
      case Kind::power:
        return power(parts[0]->diagonal(x), value);
      case Kind::constant:
      case Kind::white:
        return zero + value;
      case Kind::dot:
        return sum(x * x) + value * value;
      case Kind::pairwise:
        return metric == "linear" ? sum(x * x) : metric == "rbf" || metric == "laplacian" ? zero + 1.0 : polynomial(sum(x * x));
      default:
        return zero + 1.0;
    }
  }

 private:
  static Expr everywhere(Expr x, const Numbers& fitted, double value) {
    const Numbers all = Numbers::of({1, fitted.dim(0)}, [&](int64_t) { return value; });
    return columns(x, {0}) * 0.0 + all;
  }
  Expr matern(Expr squares) const {
    if (std::isinf(other)) return exp(-0.5 * squares);
    const Expr d = sqrt(squares);
    if (other == 0.5) return exp(negated(d));
    const Expr k = d * std::sqrt(2 * other);
    return (other == 1.5 ? 1.0 + k : 1.0 + k + k * k / 3.0) * exp(negated(k));
  }
  Expr polynomial(Expr product) const { return metric == "sigmoid" ? unary("Tanh", product * value + 1.0) : power(product * value + 1.0, 3.0); }
  Expr pairwise(Expr x, const Numbers& fitted) const {
    if (metric == "rbf") return exp(-value * plain_squared(x, fitted));
    if (metric == "laplacian") return exp(-value * sum(abs(reshaped(x, {0, 1, fitted.dim(1)}) - fitted), -1, false));
    const Expr product = matmul(x, fitted.transposed());
    return metric == "linear" ? product : polynomial(product);
  }
};

void GaussianProcessKernel::learned(Fields& f, std::string_view name, const plain::Value& v) {
  int64_t left = most_kernels;
  root_ = read(f, name, v, 0, left);
}

std::shared_ptr<const GaussianProcessKernel::Node> GaussianProcessKernel::read(Fields& f, std::string_view name, const plain::Value& v, int depth,
                                                                              int64_t& left) {
  if (depth > deepest || --left < 0) return f.bad(name, text("nests more than ", deepest, " or holds more than ", most_kernels, " kernels")), nullptr;
  const bool object = v.is(plain::Kind::object) && v.object->callee.is(plain::Kind::global);
  const plain::Global cls = object ? *v.object->callee.global : plain::Global{"", ""};
  const auto known = std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& k) { return k.first == cls.name; });
  if (known == std::end(kinds) || !cls.module.starts_with("sklearn.gaussian_process.kernels"))
    return f.refuse(name, text("is ", f.said(v)), "convertible: the kernels of sklearn.gaussian_process.kernels and their sums, products and powers"), nullptr;
  auto node = std::make_shared<Node>(Node{known->second});
  const auto number = [&](std::string_view field, double& into) {
    if (const auto value = v.find(field)) f.assign(text(name, ".", field), *value, into, {});
    else f.bad(text(name, ".", field), "is missing");
  };
  const auto part = [&](std::string_view field) {
    const auto value = v.find(field);
    if (!value) return f.bad(text(name, ".", field), "is missing"), false;
    node->parts.push_back(read(f, text(name, ".", field), *value, depth + 1, left));
    return node->parts.back() != nullptr;
  };
  const auto length = [&] {
    const auto value = v.find("length_scale");
    if (!value) return f.bad(text(name, ".length_scale"), "is missing");
    f.assign(text(name, ".length_scale"), *value, node->length, {});
    if (node->length && node->length.size() == 1) node->length = node->length.reshaped({1});
    else if (node->length) f.check(text(name, ".length_scale"), node->length.shape(), {"features"});
  };
  switch (node->kind) {
    case Kind::sum:
    case Kind::product:
      if (!part("k1") || !part("k2")) return nullptr;
      break;
    case Kind::power:
      number("exponent", node->value);
      if (!part("kernel")) return nullptr;
      break;
    case Kind::constant:
      number("constant_value", node->value);
      break;
    case Kind::white:
      number("noise_level", node->value);
      break;
    case Kind::dot:
      number("sigma_0", node->value);
      break;
    case Kind::pairwise: {
      number("gamma", node->value);
      if (const auto more = v.find("pairwise_kernels_kwargs"); more && !more->is(plain::Kind::none))
        f.refuse(text(name, ".pairwise_kernels_kwargs"), "is given", "convertible: None");
      const auto metric = v.find("metric");
      node->metric = metric ? std::string(metric->str()) : "";
      if (node->metric == "polynomial") node->metric = "poly";
      for (const std::string_view convertible : {"linear", "poly", "rbf", "laplacian", "sigmoid"})
        if (node->metric == convertible) return node;
      return f.refuse(text(name, ".metric"), text("is ", metric ? f.said(*metric) : "missing"), "convertible: linear, poly, rbf, laplacian, sigmoid"), nullptr;
    }
    default:
      length();
      if (node->kind == Kind::matern) number("nu", node->other);
      if (node->kind == Kind::rational_quadratic) number("alpha", node->other);
      if (node->kind == Kind::sine) number("periodicity", node->value);
  }
  const double nu = node->other;
  if (node->kind == Kind::matern && nu != 0.5 && nu != 1.5 && nu != 2.5 && !(std::isinf(nu) && nu > 0))
    f.refuse(text(name, ".nu"), text("is ", nu), "convertible: 0.5, 1.5, 2.5 and inf; others need Bessel functions, which ONNX does not have");
  if ((node->kind == Kind::sine || node->kind == Kind::rational_quadratic) && node->length && node->length.size() != 1)
    f.bad(text(name, ".length_scale"), text("has ", node->length.size(), " items; expected one"));
  return f.ok() ? node : nullptr;
}

Expr GaussianProcessKernel::operator()(Expr x, const Numbers& fitted) const { return (*root_)(x, fitted); }
Expr GaussianProcessKernel::diagonal(Expr x) const { return root_->diagonal(x); }

}  // namespace onward
