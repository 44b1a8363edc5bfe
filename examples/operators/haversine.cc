// A shared library with one operator, the distance in kilometres between points on the globe:
//   c++ -std=c++17 -O2 -fPIC -shared -I include examples/operators/haversine.cc -o libhaversine.so
//   onward predict model.onnx data.csv --operators ./libhaversine.so -o out.csv
#include <cmath>

#include "onward/operators.hpp"

namespace custom = onward::custom;

struct Haversine {
  double radius;
  explicit Haversine(const custom::Node& node) : radius(node.number("radius")) {}

  void infer(custom::Inference& io) const {
    for (size_t i = 0; i < 2; ++i)
      if (io.rank(i) != 2) throw std::invalid_argument("points are a matrix of latitudes and longitudes in degrees");
    io.output(0, {io.dims(0)[0]});
  }

  void run(custom::Call& call) const {
    const auto from = call.input(0), to = call.input(1);
    const auto rows = from.dims()[0];
    if (to.dims() != from.dims() || from.dims()[1] != 2) throw std::invalid_argument("expected as many points to go to as to come from");
    const double *a = from.data<double>(), *b = to.data<double>();
    double* out = call.output(0).data<double>();
    call.parallel(rows, 100, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = distance(a[2 * i], a[2 * i + 1], b[2 * i], b[2 * i + 1]);
    });
  }

  double distance(double lat1, double lon1, double lat2, double lon2) const {
    const double degree = std::acos(-1.0) / 180, dlat = (lat2 - lat1) * degree / 2, dlon = (lon2 - lon1) * degree / 2;
    const double h = std::sin(dlat) * std::sin(dlat) + std::cos(lat1 * degree) * std::cos(lat2 * degree) * std::sin(dlon) * std::sin(dlon);
    return 2 * radius * std::asin(std::sqrt(h));
  }
};

extern "C" ONWARD_API onward_status* onward_register_operators(const onward_extension_api* api, onward_operators* operators) {
  return custom::add_operators(api, operators, [](custom::Operators& all) {
    all.add<Haversine>("com.example", "Haversine", 1, "from:double to:double", "kilometres:double", "radius:FLOAT=6371");
  });
}
