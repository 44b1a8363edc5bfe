// Every operator is tested by being defined: nothing here names one.
//   examples   each example, on each instruction set
//   meaning    the kernel against the standard's definition in simpler operators, on awkward numbers and sizes
//   targets    AVX2 and AVX-512 agree bit for bit
//   symbols    shape inference with one size unknown agrees with what is known of the real shape
#include <gtest/gtest.h>

#include <cmath>

#include "examples.h"
#include "onward/ops/convert.h"
#include "onward/ops/evaluate.h"
#include "onward/ops/upgrade.h"
#include "onward/runtime/program.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

std::vector<double> doubles(const Tensor& t) {
  std::vector<double> out(size_t(t.size()));
  convert(t.type(), t.raw(), DataType::f64, out.data(), t.size());
  return out;
}

// How far apart, relative to the larger of 1 and the expected; infinite when types or shapes differ.
double distance(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type() || a.dims() != b.dims()) return INFINITY;
  if (a.type() == DataType::str) return std::equal(a.data<std::string>(), a.data<std::string>() + a.size(), b.data<std::string>()) ? 0 : INFINITY;
  if (contains(complex_types, a.type())) return std::memcmp(a.raw(), b.raw(), a.bytes()) == 0 ? 0 : INFINITY;
  const auto x = doubles(a), y = doubles(b);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    const double d = std::fabs(x[i] - y[i]) / std::max(1.0, std::fabs(y[i]));
    worst = std::max(worst, std::isnan(d) ? INFINITY : d);
  }
  return worst;
}

bool same_bits(const Value& a, const Value& b) {
  const Tensor *x = a.tensor(), *y = b.tensor();
  if (!x || !y || x->type() == DataType::str) return true;
  return x->type() == y->type() && x->dims() == y->dims() && std::memcmp(x->raw(), y->raw(), x->bytes()) == 0;
}

std::vector<Value> run(const Graph& graph) { return Program(graph).run({}, {}); }

void test_symbols(const Operator& op, const Example& example) {
  const Node& node = example.graph.nodes[0];
  const auto constant = [&](std::string_view name) { const auto it = example.graph.initializers.find(name); return it == example.graph.initializers.end() ? nullptr : &it->second; };
  const auto compile = [](const GraphRef&) -> std::shared_ptr<const Body> { return nullptr; };
  const auto self = op.create({node, constant, compile});
  std::vector<Fact> facts;
  for (const auto& name : node.inputs) { const Tensor* t = constant(name); facts.push_back(t ? Fact{t->type(), t->dims(), t, {}} : Fact{}); }
  const NodeTypes types(signature(node.domain, node.op), node.outputs.size());
  for (Fact& changed : facts) for (size_t axis = 0; changed.dims && axis < changed.dims->size(); ++axis) {
    const Fact before = changed;
    Symbols symbols;
    changed.value = nullptr;
    (*changed.dims)[axis] = symbols.named("n");
    std::vector<Fact> outputs(node.outputs.size());
    types.begin(facts, outputs);
    Inference io{facts, outputs, &symbols};
    try {
      op.infer(self.get(), io);
    } catch (const NothingKnown&) {
    }
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (!outputs[k].dims) continue;
      const Dims &found = *outputs[k].dims, &real = example.expected[k].dims();
      bool agrees = found.size() == real.size();
      for (size_t i = 0; agrees && i < found.size(); ++i) agrees = is_symbol(found[i]) || found[i] == real[i];
      EXPECT_TRUE(agrees) << op.name.op << " with an unknown size infers " << symbols.shown(found) << ", really " << shown(real);
    }
    changed = before;
  }
}

Tensor awkward(int64_t n) {
  Tensor t(DataType::f32, {n});
  constexpr float special[] = {0.0f, -0.0f, 1, -1, INFINITY, -INFINITY, NAN, 1e-38f, 1e-45f, -1e30f};
  for (int64_t i = 0; i < n; ++i) t.data<float>()[i] = i % 7 == 3 ? special[size_t(i / 7) % std::size(special)] : float((i * 7919 % 1601) - 800) / 100;
  return t;
}

// The kernel's graph and the standard's definition of it, on the same inputs; nothing for operators that only an example can feed.
std::optional<std::pair<Graph, Graph>> kernel_and_meaning(const Operator& op, int64_t n) {
  const Signature* form = signature(op.name.domain, op.name.op);
  if (!form || form->body.empty()) return std::nullopt;
  const auto in = ports(form->inputs);
  if (in.size() > 2 || in.back().kind == '*') return std::nullopt;
  // Lists that have a default are axes, and more of them than a vector has.
  for (const auto& a : attribute_facts(form->attributes)) if (a.required || (a.type == "INTS" && !a.default_text.empty())) return std::nullopt;
  Graph kernel;
  Node node{.domain = std::string(op.name.domain), .op = std::string(op.name.op), .outputs = {"y"}};
  for (const Port& port : in) if (port.kind == 0) node.inputs.push_back(std::string(port.name)), kernel.initializers[node.inputs.back()] = awkward(n);
  kernel.nodes = {node};
  kernel.outputs = {{"y", {}, {}}};
  auto definition = meaning(node);
  for (const auto& [name, tensor] : kernel.initializers) definition->initializers[name] = tensor;
  return std::pair(kernel, *definition);
}

class Target : public testing::TestWithParam<simd::Target> {
 protected:
  void SetUp() override { simd::limit(GetParam()); }
  void TearDown() override { simd::limit(simd::Target::avx512); }
};

TEST_P(Target, ExamplesHold) {
  for (const Operator& op : all_operators())
    for (auto text : op.facts.examples) {
      try {
        const Example example = parse_example(op, text);
        const auto results = run(example.graph);
        ASSERT_EQ(results.size(), example.expected.size());
        for (size_t k = 0; k < results.size(); ++k) {
          ASSERT_TRUE(results[k].tensor()) << op.name.op;
          EXPECT_LE(distance(*results[k].tensor(), example.expected[k]), std::max(op.facts.tolerance, 1e-9)) << op.name.op << ": " << text;
        }
        test_symbols(op, example);
      } catch (const Error& e) {
        ADD_FAILURE() << op.name.op << ": " << text << ": " << e.message;
      }
    }
}

TEST_P(Target, KernelsAgreeWithTheirMeaning) {
  for (const Operator& op : all_operators())
    for (int64_t n : {0, 1, 7, 16, 33, 1000}) {
      try {
        const auto pair = kernel_and_meaning(op, n);
        if (!pair) continue;
        EXPECT_LE(distance(*run(pair->first)[0].tensor(), *run(pair->second)[0].tensor()), op.facts.tolerance) << op.name.op << " of " << n;
      } catch (const Error& e) {
        ADD_FAILURE() << op.name.op << " of " << n << ": " << e.message;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Target, testing::Values(simd::Target::baseline, simd::Target::avx2, simd::Target::avx512),
                         [](const auto& info) { return std::string(info.param == simd::Target::baseline ? "baseline" : info.param == simd::Target::avx2 ? "avx2" : "avx512"); });

TEST(Targets, Avx2AndAvx512GiveTheSameBits) {
  for (const Operator& op : all_operators()) {
    if (op.facts.random) continue;
    std::vector<Graph> graphs;
    for (auto text : op.facts.examples) graphs.push_back(parse_example(op, text).graph);
    for (int64_t n : {7, 1000}) if (auto pair = kernel_and_meaning(op, n)) graphs.push_back(pair->first);
    for (const Graph& graph : graphs) {
      simd::limit(simd::Target::avx2);
      const auto narrow = run(graph);
      simd::limit(simd::Target::avx512);
      const auto wide = run(graph);
      for (size_t k = 0; k < wide.size(); ++k) EXPECT_TRUE(same_bits(narrow[k], wide[k])) << op.name.op;
    }
  }
}

TEST(Operators, EachHasAnExample) {
  for (const Operator& op : all_operators()) {
    const Signature* form = signature(op.name.domain, op.name.op);
    const bool tensors_only = form && form->outputs.find("seq(") == form->outputs.npos && form->inputs.find("seq(") == form->inputs.npos && form->attributes.find("GRAPH") == form->attributes.npos;
    // Maps cannot be written in the text form; tests/ops/ml_maps_test.cc has these three.
    const bool maps = op.name.op == "CastMap" || op.name.op == "DictVectorizer" || op.name.op == "ZipMap";
    const bool sequences = form && (form->inputs.find(":S") != form->inputs.npos || form->outputs.find(":S") != form->outputs.npos);
    if (tensors_only && !op.facts.random && !sequences && !maps) { EXPECT_FALSE(op.facts.examples.empty()) << op.name.op; }
  }
}

}  // namespace
}  // namespace onward
