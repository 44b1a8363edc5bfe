// ModelProto in: field numbers are those of onnx.proto.
#include <filesystem>

#include "onward/model/sort_nodes.h"
#include "onward/model/type_proto.h"

namespace onward {
namespace {

Graph read_graph(std::string_view bytes, ReadContext& context);

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
  std::vector<int32_t> small_ints;                        // of trees, as long as all of them fit
  std::vector<std::string> strings;
  FewTexts few_texts;                                     // of trees, as long as few of them differ
  std::vector<Tensor> tensors;
  std::vector<GraphRef> graphs;
  std::vector<TypeInfo> types;

  // Files of IR 1 and 2 may leave the kind out.
  uint64_t found() const {
    if (kind) return kind;
    return t ? 4 : g ? 5 : !floats.empty() ? 6 : !ints.empty() || !small_ints.empty() ? 7 : !strings.empty() || few_texts.size() ? 8 : !s.empty() ? 3 : f != 0 ? 1 : 2;
  }
};

Attribute attribute_of(AttributeFields&& a) {
  const uint64_t kind = a.found();
  if (!a.of_caller.empty()) return AttributeOfCaller{a.of_caller, int(a.kind)};
  if ((kind == 4 && !a.t) || (kind == 5 && !a.g) || (kind == 11 && !a.sparse.values) || (kind == 13 && a.type.kind == TypeInfo::Kind::none))
    fail(Code::bad_model, "attribute '", a.name, "' has kind ", kind, ", but no value of that kind");
  switch (kind) {
    case 1: return a.f;
    case 2: return a.i;
    case 3: return std::move(a.s);
    case 4: return std::move(a.t);
    case 5: return std::move(a.g);
    case 6: return std::move(a.floats);
    case 7: if (!a.small_ints.empty()) return std::move(a.small_ints); else return std::move(a.ints);
    case 8: if (a.few_texts.size()) return std::move(a.few_texts); else return std::move(a.strings);
    case 9: return std::move(a.tensors);
    case 10: return std::move(a.graphs);
    case 11: return std::move(a.sparse);
    case 13: return std::move(a.type);
    default: return std::move(a.types);
  }
}

void read_integers(const WireField& f, WireReader& more, bool of_trees, const char* file, AttributeFields& a) {
  if (of_trees && a.ints.empty() && append_varints(f, a.small_ints, file)) return more.take_integers(f.number, a.small_ints);
  if (!a.small_ints.empty()) a.ints.assign(a.small_ints.begin(), a.small_ints.end()), a.small_ints = {};
  append_varints(f, a.ints, file), more.take_integers(f.number, a.ints);
}

void read_texts(const WireField& f, WireReader& more, bool of_trees, ReadContext& context, AttributeFields& a) {
  if (of_trees && a.strings.empty() && a.few_texts.add(f.body())) return more.take_texts(f.number, a.few_texts);
  const size_t before = a.strings.size();
  if (a.few_texts.size()) a.strings = a.few_texts.texts(), a.few_texts = {};
  a.strings.emplace_back(f.body()), more.take_texts(f.number, a.strings);
  context.charge((a.strings.size() - before) * sizeof(std::string));
}

void read_attribute(std::string_view bytes, ReadContext& context, Attributes& into, bool of_trees = false) {
  context.charge(sizeof(Attribute) + 96);
  AttributeFields a;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: a.name = f.text(); break;
    case 2: a.f = f.real(); break;
    case 3: a.i = int64_t(f.integer()); break;
    case 4: a.s = f.body(); break;
    case 5: a.t = read_tensor(f.body(), context); break;
    case 6: a.g = std::make_shared<const Graph>(read_graph(f.body(), context)); break;
    case 7: append_floats(f, a.floats), m.take_floats(7, a.floats); break;
    case 8: read_integers(f, m, of_trees, context.file, a); break;
    case 9: read_texts(f, m, of_trees, context, a); break;
    case 10: a.tensors.push_back(read_tensor(f.body(), context)); break;
    case 11: a.graphs.push_back(std::make_shared<const Graph>(read_graph(f.body(), context))); break;
    case 14: a.type = read_type(f.body(), context); break;
    case 15: a.types.push_back(read_type(f.body(), context)); break;
    case 20: a.kind = f.integer(); break;
    case 21: a.of_caller = f.text(); break;
    case 22: a.sparse = read_sparse(f.body(), context); break;
    default: break;
  }
  if (a.name.empty()) fail(Code::bad_model, "an attribute has no name");
  if (a.kind > 14) fail(Code::bad_model, "attribute '", a.name, "' has kind ", a.kind, ", which is not in the standard");
  if (a.kind == 12) unsupported("attribute '", a.name, "': a list of sparse tensors");
  const std::string name = a.name;
  if (!into.emplace(name, attribute_of(std::move(a))).second) fail(Code::bad_model, "attribute '", name, "' is given twice");
}

std::string plain_domain(const WireField& f) {
  std::string domain = f.text();
  return domain == "ai.onnx" ? std::string() : domain;
}

Node read_node(std::string_view bytes, ReadContext& context) {
  context.charge(sizeof(Node));
  Node node;
  std::vector<std::string_view> attributes;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: context.charge(sizeof(std::string)), node.inputs.push_back(f.text()); break;
    case 2: context.charge(sizeof(std::string)), node.outputs.push_back(f.text()); break;
    case 3: node.name = f.text(); break;
    case 4: node.op = f.text(); break;
    case 5: context.charge(sizeof(std::string_view)), attributes.push_back(f.body()); break;
    case 6: node.doc = f.text(); break;
    case 7: node.domain = plain_domain(f); break;
    case 8: node.overload = f.text(); break;
    case 9: node.metadata.insert(read_entry(f, context)); break;
    default: break;
  }
  try {
    const bool of_trees = node.domain == "ai.onnx.ml" && node.op.starts_with("TreeEnsemble");
    for (std::string_view a : attributes) read_attribute(a, context, node.attributes, of_trees);
  } catch (Error& e) {
    throw e.within(shown(node));
  }
  return node;
}

Graph read_graph(std::string_view bytes, ReadContext& context) {
  const Level level(context);
  context.charge(sizeof(Graph));
  Graph graph;
  const auto initializer = [&](std::string name, Tensor t) {
    if (name.empty()) fail(Code::bad_model, "an initializer has no name");
    const std::string key = name;
    if (!graph.initializers.emplace(std::move(name), std::move(t)).second) fail(Code::bad_model, "initializer '", key, "' is given twice");
  };
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: graph.nodes.push_back(read_node(f.body(), context)); break;
    case 2: graph.name = f.text(); break;
    case 5: { std::string name; Tensor t = read_tensor(f.body(), context, &name); initializer(name, std::move(t)); break; }
    case 10: graph.doc = f.text(); break;
    case 11: graph.inputs.push_back(read_value_info(f.body(), context)); break;
    case 12: graph.outputs.push_back(read_value_info(f.body(), context)); break;
    case 13: graph.values.push_back(read_value_info(f.body(), context)); break;
    case 16: graph.metadata.insert(read_entry(f, context)); break;
    case 15: { std::string name; const SparseTensor s = read_sparse(f.body(), context, &name); initializer(name, s.dense()); break; }
    default: break;
  }
  return graph;
}

void read_opset(std::string_view bytes, ReadContext& context, Opsets& into) {
  std::string domain;
  int64_t version = 1;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) {
    if (f.number == 1) domain = plain_domain(f);
    if (f.number == 2) version = int64_t(f.integer());
  }
  context.charge(128);
  into[domain] = version;
}

Function read_function(std::string_view bytes, ReadContext& context) {
  context.charge(sizeof(Function));
  Function out;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: out.name = f.text(); break;
    case 4: context.charge(sizeof(std::string)), out.inputs.push_back(f.text()); break;
    case 5: context.charge(sizeof(std::string)), out.outputs.push_back(f.text()); break;
    case 6: context.charge(sizeof(std::string)), out.attributes.push_back(f.text()); break;
    case 7: out.nodes.push_back(read_node(f.body(), context)); break;
    case 9: read_opset(f.body(), context, out.opsets); break;
    case 10: out.domain = plain_domain(f); break;
    case 11: read_attribute(f.body(), context, out.defaults); break;
    case 8: out.doc = f.text(); break;
    case 12: out.values.push_back(read_value_info(f.body(), context)); break;
    case 13: out.overload = f.text(); break;
    case 14: out.metadata.insert(read_entry(f, context)); break;
    default: break;
  }
  return out;
}

}  // namespace

Model read_model(std::string_view bytes, std::shared_ptr<const void> owner, const std::string& folder, const ReadLimits& limits, ExternalFiles files) {
  ReadContext context(bytes, std::move(owner), folder, limits);
  context.external = std::move(files);
  Model model;
  bool has_version = false, has_graph = false, has_opset = false;
  WireField f;
  for (WireReader m(bytes, context.file); m.next(f);) switch (f.number) {
    case 1: model.ir_version = int64_t(f.integer()), has_version = true; break;
    case 2: model.producer = f.text(); break;
    case 3: model.producer_version = f.text(); break;
    case 4: model.domain = f.text(); break;
    case 5: model.model_version = int64_t(f.integer()); break;
    case 6: model.doc = f.text(); break;
    case 7:
      if (std::exchange(has_graph, true)) fail(Code::bad_file, "byte ", f.at, ": a second graph");
      model.graph = read_graph(f.body(), context);
      break;
    case 8: read_opset(f.body(), context, model.opsets); has_opset = true; break;
    case 14: model.metadata.insert(read_entry(f, context)); break;
    case 25: model.functions.push_back(read_function(f.body(), context)); break;
    default: break;
  }
  if (!has_graph) fail(Code::bad_file, "this is no ONNX model: it has no graph");
  if (!has_version || model.ir_version < 1) fail(Code::bad_model, "the model does not say which version of the ONNX IR it uses");
  if (model.ir_version > newest_ir_version)
    throw Error(Code::bad_model, text("the model uses IR version ", model.ir_version, ", the newest that is known is ", newest_ir_version), "export it for an older IR version");
  if (!has_opset && model.ir_version < 3) model.opsets[""] = 1;
  put_in_order(model);
  return model;
}

Model load_model(const std::string& path, const ReadLimits& limits) {
  const MappedFile file = map_file(path);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  try {
    return read_model(file.bytes, file.owner, folder.empty() ? "." : folder, limits);
  } catch (Error& e) {
    // No ONNX file begins so: protocols 2 and later of pickle, zip archives (skops), zlib and gzip (joblib).
    for (const std::string_view start : {"\x80", "PK\3\4", "\x78", "\x1f\x8b"})
      if (e.code == Code::bad_file && e.hint.empty() && file.bytes.starts_with(start))
        e.hint = "if it is a fitted model, `onward convert` makes an ONNX model of it";
    throw e.within("reading " + path);
  }
}

}  // namespace onward
