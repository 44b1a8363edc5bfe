// A model as its file states it: graphs of nodes in order, values by name. What an operator means is not known here.
#pragma once
#include <map>
#include <memory>
#include <optional>

#include "onward/base/error.h"
#include "onward/model/few_texts.h"
#include "onward/model/tensor.h"

namespace onward {

struct Graph;
using GraphRef = std::shared_ptr<const Graph>;

// A declared size: known, named, or neither.
struct DimInfo {
  std::optional<int64_t> size;
  std::string name;
  bool operator==(const DimInfo&) const = default;
};

// A declared type (TypeProto).
struct TypeInfo {
  enum class Kind : uint8_t { none, tensor, sequence, map, optional, sparse };
  Kind kind = Kind::none;
  DataType element = DataType::none;                     // of a tensor; the key of a map
  std::optional<std::vector<DimInfo>> shape;             // absent: not even the rank is known
  std::shared_ptr<const TypeInfo> item;                  // of a sequence or optional; the value of a map
  std::string denotation;

  static TypeInfo tensor(DataType element, std::optional<std::vector<DimInfo>> shape = {}) { return {Kind::tensor, element, std::move(shape), {}, {}}; }
  DataType innermost() const { return item && kind != Kind::map ? item->innermost() : element; }
};
std::string shown(const TypeInfo& type);                 // "float [batch, 3]", "seq(map(string, float))"

struct ValueInfo {
  std::string name;
  TypeInfo type;
  std::string doc = {};
  std::map<std::string, std::string> metadata = {};
};

struct SparseTensor {
  Tensor values, indices;                                // indices: (nnz) of the flattened tensor, or (nnz, rank)
  Dims dims;
  Tensor dense() const;                                  // throws for indices outside dims
};

// In the body of a function: the value that the calling node has for `name`.
struct AttributeOfCaller {
  std::string name;
  int kind = 0;                                          // as AttributeProto.type numbers them; 0: not said
};

// The last two are how a file's lists of trees are held, which have millions of items: `read` gives them as the lists they are.
using Attribute = std::variant<int64_t, float, std::string, Tensor, GraphRef, TypeInfo, SparseTensor, std::vector<int64_t>, std::vector<float>,
                               std::vector<std::string>, std::vector<Tensor>, std::vector<GraphRef>, std::vector<TypeInfo>, AttributeOfCaller,
                               std::vector<int32_t>, FewTexts>;

// The attributes a node was given; `read` leaves the standard's default where the node says nothing.
struct Attributes : std::map<std::string, Attribute, std::less<>> {
  using map::map;
  template <class T> void read(std::string_view name, T& into) const {
    const auto it = find(name);
    if (it == end()) return;
    if (auto* value = std::get_if<T>(&it->second)) { into = *value; return; }
    if constexpr (std::is_same_v<T, std::vector<int64_t>>)
      if (auto* small = std::get_if<std::vector<int32_t>>(&it->second)) return into.assign(small->begin(), small->end());
    if constexpr (std::is_same_v<T, std::vector<std::string>>)
      if (auto* few = std::get_if<FewTexts>(&it->second)) { into = few->texts(); return; }
    if (!is_empty_list(it->second)) fail(Code::bad_model, "attribute '", name, "' has another type than the standard states");
  }
  template <class T> void read(std::string_view name, std::optional<T>& into) const {
    if (contains(name)) read(name, into.emplace());
  }

 private:
  // An empty list carries no type in some writers' files.
  static bool is_empty_list(const Attribute& a) {
    const auto empty = [&]<class L>() { auto* list = std::get_if<L>(&a); return list && list->empty(); };
    return empty.operator()<std::vector<float>>() || empty.operator()<std::vector<int64_t>>() || empty.operator()<std::vector<std::string>>();
  }
};

struct Node {
  std::string domain = {}, op = {}, name = {};           // domain "" is ai.onnx
  std::vector<std::string> inputs = {}, outputs = {};    // "" where an optional one is left out
  Attributes attributes = {};
  std::string overload = {}, doc = {};
  std::map<std::string, std::string> metadata = {};
};
std::string shown(const Node& node);                     // "node 'scale/Div_3' (Div)", the first output where it has no name

struct Graph {
  std::string name = {};
  std::vector<ValueInfo> inputs = {}, outputs = {};
  std::vector<ValueInfo> values = {};                    // declared types of values in between
  std::map<std::string, Tensor, std::less<>> initializers = {};
  std::vector<Node> nodes = {};                          // each after those whose outputs it reads
  std::string doc = {};
  std::map<std::string, std::string> metadata = {};
};

using Opsets = std::map<std::string, int64_t, std::less<>>;   // domain -> version

// A function of the model: nodes of (domain, name, overload) stand for its body.
struct Function {
  std::string domain, name, overload;
  std::vector<std::string> inputs, outputs;
  std::vector<std::string> attributes;                   // those a caller must give
  Attributes defaults;                                   // those a caller may give
  std::vector<Node> nodes;
  Opsets opsets;
  std::string doc;
  std::vector<ValueInfo> values;                         // declared types of its values
  std::map<std::string, std::string> metadata;
};

struct Model {
  int64_t ir_version = 10;
  std::string producer = {}, producer_version = {}, domain = {}, doc = {};
  int64_t model_version = 0;
  Opsets opsets = {};
  Graph graph = {};
  std::vector<Function> functions = {};
  std::map<std::string, std::string> metadata = {};
};

}  // namespace onward
