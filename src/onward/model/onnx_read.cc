// ModelProto in: field numbers are those of onnx.proto.
#include <filesystem>

#include "onward/model/onnx_file.h"
#include "onward/model/tensor_proto.h"

namespace onward {
namespace {

// One level of nesting, given back at the end of the scope.
class Level {
 public:
  explicit Level(ReadContext& context) : context_(context) {
    if (--context.depth_left < 0) fail(Code::limit_size, "graphs, types or optional values are nested too deeply");
  }
  ~Level() { ++context_.depth_left; }

 private:
  ReadContext& context_;
};

Graph read_graph(std::string_view bytes, ReadContext& context);

// StringStringEntryProto, into a map.
void read_entry(std::string_view bytes, ReadContext& context, std::map<std::string, std::string>& into) {
  std::string key, value;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) (f.number == 1 ? key : value) = text_of(f.bytes);
  into[key] = value;
}

std::vector<DimInfo> read_shape(std::string_view bytes, ReadContext& context) {
  std::vector<DimInfo> out;
  WireField f, g;
  for (WireReader m(bytes, context.file); m.next(f);) {
    if (f.number != 1) continue;
    DimInfo& d = out.emplace_back();
    for (WireReader r(f.bytes, context.file); r.next(g);) {
      if (g.number == 1) d.size = int64_t(g.value);
      if (g.number == 2) d.name = text_of(g.bytes);
    }
    if (d.size && *d.size < 0) d.size.reset();            // some writers put -1 for "any"
  }
  return out;
}

TypeInfo read_type(std::string_view bytes, ReadContext& context) {
  const Level level(context);
  TypeInfo out;
  WireField f, g;
  for (WireReader m(bytes, context.file); m.next(f);) {
    if (f.number == 6) out.denotation = text_of(f.bytes);
    if (f.number != 1 && f.number != 4 && f.number != 5 && f.number != 8 && f.number != 9) continue;
    using Kind = TypeInfo::Kind;
    out.kind = f.number == 1 ? Kind::tensor : f.number == 4 ? Kind::sequence : f.number == 5 ? Kind::map : f.number == 8 ? Kind::sparse : Kind::optional;
    for (WireReader r(f.bytes, context.file); r.next(g);) {
      const bool tensor = out.kind == Kind::tensor || out.kind == Kind::sparse;
      if (g.number == 1 && (tensor || out.kind == Kind::map)) {
        if (g.value >= uint64_t(DataType::count)) fail(Code::bad_model, "element type ", g.value, " is not in the standard");
        out.element = DataType(g.value);
      } else if (g.number == 2 && tensor) out.shape = read_shape(g.bytes, context);
      else if ((g.number == 1 && !tensor) || (g.number == 2 && out.kind == Kind::map)) out.item = std::make_shared<const TypeInfo>(read_type(g.bytes, context));
    }
  }
  return out;
}

ValueInfo read_value_info(std::string_view bytes, ReadContext& context) {
  ValueInfo out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: out.name = text_of(f.bytes); break;
    case 2: out.type = read_type(f.bytes, context); break;
    case 3: out.doc = text_of(f.bytes); break;
    default: break;
  }
  return out;
}

// Everything an AttributeProto may carry; its kind says what counts.
struct AttributeFields {
  std::string name;
  uint64_t kind = 0;
  int64_t i = 0;
  float f = 0;
  std::string s, of_caller;
  Tensor t;
  GraphRef g;
  TypeInfo type;
  SparseTensor sparse;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  std::vector<Tensor> tensors;
  std::vector<GraphRef> graphs;
  std::vector<TypeInfo> types;

  // Files of IR 1 and 2 may leave the kind out.
  uint64_t found() const {
    if (kind) return kind;
    return t ? 4 : g ? 5 : !floats.empty() ? 6 : !ints.empty() ? 7 : !strings.empty() ? 8 : !s.empty() ? 3 : f != 0 ? 1 : 2;
  }
};

Attribute attribute_of(AttributeFields&& a) {
  if (!a.of_caller.empty()) return AttributeOfCaller{a.of_caller};
  switch (a.found()) {
    case 1: return a.f;
    case 2: return a.i;
    case 3: return std::move(a.s);
    case 4: return std::move(a.t);
    case 5: return std::move(a.g);
    case 6: return std::move(a.floats);
    case 7: return std::move(a.ints);
    case 8: return std::move(a.strings);
    case 9: return std::move(a.tensors);
    case 10: return std::move(a.graphs);
    case 11: return std::move(a.sparse);
    case 13: return std::move(a.type);
    case 14: return std::move(a.types);
    default: fail(Code::bad_model, "attribute '", a.name, "' has kind ", a.kind, ", which is not in the standard");
  }
}

void read_attribute(std::string_view bytes, ReadContext& context, Attributes& into) {
  AttributeFields a;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: a.name = text_of(f.bytes); break;
    case 2: if (f.bytes.size() == sizeof a.f) std::memcpy(&a.f, f.bytes.data(), sizeof a.f); break;
    case 3: a.i = int64_t(f.value); break;
    case 4: a.s = f.bytes; break;
    case 5: a.t = read_tensor(f.bytes, context); break;
    case 6: a.g = std::make_shared<const Graph>(read_graph(f.bytes, context)); break;
    case 7: append_floats(f, a.floats); break;
    case 8: append_varints(f, a.ints, context.file); break;
    case 9: a.strings.emplace_back(f.bytes); break;
    case 10: a.tensors.push_back(read_tensor(f.bytes, context)); break;
    case 11: a.graphs.push_back(std::make_shared<const Graph>(read_graph(f.bytes, context))); break;
    case 14: a.type = read_type(f.bytes, context); break;
    case 15: a.types.push_back(read_type(f.bytes, context)); break;
    case 20: a.kind = f.value; break;
    case 21: a.of_caller = text_of(f.bytes); break;
    case 22: a.sparse = read_sparse(f.bytes, context); break;
    default: break;
  }
  if (a.kind == 12) unsupported("attribute '", a.name, "': a list of sparse tensors");
  const std::string name = a.name;
  if (!into.emplace(name, attribute_of(std::move(a))).second) fail(Code::bad_model, "attribute '", name, "' is given twice");
}

std::string plain_domain(std::string_view domain) { return domain == "ai.onnx" ? std::string() : text_of(domain); }

Node read_node(std::string_view bytes, ReadContext& context) {
  Node node;
  std::vector<std::string_view> attributes;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: node.inputs.push_back(text_of(f.bytes)); break;
    case 2: node.outputs.push_back(text_of(f.bytes)); break;
    case 3: node.name = text_of(f.bytes); break;
    case 4: node.op = text_of(f.bytes); break;
    case 5: attributes.push_back(f.bytes); break;
    case 6: node.doc = text_of(f.bytes); break;
    case 7: node.domain = plain_domain(f.bytes); break;
    case 8: node.overload = text_of(f.bytes); break;
    case 9: read_entry(f.bytes, context, node.metadata); break;
    default: break;
  }
  try {
    for (std::string_view a : attributes) read_attribute(a, context, node.attributes);
  } catch (Error& e) {
    throw e.within(shown(node));
  }
  return node;
}

Graph read_graph(std::string_view bytes, ReadContext& context) {
  const Level level(context);
  Graph graph;
  const auto initializer = [&](std::string name, Tensor t) {
    if (name.empty()) fail(Code::bad_model, "an initializer has no name");
    const std::string key = name;
    if (!graph.initializers.emplace(std::move(name), std::move(t)).second) fail(Code::bad_model, "initializer '", key, "' is given twice");
  };
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: graph.nodes.push_back(read_node(f.bytes, context)); break;
    case 2: graph.name = text_of(f.bytes); break;
    case 5: { std::string name; Tensor t = read_tensor(f.bytes, context, &name); initializer(name, std::move(t)); break; }
    case 10: graph.doc = text_of(f.bytes); break;
    case 11: graph.inputs.push_back(read_value_info(f.bytes, context)); break;
    case 12: graph.outputs.push_back(read_value_info(f.bytes, context)); break;
    case 13: graph.values.push_back(read_value_info(f.bytes, context)); break;
    case 15: { std::string name; const SparseTensor s = read_sparse(f.bytes, context, &name); initializer(name, s.dense()); break; }
    default: break;
  }
  return graph;
}

void read_opset(std::string_view bytes, ReadContext& context, Opsets& into) {
  std::string domain;
  int64_t version = 1;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) f.number == 1 ? void(domain = plain_domain(f.bytes)) : void(version = int64_t(f.value));
  into[domain] = version;
}

Function read_function(std::string_view bytes, ReadContext& context) {
  Function out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: out.name = text_of(f.bytes); break;
    case 4: out.inputs.push_back(text_of(f.bytes)); break;
    case 5: out.outputs.push_back(text_of(f.bytes)); break;
    case 6: out.attributes.push_back(text_of(f.bytes)); break;
    case 7: out.nodes.push_back(read_node(f.bytes, context)); break;
    case 9: read_opset(f.bytes, context, out.opsets); break;
    case 10: out.domain = plain_domain(f.bytes); break;
    case 11: read_attribute(f.bytes, context, out.defaults); break;
    case 13: out.overload = text_of(f.bytes); break;
    default: break;
  }
  return out;
}

Value read_optional(std::string_view bytes, ReadContext& context);

Sequence read_sequence(std::string_view bytes, ReadContext& context);

Map read_map(std::string_view bytes, ReadContext& context) {
  Map out;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  DataType key = DataType::none;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 2: key = DataType(f.value); break;
    case 3: append_varints(f, ints, context.file); break;
    case 4: strings.emplace_back(f.bytes); break;
    case 5: {
      const Sequence values = read_sequence(f.bytes, context);
      if (values.items.size() == 1 && values.items[0].tensor()) out.values = *values.items[0].tensor();
      break;
    }
    default: break;
  }
  out.keys = key == DataType::str ? Tensor::of({int64_t(strings.size())}, strings) : Tensor::of({int64_t(ints.size())}, ints);
  return out;
}

Sequence read_sequence(std::string_view bytes, ReadContext& context) {
  const Level level(context);
  Sequence out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 3: out.items.emplace_back(read_tensor(f.bytes, context)); break;
    case 4: out.items.emplace_back(read_sparse(f.bytes, context).dense()); break;
    case 5: out.items.emplace_back(read_sequence(f.bytes, context)); break;
    case 6: out.items.emplace_back(read_map(f.bytes, context)); break;
    case 7: out.items.push_back(read_optional(f.bytes, context)); break;
    default: break;
  }
  if (!out.items.empty()) if (const Tensor* t = out.items[0].tensor()) out.type = t->type();
  return out;
}

Value read_optional(std::string_view bytes, ReadContext& context) {
  const Level level(context);
  Value out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 3: out = read_tensor(f.bytes, context); break;
    case 4: out = read_sparse(f.bytes, context).dense(); break;
    case 5: out = read_sequence(f.bytes, context); break;
    case 6: out = read_map(f.bytes, context); break;
    case 7: out = read_optional(f.bytes, context); break;
    default: break;
  }
  return out;
}

}  // namespace

Model read_model(std::string_view bytes, std::shared_ptr<const void> owner, const std::string& folder, const ReadLimits& limits) {
  ReadContext context{bytes.data(), std::move(owner), folder, limits.depth};
  Model model;
  bool has_graph = false, has_opset = false;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: model.ir_version = int64_t(f.value); break;
    case 2: model.producer = text_of(f.bytes); break;
    case 3: model.producer_version = text_of(f.bytes); break;
    case 4: model.domain = text_of(f.bytes); break;
    case 5: model.model_version = int64_t(f.value); break;
    case 6: model.doc = text_of(f.bytes); break;
    case 7: model.graph = read_graph(f.bytes, context); has_graph = true; break;
    case 8: read_opset(f.bytes, context, model.opsets); has_opset = true; break;
    case 14: read_entry(f.bytes, context, model.metadata); break;
    case 25: model.functions.push_back(read_function(f.bytes, context)); break;
    default: break;
  }
  if (!has_graph) fail(Code::bad_file, "this is no ONNX model: it has no graph");
  if (!has_opset && model.ir_version < 3) model.opsets[""] = 1;
  return model;
}

Model load_model(const std::string& path, const ReadLimits& limits) {
  const MappedFile file = map_file(path);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  try {
    return read_model(file.bytes, file.owner, folder.empty() ? "." : folder, limits);
  } catch (Error& e) {
    throw e.within("reading " + path);
  }
}

ValueProto guess_value_proto(std::string_view bytes) {
  WireField f;
  for (WireReader m(bytes, bytes.data()); m.next(f);) {
    if (f.number == 1 && f.wire == 0) return ValueProto::tensor;          // dims, unpacked
    if (f.number == 4 || f.number == 9 || f.number == 8 || f.number == 10 || f.number == 11) return ValueProto::tensor;
    if (f.number == 3 && f.wire == 2) return ValueProto::sequence;
  }
  return ValueProto::tensor;
}

Value read_value(std::string_view bytes, ValueProto kind) {
  ReadContext context{bytes.data(), nullptr, "", 64};
  switch (kind) {
    case ValueProto::sequence: return read_sequence(bytes, context);
    case ValueProto::optional: return read_optional(bytes, context);
    default: return read_tensor(bytes, context);
  }
}

}  // namespace onward
