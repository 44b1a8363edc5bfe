// A model that uses everything a file can say and we keep.
#pragma once
#include "onward/model/onnx_file.h"
#include "onward/model/text.h"

namespace onward {

inline Tensor every_value(DataType type) {
  Tensor t(type, {5});
  for_type<every_type>(type, [&]<class T>() {
    for (int i = 0; i < 5; ++i) {
      if constexpr (std::is_same_v<T, std::string>) t.data<T>()[i] = std::string(size_t(i), char('a' + i));
      else if constexpr (contains(small_floats, type_of<T>)) t.data<T>()[i].bits = decltype(T::bits)(i * 3);
      else if constexpr (contains(small_ints, type_of<T>)) t.data<T>()[i] = T(int64_t(i - 2));
      else t.data<T>()[i] = T(i - 2);
    }
  });
  return t;
}

inline Model everything() {
  Model m;
  m.ir_version = 12, m.producer = "p", m.producer_version = "1.2", m.domain = "d", m.model_version = 7, m.doc = "doc";
  m.opsets = {{"", 21}, {"ai.onnx.ml", 5}, {"own", 1}};
  m.metadata = {{"key", "value"}, {"a", "ü"}};
  Graph& g = m.graph;
  g = parse_nodes("c = Less(x, x) y = If(c) z = own.F(x) w = Many(x)");
  g.name = "main", g.doc = "of the graph", g.metadata = {{"k", "v"}};
  g.inputs = {{"x", TypeInfo::tensor(DataType::f32, {{{{}, "batch"}, {3, ""}, {{}, ""}}}), "an input", {{"m", "n"}}}, {"u", {}, ""}};
  const auto text_map = std::make_shared<const TypeInfo>(TypeInfo{TypeInfo::Kind::map, DataType::str, {}, std::make_shared<const TypeInfo>(TypeInfo::tensor(DataType::f32)), ""});
  g.outputs = {{"y", {TypeInfo::Kind::sequence, {}, {}, text_map, "DENOTED"}, ""}, {"z", {TypeInfo::Kind::optional, {}, {}, std::make_shared<const TypeInfo>(TypeInfo::tensor(DataType::i64, {{}})), ""}, ""}};
  g.values = {{"c", {TypeInfo::Kind::sparse, DataType::b8, {{{2, ""}}}, {}, ""}, ""}};
  for (unsigned t = 1; t < unsigned(DataType::count); ++t) g.initializers["all " + name_of(DataType(t))] = every_value(DataType(t));
  g.initializers["empty"] = Tensor(DataType::f32, {0, 4});
  auto branch = std::make_shared<Graph>(parse_nodes("t = Relu(x)"));
  branch->name = "branch", branch->outputs = {{"t", {}, ""}};
  g.nodes[1].attributes = {{"then_branch", GraphRef(branch)}, {"else_branch", GraphRef(branch)}};
  g.nodes[2].overload = "v2", g.nodes[2].doc = "call", g.nodes[2].name = "named", g.nodes[2].metadata = {{"at", "line"}};
  g.nodes[3].attributes = {{"i", int64_t{-5}}, {"f", -0.0f}, {"s", std::string("\xff\0b", 3)}, {"t", Tensor::scalar(2.5)}, {"type", g.outputs[0].type},
                           {"ints", std::vector<int64_t>{1, -1, INT64_MIN}}, {"floats", std::vector<float>{1, INFINITY}}, {"no_ints", std::vector<int64_t>{}}, {"no_floats", std::vector<float>{}},
                           {"strings", std::vector<std::string>{"", "b"}}, {"tensors", std::vector<Tensor>{Tensor::scalar(int64_t{1})}}, {"graphs", std::vector<GraphRef>{branch, branch}},
                           {"types", std::vector<TypeInfo>{TypeInfo::tensor(DataType::u8)}},
                           {"sparse", SparseTensor{Tensor::of<float>({2}, {1, 2}), Tensor::of<int64_t>({2}, {0, 3}), {2, 2}}}};
  Function f{"own", "F", "v2", {"x"}, {"y"}, {"needed"}, {{"alpha", 0.5f}}, parse_nodes("y = LeakyRelu(x)").nodes, {{"", 21}}, "a function", {{"y", TypeInfo::tensor(DataType::f32), ""}}, {{"f", "g"}}};
  f.nodes[0].attributes["alpha"] = AttributeOfCaller{"alpha", 1};
  m.functions = {f};
  return m;
}

}  // namespace onward
