// Scan: runs a subgraph for every slice of its scan inputs, along any axis in either direction; carries states, stacks scan outputs.
// onward.ScanBatches: the form of opset 8, which does that for every entry of a leading batch axis, up to its own length.
#include <numeric>
#include "onward/ops/control.h"
#include "onward/ops/transpose.h"

namespace onward::ops {
namespace {

// Slice i along an axis, without that axis. Of the first axis it is read where it is.
Tensor slice(const Call& call, const std::shared_ptr<const Tensor>& of, int64_t axis, int64_t i) {
  const Tensor& x = *of;
  const int64_t outer = product(x.dims(), 0, axis), n = x.dims()[size_t(axis)], inner = product(x.dims(), axis + 1, x.rank());
  Dims dims = x.dims();
  dims.erase(dims.begin() + axis);
  if (axis == 0) return Tensor::view(x.type(), dims, x.data<char>() + size_t(i * inner) * size_of(x.type()), of);
  Tensor out = call.scratch(x.type(), dims);
  for_type<detail::widths>(detail::width_type(x.type()), [&]<class T>() {
    for (int64_t row = 0; row < outer; ++row) std::copy_n(x.data<T>() + (row * n + i) * inner, inner, out.data<T>() + row * inner);
  });
  return out;
}

// The axis in front moved to `axis`.
Tensor with_axis_at(const Tensor& x, int64_t axis) {
  if (axis == 0) return x;
  Dims perm(x.dims().size());
  std::iota(perm.begin(), perm.end(), 0);
  std::rotate(perm.begin(), perm.begin() + 1, perm.begin() + axis + 1);
  return transposed(x, perm);
}

struct Loop {
  std::shared_ptr<const Body> body;
  GraphRef graph;
  size_t states = 0, scans = 0, results = 0;              // carried values, scan inputs, scan outputs
  std::vector<int64_t> in_directions, out_directions, in_axes, out_axes;

  void prepare(const Preparation& at, size_t inputs, const GraphRef& of, int64_t scan_inputs) {
    if (!of) invalid("has no body");
    if (scan_inputs < 1 || size_t(scan_inputs) > inputs) invalid("num_scan_inputs is ", scan_inputs, " of ", inputs, " inputs");
    graph = of, scans = size_t(scan_inputs), states = inputs - scans;
    if (graph->inputs.size() != inputs) invalid("the body has ", graph->inputs.size(), " inputs, expected ", inputs);
    if (graph->outputs.size() < states) invalid("the body has ", graph->outputs.size(), " outputs, expected ", states, " at least");
    results = graph->outputs.size() - states;
    const auto complete = [](std::vector<int64_t>& list, size_t n, std::string_view name, bool direction) {
      if (list.empty()) list.resize(n);
      if (list.size() != n) invalid(name, " has ", list.size(), " elements, expected ", n);
      for (int64_t v : list) if (direction && v != 0 && v != 1) invalid(name, " has ", v, ", expected 0 or 1");
    };
    complete(in_directions, scans, "scan_input_directions", true), complete(out_directions, results, "scan_output_directions", true);
    complete(in_axes, scans, "scan_input_axes", false), complete(out_axes, results, "scan_output_axes", false);
    body = at.compile(graph);
  }

  // The same before a run.
  std::vector<Fact> infer(std::vector<Fact> values, Symbols& symbols) const {
    int64_t steps = 0;
    for (size_t k = 0; k < scans; ++k) {
      Fact& x = values[states + k];
      if (!x.dims) return {};
      const auto at = size_t(axis_of(in_axes[k], int64_t(x.dims->size())));
      if (k == 0 || is_symbol(steps)) steps = (*x.dims)[at];
      x.dims->erase(x.dims->begin() + at);
      x.value = nullptr, x.sizes = std::nullopt;
    }
    const std::vector<Fact> before = values;
    auto found = infer_iterations(*body, values, 0, 0, states, symbols);
    if (found.size() < states + results) return {};
    for (size_t k = 0; k < states; ++k) found[k] = joined(before[k], found[k], &symbols);
    for (size_t k = 0; k < results; ++k) found[states + k] = infer_stacked(found[states + k], out_axes[k], steps);
    return found;
  }

  // `values`: states, then scan inputs. Answers states, then scan outputs.
  std::vector<Value> run(const Call& call, std::vector<Value> values) const {
    int64_t steps = -1;
    for (size_t k = 0; k < scans; ++k) {
      const Tensor& x = tensor_of(values[states + k], "scan input");
      const int64_t n = x.dims()[size_t(axis_of(in_axes[k], x.rank()))];
      if (steps >= 0 && n != steps) invalid("scan inputs have ", steps, " and ", n, " slices");
      steps = n;
    }
    std::vector<std::shared_ptr<const Tensor>> inputs;
    for (size_t k = 0; k < scans; ++k) inputs.push_back(std::make_shared<const Tensor>(*values[states + k].tensor()));
    std::vector<Stack> scanned(results, Stack(steps));
    std::vector<Value> arguments(values.begin(), values.begin() + long(states));
    arguments.resize(states + scans);
    for (int64_t step = 0; step < steps; ++step) {
      call.context.check();
      for (size_t k = 0; k < scans; ++k) {
        arguments[states + k] = slice(call, inputs[k], axis_of(in_axes[k], inputs[k]->rank()), in_directions[k] ? steps - 1 - step : step);
      }
      auto out = body->run(arguments, call);
      std::move(out.begin(), out.begin() + long(states), arguments.begin());
      for (size_t k = 0; k < results; ++k) scanned[k].put(call, out_directions[k] ? steps - 1 - step : step, out[states + k]);
    }
    arguments.resize(states);
    for (size_t k = 0; k < results; ++k) {
      const Tensor joined = scanned[k].all(graph->outputs[states + k].type);
      arguments.push_back(with_axis_at(joined, axis_of(out_axes[k], joined.rank())));
    }
    return arguments;
  }
};

void answer(Call& call, std::vector<Value> results) {
  for (size_t i = 0; i < std::min(call.outputs.size(), results.size()); ++i) call.outputs[i] = std::move(results[i]);
}

struct Scan : standard::Scan {
  Loop loop;

  void prepare(const Preparation& at) {
    loop.in_directions = scan_input_directions, loop.out_directions = scan_output_directions;
    loop.in_axes = scan_input_axes, loop.out_axes = scan_output_axes;
    loop.prepare(at, at.node.inputs.size(), body, num_scan_inputs);
  }
  void infer(Inference& io) const {
    if (!io.symbols) return;
    const auto found = loop.infer({io.inputs.begin(), io.inputs.end()}, *io.symbols);
    for (size_t k = 0; k < std::min(found.size(), io.outputs.size()); ++k) io.output_fact(k, found[k]);
  }
  void run(Call& call) const {
    std::vector<Value> values;
    for (const Value* input : call.inputs) values.push_back(input ? *input : Value());
    answer(call, loop.run(call, std::move(values)));
  }
};

struct ScanBatches {
  static constexpr Name standard_name{"onward", "ScanBatches", 1};
  GraphRef body;
  std::vector<int64_t> directions;
  int64_t num_scan_inputs = 0;
  Loop loop;
  void read(const Attributes& from) { from.read("body", body), from.read("directions", directions), from.read("num_scan_inputs", num_scan_inputs); }

  void prepare(const Preparation& at) {
    if (at.node.inputs.empty()) invalid("has no input");
    loop.in_directions = directions;
    loop.prepare(at, at.node.inputs.size() - 1, body, num_scan_inputs);
  }
  void infer(Inference& io) const {
    if (!io.symbols || io.inputs.size() < 2) return;
    const int64_t batch = io.dims(1).empty() ? 0 : io.dims(1)[0];
    std::vector<Fact> values;
    for (size_t i = 1; i < io.inputs.size(); ++i) {
      if (io.dims(i).empty()) return;
      values.push_back({.type = io.type(i), .dims = Dims(io.dims(i).begin() + 1, io.dims(i).end())});
    }
    const auto found = loop.infer(std::move(values), *io.symbols);
    for (size_t k = 0; k < std::min(found.size(), io.outputs.size()); ++k) io.output_fact(k, infer_stacked(found[k], 0, batch));
  }
  void run(Call& call) const {
    const Tensor& first = call.tensor(1);
    if (first.rank() < 1) invalid("input 1 has no batch axis");
    const int64_t batch = first.dims()[0];
    const auto lengths = call.has(0) ? integers(call.tensor(0)) : std::vector<int64_t>();
    if (call.has(0) && int64_t(lengths.size()) != batch) invalid(lengths.size(), " sequence lengths for a batch of ", batch);
    std::vector<std::vector<Value>> all(loop.states + loop.results);
    for (int64_t b = 0; b < batch; ++b) {
      std::vector<Value> values;
      for (size_t i = 1; i < call.inputs.size(); ++i) {
        const Tensor& x = call.tensor(i);
        if (x.rank() < 1 || x.dims()[0] != batch) invalid("input ", i, " is ", shown(x), ", expected a batch of ", batch);
        values.push_back(slice(call, std::make_shared<const Tensor>(x), 0, b));
      }
      const int64_t steps = values.back().tensor()->rank() ? values.back().tensor()->dims()[0] : 0;
      auto results = loop.run(call, lengths.empty() ? values : cut(call, values, lengths[size_t(b)], steps));
      for (size_t k = 0; k < all.size(); ++k) all[k].push_back(k < loop.states || lengths.empty() ? std::move(results[k]) : Value(padded(call, *results[k].tensor(), steps)));
    }
    std::vector<Value> joined;
    for (size_t k = 0; k < all.size(); ++k) joined.push_back(stacked(call, all[k], loop.graph->outputs[k].type));
    answer(call, std::move(joined));
  }

 private:
  std::vector<Value> cut(const Call& call, std::vector<Value> values, int64_t length, int64_t steps) const {
    if (length < 0 || length > steps) invalid("a sequence length of ", length, " in ", steps, " steps");
    for (size_t k = loop.states; k < values.size(); ++k) values[k] = resized(call, *values[k].tensor(), length);
    return values;
  }
  static Tensor padded(const Call& call, const Tensor& x, int64_t steps) { return resized(call, x, steps); }
  // The first `n` rows, with zeros where there are fewer.
  static Tensor resized(const Call& call, const Tensor& x, int64_t n) {
    if (x.rank() < 1) invalid("a scan input has no axis to scan along");
    Dims dims = x.dims();
    dims[0] = n;
    Tensor out = call.scratch(x.type(), dims);
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class T>() {
      std::fill_n(std::copy_n(x.data<T>(), std::min(x.size(), out.size()), out.data<T>()), std::max(out.size() - x.size(), int64_t(0)), T{});
    });
    return out;
  }
};

}  // namespace

Operators control_scan() { return {define<Scan>({.upgrades = {{9, "ScanBatches"}}}), define<ScanBatches>()}; }

}  // namespace onward::ops
