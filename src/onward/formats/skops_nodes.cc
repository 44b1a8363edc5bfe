#include "onward/formats/skops_nodes.h"

#include "onward/formats/json_values.h"
#include "onward/formats/npy_member.h"
#include "onward/formats/numpy_dtype.h"
#include "onward/formats/numpy_values.h"
#include "onward/formats/pickle_text.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

// A node is a small dict: a large one would make each look-up slow.
Value field(const Value& node, std::string_view key) {
  constexpr size_t entries_max = 16;
  if (!node.is(Kind::dict) || node.items().size() > 2 * entries_max) fail(Code::bad_file, "expected a skops node with '", key, "'");
  const auto found = node.find(key);
  if (!found) fail(Code::bad_file, "a skops node lacks '", key, "'");
  return *found;
}
bool has_field(const Value& node, std::string_view key) { return node.find(key).has_value(); }
std::string_view text_field(const Value& node, std::string_view key) {
  const Value v = field(node, key);
  if (!v.is(Kind::text)) fail(Code::bad_file, "'", key, "' of a skops node is ", plain::name(v.kind));
  return v.str();
}

Value global(SkopsNodes& nodes, std::string_view module, std::string_view name) {
  Value v;
  v.kind = Kind::global, v.global = nodes.arena().make(plain::Global{module, name});
  return v;
}
Value class_of(SkopsNodes& nodes, const Value& node) {
  return global(nodes, text_field(node, "__module__"), text_field(node, "__class__"));
}
Value object(SkopsNodes& nodes, Value callee, Value args, Value state = {}) {
  Value v;
  v.kind = Kind::object, v.object = nodes.arena().make(plain::Object{callee, args, state});
  return v;
}
Value tuple(SkopsNodes& nodes, std::initializer_list<Value> items) {
  return plain::sequence(nodes.arena(), Kind::tuple, {items.begin(), items.size()});
}

// JSON's keys are texts; beside the content stands which type each key had.
Value key_of(SkopsNodes& nodes, Value key, const Value& type) {
  const std::string_view name = text_field(type, "__class__");
  if (name.starts_with("int") || name.starts_with("uint")) return integer_of_digits(nodes.arena(), key.str());
  if (name.starts_with("float")) return read_json_values(nodes.arena(), key.str());
  if (name.starts_with("bool")) return plain::boolean(key.str() == "true" || key.str() == "True");
  if (name == "NoneType") return Value();
  return key;
}

Value dict_node(SkopsNodes& nodes, const Value& node) {
  const std::span<const Value> entries = field(node, "content").items();
  const Value key_types = field(field(node, "key_types"), "content");
  const std::span<const Value> types = key_types.items();
  const Value dict = plain::sequence(nodes.arena(), Kind::dict);
  for (size_t i = 0; i + 1 < entries.size(); i += 2) {
    dict.sequence->push(nodes.arena(), i / 2 < types.size() ? key_of(nodes, entries[i], types[i / 2]) : entries[i]);
    dict.sequence->push(nodes.arena(), nodes.value(entries[i + 1]));
  }
  const std::string_view name = text_field(node, "__class__");
  if (name == "dict" || name == "OrderedDict" || name == "defaultdict") return dict;
  const Value v = object(nodes, class_of(nodes, node), tuple(nodes, {}));   // a subclass, such as Bunch
  v.object->dict = dict.sequence;
  return v;
}
Value wrapped_dict_node(SkopsNodes& nodes, const Value& node) { return nodes.value(field(field(node, "content"), "main")); }

template <Kind kind> Value sequence_node(SkopsNodes& nodes, const Value& node) {
  const Value v = plain::sequence(nodes.arena(), kind, nodes.values(field(node, "content")));
  if (kind != Kind::tuple || text_field(node, "__class__") == "tuple") return v;
  return object(nodes, class_of(nodes, node), v);   // a named tuple
}

Value json_node(SkopsNodes& nodes, const Value& node) { return read_json_values(nodes.arena(), text_field(node, "content")); }

Value object_node(SkopsNodes& nodes, const Value& node) {
  return object(nodes, class_of(nodes, node), tuple(nodes, {}), has_field(node, "content") ? nodes.value(field(node, "content")) : Value());
}
Value reduce_node(SkopsNodes& nodes, const Value& node) {
  const Value args = nodes.value(field(field(node, "__reduce__"), "args"));
  const Value state = nodes.value(field(node, "content"));   // empty where a pickle has none
  return object(nodes, class_of(nodes, node), args, state.items().empty() ? Value() : state);
}
Value constructor_node(SkopsNodes& nodes, const Value& node) {
  const Value callee = class_of(nodes, node), args = nodes.value(field(node, "content"));
  const auto known = known_call(nodes.arena(), *callee.global, args);   // a frozenset
  return known ? *known : object(nodes, callee, args);
}
Value operator_node(SkopsNodes& nodes, const Value& node) {
  return object(nodes, class_of(nodes, node), nodes.value(field(node, "attrs")));
}

Value function_node(SkopsNodes& nodes, const Value& node) {
  if (!has_field(node, "content")) return class_of(nodes, node);
  const Value content = field(node, "content");   // protocol 0
  return global(nodes, text_field(content, "module_path"), text_field(content, "function"));
}
Value method_node(SkopsNodes& nodes, const Value& node) {
  const Value content = field(node, "content");
  return object(nodes, global(nodes, "builtins", "getattr"), tuple(nodes, {nodes.value(field(content, "obj")), field(content, "func")}));
}
Value partial_node(SkopsNodes& nodes, const Value& node) {
  const Value content = field(node, "content"), function = nodes.value(field(content, "func"));
  const Value args = nodes.value(field(content, "args")), named = nodes.value(field(content, "kwds"));
  return object(nodes, class_of(nodes, node), tuple(nodes, {function}), tuple(nodes, {function, args, named, Value()}));
}
Value slice_node(SkopsNodes& nodes, const Value& node) {
  const Value content = field(node, "content");
  return object(nodes, class_of(nodes, node), tuple(nodes, {field(content, "start"), field(content, "stop"), field(content, "step")}));
}
Value random_node(SkopsNodes& nodes, const Value& node) {
  return object(nodes, class_of(nodes, node), tuple(nodes, {}));   // its state is in no formula
}

Value bytes_node(SkopsNodes& nodes, const Value& node) { return plain::text(nodes.arena(), nodes.file_of(node), Kind::bytes); }

// An object array of several dimensions is written as lists of lists.
void flatten(SkopsNodes& nodes, const Value& list, std::span<const int64_t> shape, plain::Sequence& out) {
  const std::span<const Value> items = list.items();
  if (!list.is(Kind::list) || static_cast<int64_t>(items.size()) != shape[0])
    fail(Code::bad_file, "an object array does not have its shape");
  for (const Value& item : items) {
    if (shape.size() == 1) out.push(nodes.arena(), nodes.value(item));
    else flatten(nodes, field(item, "content"), shape.subspan(1), out);
  }
}

Value object_array(SkopsNodes& nodes, const Value& node) {
  Value type;
  type.kind = Kind::dtype, type.dtype = nodes.arena().make(parse_dtype("O"));
  plain::NdArray array = described_array(nodes.arena(), type, nodes.value(field(node, "shape")), false);
  if (array.shape.empty()) fail(Code::unsupported_format, "an object array of no dimensions");
  const Value items = plain::sequence(nodes.arena(), Kind::list);
  flatten(nodes, field(node, "content"), array.shape, *items.sequence);
  set_objects(array, items.items());
  return array_value(nodes.arena(), array);
}

Value array_node(SkopsNodes& nodes, const Value& node) {
  if (text_field(node, "type") == "json") return object_array(nodes, node);
  const Value array = read_npy(nodes.arena(), nodes.file_of(node));
  const bool is_scalar = array.array->shape.empty() && text_field(node, "__class__") != "ndarray";   // numpy.int64 and its like
  return is_scalar ? scalar(nodes.arena(), *array.array->type, array.array->bytes) : array;
}
Value dtype_node(SkopsNodes& nodes, const Value& node) {
  const Value array = nodes.value(field(node, "content"));   // an empty one
  if (!array.is(Kind::array)) fail(Code::bad_file, "a dtype is told by ", plain::name(array.kind));
  Value v;
  v.kind = Kind::dtype, v.dtype = nodes.arena().make(plain::DType(*array.array->type));
  return v;
}
Value masked_array_node(SkopsNodes& nodes, const Value& node) {
  const Value content = field(node, "content");
  return object(nodes, class_of(nodes, node), tuple(nodes, {nodes.value(field(content, "data")), nodes.value(field(content, "mask"))}));
}

// scipy's own .npz of a sparse matrix, given the fields that its pickle has.
Value sparse_node(SkopsNodes& nodes, const Value& node) {
  ZipReader parts(nodes.file_of(node), nodes.arena());
  const Value state = plain::sequence(nodes.arena(), Kind::dict);
  auto put = [&](std::string_view key, Value v) {
    state.sequence->push(nodes.arena(), plain::text(nodes.arena(), key));
    state.sequence->push(nodes.arena(), v);
  };
  for (const char* key : {"data", "indices", "indptr", "row", "col", "offsets"})
    if (parts.has(text(key, ".npy"))) put(key, read_npy(nodes.arena(), parts.read(text(key, ".npy"))));
  const Value shape = read_npy(nodes.arena(), parts.read("shape.npy"));
  const plain::NdArray& a = *shape.array;
  if (a.size() > 2 || a.type->size == 0) fail(Code::bad_file, "a sparse matrix has ", a.size(), " dimensions");
  const Value sizes = plain::sequence(nodes.arena(), Kind::tuple);
  for (int64_t i = 0; i < a.size(); ++i)
    sizes.sequence->push(nodes.arena(), scalar(nodes.arena(), *a.type, a.bytes.substr(size_t(i) * a.type->size, a.type->size)));
  put("_shape", sizes);
  return object(nodes, class_of(nodes, node), tuple(nodes, {}), state);
}

Value cached_node(SkopsNodes& nodes, const Value& node) { return nodes.cached(node); }

struct NodeKind {
  std::string_view loader;
  Value (*value)(SkopsNodes&, const Value& node);
};
constexpr NodeKind kinds[] = {
    {"JsonNode", json_node},
    {"NdArrayNode", array_node},
    {"ObjectNode", object_node},
    {"DictNode", dict_node},
    {"ListNode", sequence_node<Kind::list>},
    {"TupleNode", sequence_node<Kind::tuple>},
    {"SetNode", sequence_node<Kind::set>},
    {"TypeNode", class_of},
    {"FunctionNode", function_node},
    {"TreeNode", reduce_node},
    {"LossNode", reduce_node},
    {"QuantileForestNode", reduce_node},
    {"ConstructorFromReduceNode", constructor_node},
    {"OperatorFuncNode", operator_node},
    {"MethodNode", method_node},
    {"PartialNode", partial_node},
    {"SliceNode", slice_node},
    {"DTypeNode", dtype_node},
    {"MaskedArrayNode", masked_array_node},
    {"SparseMatrixNode", sparse_node},
    {"BytesNode", bytes_node},
    {"BytearrayNode", bytes_node},
    {"RandomStateNode", random_node},
    {"RandomGeneratorNode", random_node},
    {"DefaultDictNode", wrapped_dict_node},
    {"_DictWithDeprecatedKeysNode", wrapped_dict_node},
    {"CachedNode", cached_node},
};

}  // namespace

Value SkopsNodes::value(const Value& node) {
  constexpr int depth_max = 200;
  const std::string_view loader = text_field(node, "__loader__");
  for (const NodeKind& kind : kinds) {
    if (kind.loader != loader) continue;
    if (++depth_ > depth_max) fail(Code::limit_size, "skops nodes are nested more than ", depth_max, " levels deep");
    const Value v = kind.value(*this, node);
    --depth_;
    if (const auto id = node.find("__id__"); id && id->is(Kind::integer)) by_id_.emplace(id->integer, v);
    return v;
  }
  fail(Code::unsupported_format, "skops nodes of kind '", loader.substr(0, 60), "'");
}

std::span<const Value> SkopsNodes::values(const Value& list) {
  const std::span<const Value> nodes = list.items();
  if (!list.is(Kind::list)) fail(Code::bad_file, "a skops node's items are ", plain::name(list.kind), "; expected a list");
  auto* out = arena_.array<Value>(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) out[i] = value(nodes[i]);
  return {out, nodes.size()};
}

std::string_view SkopsNodes::file_of(const Value& node) { return files_.read(text_field(node, "file")); }

Value SkopsNodes::cached(const Value& node) const {
  const Value id = field(node, "__id__");
  const auto found = id.is(Kind::integer) ? by_id_.find(id.integer) : by_id_.end();
  if (found == by_id_.end()) fail(Code::bad_file, "a skops node stands for one that was not there before it");
  return found->second;
}

}  // namespace onward::formats
