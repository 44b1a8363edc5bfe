// FlexAttention: attention whose scores and probabilities pass through subgraphs of the model.
#include <cmath>
#include "onward/ops/control.h"
#include "onward/ops/matrix_product.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct FlexAttention : standard::FlexAttention {
  std::shared_ptr<const Body> on_scores, on_probabilities;

  void prepare(const Preparation& at) {
    const auto compiled = [&](const GraphRef& body, std::string_view name) -> std::shared_ptr<const Body> {
      if (!body) return nullptr;
      if (body->inputs.size() != 1 || body->outputs.size() != 1) invalid(name, " has ", body->inputs.size(), " inputs and ", body->outputs.size(), " outputs, expected one each");
      return at.compile(body);
    };
    on_scores = compiled(score_mod, "score_mod"), on_probabilities = compiled(prob_mod, "prob_mod");
    if (softmax_precision) element_type(*softmax_precision, T1.types);
  }

  void infer(Inference& io) const {
    const Dims &q = io.dims(0), &k = io.dims(1), &v = io.dims(2);
    if (q.size() != 4 || k.size() != 4 || v.size() != 4) invalid("expected four axes, found shapes ", shown(q), ", ", shown(k), " and ", shown(v));
    if (!io.symbols && (q[0] != k[0] || q[0] != v[0] || q[3] != k[3] || k[1] != v[1] || k[2] != v[2] || k[1] == 0 || q[1] % k[1] != 0))
      invalid("queries, keys and values of shapes ", shown(q), ", ", shown(k), " and ", shown(v), " do not go together");
    io.output(0, io.inputs[0].type, {q[0], q[1], q[2], v[3]});
  }

  void run(Call& call) const {
    if (call.tensor(0).type() == DataType::f64) attend<double>(call);
    else attend<float>(call);
  }

 private:
  template <class C> void attend(Call& call) const {
    const Tensor q = as_type(call, call.tensor(0), type_of<C>), k = transposed(as_type(call, call.tensor(1), type_of<C>), {0, 1, 3, 2}), v = as_type(call, call.tensor(2), type_of<C>);
    const int64_t batch = q.dims()[0], heads = q.dims()[1], queries = q.dims()[2], width = q.dims()[3];
    const int64_t kv_heads = v.dims()[1], keys = v.dims()[2], v_width = v.dims()[3], group = heads / kv_heads;
    const auto kv = [&](int64_t row) { return row / heads * kv_heads + row % heads / group; };
    const DataType precision = softmax_precision ? DataType(*softmax_precision) : type_of<C>;
    const C factor = C(scale ? double(*scale) : 1 / std::sqrt(double(width)));
    Tensor scores = call.scratch(type_of<C>, {batch, heads, queries, keys});
    for (int64_t row = 0; row < batch * heads; ++row)
      matrix_product<C>(q.data<C>() + row * queries * width, k.data<C>() + kv(row) * width * keys, scores.data<C>() + row * queries * keys, queries, keys, width);
    for (C& x : scores.values<C>()) x *= factor;
    if (on_scores) scores = modified<C>(call, *on_scores, scores, precision);
    for (int64_t row = 0; row < batch * heads * queries; ++row) softmax(scores.data<C>() + row * keys, keys);
    if (on_probabilities) scores = modified<C>(call, *on_probabilities, scores, precision);
    const Tensor out = call.scratch(type_of<C>, call.output(0).dims());
    for (int64_t row = 0; row < batch * heads; ++row)
      matrix_product<C>(scores.data<C>() + row * queries * keys, v.data<C>() + kv(row) * keys * v_width, out.data<C>() + row * queries * v_width, queries, v_width, keys);
    store(out, call.output(0));
  }

  template <class C> static Tensor modified(const Call& call, const Body& body, const Tensor& x, DataType precision) {
    const std::vector<Value> arguments{as_type(call, x, precision)};
    const auto results = body.run(arguments, call);
    const Tensor& out = tensor_of(results[0], "modified tensor");
    if (out.dims() != x.dims()) invalid("a modifier made ", shown(out), " of shape ", shown(x.dims()));
    Tensor own = call.scratch(type_of<C>, out.dims());     // written to afterwards
    store(as_type(call, out, type_of<C>), own);
    return own;
  }

  template <class C> static void softmax(C* x, int64_t n) {
    C top = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; ++i) if (x[i] > top || x[i] != x[i]) top = x[i];
    for (int64_t i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - top);
    for (int64_t i = 0; i < n; ++i) x[i] /= sum;
  }
};

}  // namespace

Operators attention_flex_attention() { return {define<FlexAttention>({.tolerance = 1e-5})}; }

}  // namespace onward::ops
