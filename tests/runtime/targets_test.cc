// Every kernel on every element type that it takes: AVX2 and AVX-512 against the baseline, within the operator's tolerance, and against
// each other bit for bit; awkward values, sizes around the widths of vectors. Nothing here names an operator: inputs are made from its
// signature, and what the operator refuses is not a case.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "examples.h"
#include "onward/ops/convert.h"
#include "onward/runtime/program.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

const std::vector<Dims> shapes = {{0}, {1}, {7}, {64}, {65}, {3, 65}, {65, 65}, {8, 8}, {2, 3, 17}, {1, 2, 4, 5}, {2, 4, 3, 9}, {0, 3}, {}};

// The special ones where the type has them.
Tensor awkward(DataType type, const Dims& dims, unsigned seed, bool tame = false) {
  if (contains(complex_types, type)) {                     // two real ones each
    const Tensor parts = awkward(type == DataType::c64 ? DataType::f32 : DataType::f64, {count(dims) * 2}, seed, tame), whole(type, dims);
    std::memcpy(whole.raw(), parts.raw(), whole.bytes());
    return whole;
  }
  constexpr double special[] = {0.0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 1e-40, 1e-310, 65504, -1e15, 1e15};
  Tensor wide(DataType::f64, dims);
  const bool real = contains(f32 | f64 | bf16 | f16 | small_floats, type);
  for (int64_t i = 0; i < wide.size(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    const double v = double(int(seed >> 8) % 1201 - 600) / (tame ? 600 : 100);
    wide.data<double>()[i] = real ? (i % 5 == 2 && !tame ? special[(seed >> 20) % std::size(special)] : v) : std::fabs(std::floor(v));
  }
  Tensor out(type, dims);
  if (type == DataType::str) for (int64_t i = 0; i < out.size(); ++i) out.data<std::string>()[i] = std::string(size_t(wide.data<double>()[i]) % 3, 'a');
  else convert(DataType::f64, wide.raw(), type, out.raw(), out.size());
  return out;
}

// Small numbers, which are indices, axes, lengths or truth.
Tensor small(DataType type, const Dims& dims) {
  if (contains(complex_types, type)) return awkward(type, dims, 0);
  Tensor wide(DataType::i64, dims), out(type, dims);
  for (int64_t i = 0; i < wide.size(); ++i) wide.data<int64_t>()[i] = i % 2;
  convert(DataType::i64, wide.raw(), type, out.raw(), out.size());
  return out;
}

std::optional<Attribute> some_value(std::string_view kind) {
  if (kind == "INT") return Attribute(int64_t{1});
  if (kind == "FLOAT") return Attribute(1.0f);
  if (kind == "INTS") return Attribute(std::vector<int64_t>{1});
  return std::nullopt;
}

// The type of a port for the type `type` of the first.
DataType type_of_port(const Port& port, const Port& first, DataType type, DataType other) {
  if (port.type == first.type) return type;
  if (port.type.starts_with("tensor("))
    for (size_t t = 1; t < std::size(type_names); ++t) if (port.type == "tensor(" + std::string(type_names[t]) + ")") return DataType(t);
  return other;
}

// How inputs are made: the type of those that the first does not decide, whether the second is a vector, whether all are plain numbers.
struct Way { DataType other; bool vector_second, tame; };
constexpr Way ways[] = {{DataType::i64, false, false}, {DataType::b8, false, false}, {DataType::f32, false, false}, {DataType::i64, true, false},
                        {DataType::b8, true, false}, {DataType::f32, true, false}, {DataType::i64, false, true}, {DataType::i64, true, true}};

// A node of the operator with required inputs alone; nothing where the signature asks for what cannot be made.
std::optional<Graph> graph_of(const Operator& op, DataType type, const Dims& dims, const Way& way) {
  const Signature* form = signature(op.name.domain, op.name.op);
  const std::string_view inputs = form ? form->inputs : op.facts.inputs, attributes = form ? form->attributes : op.facts.attributes;
  if (attributes.find("GRAPH") != attributes.npos) return std::nullopt;
  const auto in = ports(inputs);
  if (in.empty()) return std::nullopt;
  Graph graph;
  Node node{.domain = std::string(op.name.domain), .op = std::string(op.name.op), .outputs = {"y"}};
  for (const auto& a : attribute_facts(attributes)) {
    if (!a.required) continue;
    const auto value = some_value(a.type);
    if (!value) return std::nullopt;
    node.attributes[std::string(a.name)] = *value;
  }
  for (size_t k = 0; k < in.size(); ++k) {
    if (in[k].kind == '?') { node.inputs.push_back(""); continue; }
    const DataType t = type_of_port(in[k], in[0], type, way.other);
    const bool index = k > 0 && in[k].type != in[0].type && contains(i32 | i64 | b8, t);
    const Dims own = k > 0 && way.vector_second && !dims.empty() ? Dims{dims.back()} : dims;
    for (int copies = in[k].kind == '*' ? 2 : 1; copies-- > 0;) {
      node.inputs.push_back(text("x", k, "_", copies));
      graph.initializers[node.inputs.back()] = index ? small(t, own) : awkward(t, own, unsigned(k) * 77 + 5, way.tame);
    }
  }
  while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
  graph.nodes = {node};
  graph.outputs = {{"y", {}, {}}};
  return graph;
}

std::vector<Value> run_on(simd::Target target, const Graph& graph) {
  simd::limit(target);
  const RunContext context{.budget = std::make_shared<MemoryBudget>(64 << 20)};
  return Program(graph).run({}, context);
}

std::vector<double> doubles(const Tensor& t) {
  std::vector<double> out(size_t(t.size()) * (contains(complex_types, t.type()) ? 2 : 1));
  const DataType part = t.type() == DataType::c64 ? DataType::f32 : t.type() == DataType::c128 ? DataType::f64 : t.type();
  convert(part, t.raw(), DataType::f64, out.data(), int64_t(out.size()));
  return out;
}

// One NaN is as good as another.
bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type() || a.dims() != b.dims()) return false;
  if (a.type() == DataType::str) return std::equal(a.data<std::string>(), a.data<std::string>() + a.size(), b.data<std::string>());
  if (std::memcmp(a.raw(), b.raw(), a.bytes()) == 0) return true;
  if (contains(u8 | u16 | u32 | u64 | i8 | i16 | i32 | i64 | b8, a.type())) return false;
  const auto x = doubles(a), y = doubles(b);
  for (size_t i = 0; i < x.size(); ++i) if (!(x[i] == y[i] && std::signbit(x[i]) == std::signbit(y[i])) && !(std::isnan(x[i]) && std::isnan(y[i]))) return false;
  return true;
}

// Relative to the larger of 1 and the value; one unit of the type is nothing, so that a last bit before rounding does not count.
double distance(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type() || a.dims() != b.dims() || a.type() == DataType::str) return INFINITY;
  const auto x = doubles(a), y = doubles(b);
  const double unit = a.type() == DataType::f16 ? 0x1p-10 : a.type() == DataType::bf16 ? 0x1p-7 : contains(small_floats, a.type()) ? 0.5 : 0;
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    const double d = std::fabs(x[i] - y[i]) / std::max(1.0, std::fabs(y[i]));
    worst = std::max(worst, std::isnan(d) ? INFINITY : std::max(0.0, d - unit));
  }
  return worst;
}

// Tolerances are of a few terms; sums here have up to 65, which is worth two of them. Where large terms cancel, what remains is as wrong as they were rounded: the largest finite product of inputs.
double scale(const Graph& graph) {
  double out = 1;
  for (const auto& [name, tensor] : graph.initializers) {
    double largest = 1;
    if (tensor.type() != DataType::str) for (double v : doubles(tensor)) if (std::isfinite(v)) largest = std::max(largest, std::fabs(v));
    out *= largest;
  }
  return out;
}

struct Seen { std::set<std::string> operators; int cases = 0; };

void compare(const Operator& op, const Graph& graph, const std::string& label, bool tame, Seen& seen) {
  std::vector<Value> base;
  try {
    base = run_on(simd::Target::baseline, graph);
  } catch (const Error& e) {
    EXPECT_NE(e.code, Code::internal) << label << ": " << e.message;
    return;
  }
  try {
    const auto narrow = run_on(simd::Target::avx2, graph), wide = run_on(simd::Target::avx512, graph);
    if (!base[0].tensor()) return;
    ++seen.cases;
    seen.operators.insert(text(op.name.domain, ".", op.name.op));
    for (size_t k = 0; k < base.size(); ++k) {
      const Tensor *expected = base[k].tensor(), *with_avx2 = narrow[k].tensor(), *with_avx512 = wide[k].tensor();
      if (!expected) continue;
      ASSERT_TRUE(with_avx2 && with_avx512) << label;
      EXPECT_TRUE(same_bits(*with_avx2, *with_avx512)) << label << ": AVX2 and AVX-512 differ by " << distance(*with_avx2, *with_avx512);
      if (same_bits(*expected, *with_avx2)) continue;
      EXPECT_LE(distance(*with_avx2, *expected), op.facts.tolerance * (tame ? 2 : scale(graph))) << label << ", output " << k;
    }
  } catch (const Error& e) {
    ADD_FAILURE() << label << ": only the baseline answers: " << e.message;
  }
}

}  // namespace

TEST(Targets, AgreeWithTheBaselineOnEveryType) {
  Seen seen;
  for (const Operator& op : all_operators()) {
    if (op.facts.random) continue;
    for (size_t t = 1; t < size_t(DataType::count); ++t)
      for (const Dims& dims : shapes)
        for (const Way& way : ways) {
          if (way.tame && !contains(f32 | f64 | f16 | bf16, DataType(t))) continue;
          const auto graph = graph_of(op, DataType(t), dims, way);
          if (!graph || ((way.vector_second || way.other != DataType::i64) && graph->nodes[0].inputs.size() < 2)) continue;
          compare(op, *graph, text(op.name.op, " of ", type_names[t], " ", shown(dims), ", others ", name_of(way.other), way.vector_second ? ", the second a vector" : "", way.tame ? ", tame" : ""), way.tame, seen);
        }
  }
  simd::limit(simd::Target::avx512);
  std::printf("%d cases of %zu operators\n", seen.cases, seen.operators.size());
  EXPECT_GE(seen.operators.size(), 170u);
  EXPECT_GE(seen.cases, 20000);
}

// What no signature alone can feed: the examples, with other real numbers of each real type in their place.
TEST(Targets, AgreeOnExamplesWithOtherNumbers) {
  Seen seen;
  constexpr DataType reals[] = {DataType::f32, DataType::f64, DataType::f16, DataType::bf16};
  for (const Operator& op : all_operators()) {
    if (op.facts.random) continue;
    for (auto text_of_example : op.facts.examples)
      for (DataType type : reals)
        for (bool tame : {true, false}) {
          Graph graph = parse_example(op, text_of_example).graph;
          unsigned seed = 3;
          for (auto& [name, tensor] : graph.initializers)
            if (contains(f32 | f64 | f16 | bf16, tensor.type())) tensor = awkward(type, tensor.dims(), seed += 11, tame);
          compare(op, graph, text(op.name.op, " of ", name_of(type), tame ? ", tame: " : ": ", text_of_example), tame, seen);
        }
  }
  simd::limit(simd::Target::avx512);
  std::printf("%d cases of %zu operators\n", seen.cases, seen.operators.size());
  EXPECT_GE(seen.operators.size(), 200u);
}

}  // namespace onward
