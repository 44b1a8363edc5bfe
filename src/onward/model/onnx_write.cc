// ModelProto out, in the order of the field numbers; maps in the order of their keys. The same model is the same bytes.
#include "onward/model/type_proto.h"

namespace onward {
namespace {

void put_graph(WireWriter& w, const Graph& graph, const Aside* aside);

void put_sparse(WireWriter& w, const SparseTensor& s) {
  w.message(1, [&](WireWriter& t) { write_tensor(t, s.values); });
  w.message(2, [&](WireWriter& t) { write_tensor(t, s.indices); });
  w.packed(3, s.dims);
}

// Writes the value and returns the number of its kind.
struct AttributeValue {
  WireWriter& w;
  const Aside* aside;
  int operator()(int64_t i) { return w.integer(3, i), 2; }
  int operator()(float f) { return w.real(2, f), 1; }
  int operator()(const std::string& s) { return w.bytes(4, s), 3; }
  int operator()(const Tensor& t) { return w.message(5, [&](WireWriter& m) { write_tensor(m, t, {}, aside); }), 4; }
  int operator()(const GraphRef& g) { return w.message(6, [&](WireWriter& m) { put_graph(m, *g, aside); }), 5; }
  int operator()(const TypeInfo& t) { return w.message(14, [&](WireWriter& m) { write_type(m, t); }), 13; }
  int operator()(const SparseTensor& s) { return w.message(22, [&](WireWriter& m) { put_sparse(m, s); }), 11; }
  int operator()(const std::vector<int64_t>& all) { return all.empty() ? void() : w.packed(8, all), 7; }
  int operator()(const std::vector<float>& all) {
    if (!all.empty()) w.bytes(7, {reinterpret_cast<const char*>(all.data()), all.size() * sizeof(float)});
    return 6;
  }
  int operator()(const std::vector<std::string>& all) {
    for (const std::string& s : all) w.bytes(9, s);
    return 8;
  }
  int operator()(const std::vector<Tensor>& all) {
    for (const Tensor& t : all) w.message(10, [&](WireWriter& m) { write_tensor(m, t); });
    return 9;
  }
  int operator()(const std::vector<GraphRef>& all) {
    for (const GraphRef& g : all) w.message(11, [&](WireWriter& m) { put_graph(m, *g, aside); });
    return 10;
  }
  int operator()(const std::vector<TypeInfo>& all) {
    for (const TypeInfo& t : all) w.message(15, [&](WireWriter& m) { write_type(m, t); });
    return 14;
  }
  int operator()(const std::vector<int32_t>& all) { return w.packed(8, all), 7; }
  int operator()(const FewTexts& all) {
    for (size_t i = 0; i < all.size(); ++i) w.bytes(9, all[i]);
    return 8;
  }
  int operator()(const AttributeOfCaller& of) { return w.bytes(21, of.name), of.kind; }
};

void put_attribute(WireWriter& w, int field, const std::string& name, const Attribute& a, const Aside* aside) {
  w.message(field, [&](WireWriter& m) {
    m.bytes(1, name);
    if (const int kind = std::visit(AttributeValue{m, aside}, a)) m.integer(20, kind);
  });
}

void put_node(WireWriter& w, int field, const Node& node, const Aside* aside) {
  w.message(field, [&](WireWriter& m) {
    for (const std::string& name : node.inputs) m.bytes(1, name);
    for (const std::string& name : node.outputs) m.bytes(2, name);
    write_text(m, 3, node.name);
    m.bytes(4, node.op);
    for (const auto& [name, a] : node.attributes) put_attribute(m, 5, name, a, aside);
    write_text(m, 6, node.doc);
    write_text(m, 7, node.domain);
    write_text(m, 8, node.overload);
    write_entries(m, 9, node.metadata);
  });
}

void put_graph(WireWriter& w, const Graph& graph, const Aside* aside) {
  for (const Node& node : graph.nodes) put_node(w, 1, node, aside);
  w.bytes(2, graph.name);
  for (const auto& [name, tensor] : graph.initializers) w.message(5, [&](WireWriter& m) { write_tensor(m, tensor, name, aside); });
  write_text(w, 10, graph.doc);
  for (const ValueInfo& v : graph.inputs) write_value_info(w, 11, v);
  for (const ValueInfo& v : graph.outputs) write_value_info(w, 12, v);
  for (const ValueInfo& v : graph.values) write_value_info(w, 13, v);
  write_entries(w, 16, graph.metadata);
}

void put_opsets(WireWriter& w, int field, const Opsets& opsets) {
  for (const auto& [domain, version] : opsets) w.message(field, [&](WireWriter& m) { m.bytes(1, domain), m.integer(2, version); });
}

void put_function(WireWriter& w, const Function& f) {
  w.bytes(1, f.name);
  for (const std::string& s : f.inputs) w.bytes(4, s);
  for (const std::string& s : f.outputs) w.bytes(5, s);
  for (const std::string& s : f.attributes) w.bytes(6, s);
  for (const Node& node : f.nodes) put_node(w, 7, node, nullptr);
  write_text(w, 8, f.doc);
  put_opsets(w, 9, f.opsets);
  write_text(w, 10, f.domain);
  for (const auto& [name, a] : f.defaults) put_attribute(w, 11, name, a, nullptr);
  for (const ValueInfo& v : f.values) write_value_info(w, 12, v);
  write_text(w, 13, f.overload);
  write_entries(w, 14, f.metadata);
}

}  // namespace

void write_model(WireWriter& w, const Model& model, const Aside* aside) {
  w.integer(1, model.ir_version);
  write_text(w, 2, model.producer);
  write_text(w, 3, model.producer_version);
  write_text(w, 4, model.domain);
  if (model.model_version) w.integer(5, model.model_version);
  write_text(w, 6, model.doc);
  w.message(7, [&](WireWriter& m) { put_graph(m, model.graph, aside); });
  put_opsets(w, 8, model.opsets);
  write_entries(w, 14, model.metadata);
  for (const Function& f : model.functions) w.message(25, [&](WireWriter& m) { put_function(m, f); });
}

std::string write_model(const Model& model) {
  std::string out;
  WireWriter w(out);
  write_model(w, model);
  return out;
}

}  // namespace onward
