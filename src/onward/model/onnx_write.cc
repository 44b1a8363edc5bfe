// ModelProto out, in the order of the field numbers; maps in the order of their keys. The same model is the same bytes.
#include "onward/model/onnx_file.h"
#include "onward/model/tensor_proto.h"

namespace onward {
namespace {

void put_graph(WireWriter& w, const Graph& graph);

void put_text(WireWriter& w, int field, std::string_view s) { if (!s.empty()) w.bytes(field, s); }

void put_entries(WireWriter& w, int field, const std::map<std::string, std::string>& all) {
  for (const auto& [key, value] : all) w.message(field, [&](WireWriter& e) { e.bytes(1, key), e.bytes(2, value); });
}

void put_type(WireWriter& w, const TypeInfo& type) {
  using Kind = TypeInfo::Kind;
  const auto tensor = [&](WireWriter& t) {
    t.integer(1, int64_t(type.element));
    if (type.shape) t.message(2, [&](WireWriter& s) {
      for (const DimInfo& d : *type.shape) s.message(1, [&](WireWriter& out) { d.size ? out.integer(1, *d.size) : put_text(out, 2, d.name); });
    });
  };
  const auto item = [&](int field) { return [&type, field](WireWriter& t) { if (type.item) t.message(field, [&](WireWriter& i) { put_type(i, *type.item); }); }; };
  switch (type.kind) {
    case Kind::none: break;
    case Kind::tensor: w.message(1, tensor); break;
    case Kind::sequence: w.message(4, item(1)); break;
    case Kind::map: w.message(5, [&](WireWriter& t) { t.integer(1, int64_t(type.element)), item(2)(t); }); break;
    case Kind::sparse: w.message(8, tensor); break;
    case Kind::optional: w.message(9, item(1)); break;
  }
  put_text(w, 6, type.denotation);
}

void put_value_info(WireWriter& w, int field, const ValueInfo& v) {
  w.message(field, [&](WireWriter& out) {
    out.bytes(1, v.name);
    if (v.type.kind != TypeInfo::Kind::none) out.message(2, [&](WireWriter& t) { put_type(t, v.type); });
    put_text(out, 3, v.doc);
  });
}

void put_sparse(WireWriter& w, const SparseTensor& s) {
  w.message(1, [&](WireWriter& t) { write_tensor(t, s.values); });
  w.message(2, [&](WireWriter& t) { write_tensor(t, s.indices); });
  w.packed(3, s.dims);
}

// Writes the value and returns the number of its kind.
struct AttributeValue {
  WireWriter& w;
  int operator()(int64_t i) { return w.integer(3, i), 2; }
  int operator()(float f) { return w.real(2, f), 1; }
  int operator()(const std::string& s) { return w.bytes(4, s), 3; }
  int operator()(const Tensor& t) { return w.message(5, [&](WireWriter& m) { write_tensor(m, t); }), 4; }
  int operator()(const GraphRef& g) { return w.message(6, [&](WireWriter& m) { put_graph(m, *g); }), 5; }
  int operator()(const TypeInfo& t) { return w.message(14, [&](WireWriter& m) { put_type(m, t); }), 13; }
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
    for (const GraphRef& g : all) w.message(11, [&](WireWriter& m) { put_graph(m, *g); });
    return 10;
  }
  int operator()(const std::vector<TypeInfo>& all) {
    for (const TypeInfo& t : all) w.message(15, [&](WireWriter& m) { put_type(m, t); });
    return 14;
  }
  int operator()(const AttributeOfCaller& of) { return w.bytes(21, of.name), 0; }
};

void put_attribute(WireWriter& w, int field, const std::string& name, const Attribute& a) {
  w.message(field, [&](WireWriter& m) {
    m.bytes(1, name);
    if (const int kind = std::visit(AttributeValue{m}, a)) m.integer(20, kind);
  });
}

void put_node(WireWriter& w, int field, const Node& node) {
  w.message(field, [&](WireWriter& m) {
    for (const std::string& name : node.inputs) m.bytes(1, name);
    for (const std::string& name : node.outputs) m.bytes(2, name);
    put_text(m, 3, node.name);
    m.bytes(4, node.op);
    for (const auto& [name, a] : node.attributes) put_attribute(m, 5, name, a);
    put_text(m, 6, node.doc);
    put_text(m, 7, node.domain);
    put_text(m, 8, node.overload);
    put_entries(m, 9, node.metadata);
  });
}

void put_graph(WireWriter& w, const Graph& graph) {
  for (const Node& node : graph.nodes) put_node(w, 1, node);
  w.bytes(2, graph.name);
  for (const auto& [name, tensor] : graph.initializers) w.message(5, [&](WireWriter& m) { write_tensor(m, tensor, name); });
  put_text(w, 10, graph.doc);
  for (const ValueInfo& v : graph.inputs) put_value_info(w, 11, v);
  for (const ValueInfo& v : graph.outputs) put_value_info(w, 12, v);
  for (const ValueInfo& v : graph.values) put_value_info(w, 13, v);
}

void put_opsets(WireWriter& w, int field, const Opsets& opsets) {
  for (const auto& [domain, version] : opsets) w.message(field, [&](WireWriter& m) { m.bytes(1, domain), m.integer(2, version); });
}

void put_function(WireWriter& w, const Function& f) {
  w.bytes(1, f.name);
  for (const std::string& s : f.inputs) w.bytes(4, s);
  for (const std::string& s : f.outputs) w.bytes(5, s);
  for (const std::string& s : f.attributes) w.bytes(6, s);
  for (const Node& node : f.nodes) put_node(w, 7, node);
  put_opsets(w, 9, f.opsets);
  put_text(w, 10, f.domain);
  for (const auto& [name, a] : f.defaults) put_attribute(w, 11, name, a);
  put_text(w, 13, f.overload);
}

void put_model(WireWriter& w, const Model& model) {
  w.integer(1, model.ir_version);
  put_text(w, 2, model.producer);
  put_text(w, 3, model.producer_version);
  put_text(w, 4, model.domain);
  if (model.model_version) w.integer(5, model.model_version);
  put_text(w, 6, model.doc);
  w.message(7, [&](WireWriter& m) { put_graph(m, model.graph); });
  put_opsets(w, 8, model.opsets);
  put_entries(w, 14, model.metadata);
  for (const Function& f : model.functions) w.message(25, [&](WireWriter& m) { put_function(m, f); });
}

void put_map(WireWriter& w, const Map& map) {
  w.integer(2, int64_t(map.keys.type()));
  if (map.keys.type() == DataType::str) for (const std::string& s : map.keys.values<std::string>()) w.bytes(4, s);
  else w.packed(3, map.keys.values<int64_t>());
  w.message(5, [&](WireWriter& m) { m.integer(2, 1), m.message(3, [&](WireWriter& t) { write_tensor(t, map.values); }); });
}

void put_sequence(WireWriter& w, const Sequence& s) {
  const bool maps = !s.items.empty() && std::holds_alternative<Map>(s.items[0]), inner = !s.items.empty() && std::holds_alternative<Sequence>(s.items[0]);
  w.integer(2, maps ? 4 : inner ? 3 : 1);
  for (const Value& item : s.items) {
    if (auto* t = item.tensor()) w.message(3, [&](WireWriter& m) { write_tensor(m, *t); });
    else if (auto* q = std::get_if<Sequence>(&item)) w.message(5, [&](WireWriter& m) { put_sequence(m, *q); });
    else if (auto* map = std::get_if<Map>(&item)) w.message(6, [&](WireWriter& m) { put_map(m, *map); });
  }
}

}  // namespace

std::string write_model(const Model& model) {
  std::string out;
  WireWriter w(out);
  put_model(w, model);
  return out;
}

void save_model(const Model& model, const std::string& path) {
  FileWriter file(path);
  WireWriter w(file);
  put_model(w, model);
  file.commit();
}

std::string write_value(const Value& value) {
  std::string out;
  WireWriter w(out);
  if (auto* t = value.tensor()) write_tensor(w, *t);
  else if (auto* s = std::get_if<Sequence>(&value)) put_sequence(w, *s);
  else if (auto* m = std::get_if<Map>(&value)) put_map(w, *m);
  else w.integer(2, 0);
  return out;
}

}  // namespace onward
