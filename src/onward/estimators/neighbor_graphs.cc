// Neighbours as columns: a column for every row of the training data, which says whether it is near, or how far it is.
#include "onward/estimators/nearest_neighbors.h"

namespace onward {

void NearestNeighbors::learned(Fields& f) {
  f("_fit_X", fitted, {"samples", "features"});
  f("n_neighbors", k);
  distance.learned(f, "effective_metric_", "effective_metric_params_", fitted);
}
NearestNeighbors::Found NearestNeighbors::nearest(Expr x, int64_t count) const {
  if (count < 1 || count > fitted.dim(0)) fail(Code::bad_file, "asks for ", count, " neighbours of ", fitted.dim(0), " rows");
  const auto [ordered, indices] = smallest(distance.comparable(x, fitted), count);
  return {indices, distance.from_comparable(ordered)};
}
Outputs NearestNeighbors::operator()(Expr x) const {
  const Found found = nearest(x, k);
  Outputs out;
  out.distances = found.distances, out.neighbors = found.rows;
  return out;
}

struct KNeighborsTransformer : NearestNeighbors {
  bool far = true;

  void learned(Fields& f) {
    NearestNeighbors::learned(f);
    f.choice("mode", far, {{"distance", true}, {"connectivity", false}});
  }
  Outputs operator()(Expr x) const {
    const Found found = nearest(x, k + far);  // a row of the training data is its own neighbour, of no distance
    const Expr none = distance.comparable(x, fitted) * 0.0, values = far ? found.distances : cast(found.rows >= 0.0, DataType::f64);
    Outputs out = components(x.graph->add("ScatterElements", {none, found.rows, values}, {{"axis", int64_t{1}}}, Result{DataType::f64, none.shape()}));
    out.distances = found.distances, out.neighbors = found.rows;
    return out;
  }
};

struct RadiusNeighborsTransformer : NearestNeighbors {
  bool far = true;
  double radius = 1;

  void learned(Fields& f) {
    f("_fit_X", fitted, {"samples", "features"});
    f("radius", radius);
    f.choice("mode", far, {{"distance", true}, {"connectivity", false}});
    distance.learned(f, "effective_metric_", "effective_metric_params_", fitted);
  }
  Outputs operator()(Expr x) const {
    const Expr d = distance.comparable_in_order(x, fitted), within = d <= distance.to_comparable(radius);
    return components(far ? where(within, distance.from_comparable(d), 0.0) : cast(within, DataType::f64));
  }
};

Definitions neighbor_graphs_estimators() {
  return {
      reads<NearestNeighbors>("sklearn.neighbors.NearestNeighbors", {.cases = {}}),
      reads<KNeighborsTransformer>("sklearn.neighbors.KNeighborsTransformer",
                                   {.cases = {"(n_neighbors=4)", "(mode='connectivity', n_neighbors=3, metric='manhattan')"}, .data = "clean", .tolerance = 1e-12}),
      reads<RadiusNeighborsTransformer>("sklearn.neighbors.RadiusNeighborsTransformer",
                                        {.cases = {"(radius=1.5)", "(mode='connectivity', radius=2.0)"}, .data = "clean", .tolerance = 1e-12}),
  };
}

}  // namespace onward
