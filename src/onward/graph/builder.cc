// Values, nodes and their merging. How the finished graph is written down: finished_graph.cc.
#include "onward/graph/builder.h"

namespace onward {
namespace {

constexpr size_t most_nodes = 4'000'000, longest_scope = 200;

// The text under which an equal node or constant is found again. Large tensors are equal if they are the same bytes.
constexpr int64_t small = 4096;
void put(std::string& key, const Tensor& t) {
  key += text(int(t.type()), shown(t.dims()), t.size() <= small ? "=" : "@");
  if (t.size() > small) key += text(reinterpret_cast<uintptr_t>(t.raw()));
  else if (t.type() == DataType::str)
    for (const std::string& s : t.values<std::string>()) key += text(s.size(), ":", s);
  else key.append(static_cast<const char*>(t.raw()), t.bytes());
}
template <class T>
void put(std::string& key, const T& other) {
  if constexpr (std::is_arithmetic_v<T>) key += text(other, ",");
  else if constexpr (std::is_same_v<T, std::string>) key += text(other.size(), ":", other);
  else if constexpr (std::is_same_v<T, GraphRef>) key += text("graph ", reinterpret_cast<uintptr_t>(other.get()));
  else if constexpr (requires { other.begin(); })
    for (const auto& item : other) put(key, item);
  else key += text("@", reinterpret_cast<uintptr_t>(&other));  // a type: never merged
}
void put_attribute(std::string& key, const Attribute& a) {
  key += text("#", a.index(), " ");
  std::visit([&](const auto& value) { put(key, value); }, a);
}

}  // namespace

DataType Expr::type() const { return graph->at(id).type; }
const Dims& Expr::shape() const { return graph->at(id).shape; }
const std::string& Expr::name() const { return graph->at(id).name; }
std::string shown(const Expr& e) { return text(name_of(e.type()), " ", e.graph->shown(e.shape())); }

GraphBuilder::GraphBuilder() : names_(std::make_shared<std::set<std::string>>()) { ONWARD_CHECK(symbols_.named("batch") == rows); }

std::string GraphBuilder::unused(std::string name) {
  while (!names_->insert(name).second) name += "_";
  return name;
}

int GraphBuilder::new_value(std::string name, Result result, int node) {
  values_.push_back({unused(std::move(name)), result.type, std::move(result.shape), node});
  return int(values_.size()) - 1;
}

Expr GraphBuilder::input(std::string name, DataType type, Dims shape) {
  if (name.empty()) fail(Code::unsupported_estimator, "input ", inputs_.size(), " has an empty name, which ONNX cannot say");
  if (names_->contains(name)) fail(Code::unsupported_estimator, "two inputs are called '", name, "'");
  inputs_.push_back(new_value(std::move(name), {type, std::move(shape)}, -1));
  return {this, inputs_.back()};
}

void GraphBuilder::drop_input(Expr input) {
  ONWARD_CHECK(open(input));
  std::erase(inputs_, input.id);
}

void GraphBuilder::decide(Expr input, DataType type) { values_[size_t(input.id)].type = type; }

Expr GraphBuilder::constant(const Tensor& tensor) {
  std::string key = "constant ";
  put(key, tensor);
  std::vector<int>& ids = known_[key];
  if (ids.empty()) {
    ids = {new_value(text(scope_, "constant_", values_.size()), {tensor.type(), tensor.dims()}, -1)};
    constants_.emplace(ids[0], tensor);
  }
  return {this, ids[0]};
}

const Tensor* GraphBuilder::constant_value(Expr e) const {
  const auto found = constants_.find(e.id);
  return found == constants_.end() ? nullptr : &found->second;
}

int64_t GraphBuilder::use_domain(const std::string& domain, int64_t least) {
  int64_t& version = domains_[domain];
  const bool ours = domain.empty() || domain == "ai.onnx.ml";
  return version = ours ? version : std::max(version, least);
}

int GraphBuilder::draft(std::string op, std::vector<Expr>& inputs, Attributes attributes, std::vector<Result>& results,
                        std::string domain) {
  if (nodes_.size() >= most_nodes) fail(Code::limit_size, "the model needs more than ", most_nodes, " nodes");
  const int at = int(nodes_.size());
  Draft node{op, std::move(domain), unused(text(scope_, op, "_", at)), {}, {}, {}, {}, {}};
  for (size_t i = 0; i < results.size(); ++i) {
    // A node's name is its first output's too: names of nodes and of values are different things to ONNX.
    values_.push_back({i ? unused(text(node.name, ":", i)) : node.name, results[i].type, results[i].shape, at});
    node.outputs.push_back(int(values_.size()) - 1);
  }
  for (const Expr& e : inputs) {
    ONWARD_CHECK(e.graph == this);
    node.inputs.push_back(e.id);
  }
  for (const auto& [name, a] : attributes)  // what a body uses of this graph must be there when the node runs
    if (auto* body = std::get_if<GraphRef>(&a))
      if (auto found = borrowed_.find(body->get()); found != borrowed_.end())
        node.borrowed.insert(node.borrowed.end(), found->second.begin(), found->second.end());
  node.attributes = std::move(attributes);
  nodes_.push_back(std::move(node));
  return at;
}

std::vector<Expr> GraphBuilder::add(std::string op, std::vector<Expr> inputs, Attributes attributes, std::vector<Result> results,
                                    std::string domain) {
  std::string key = text(domain, ".", op);
  for (const Expr& e : inputs) key += text(" ", e.id);
  for (const auto& [name, a] : attributes) key += text(" ", name, "="), put_attribute(key, a);
  std::vector<int>& ids = known_[key];
  if (ids.empty()) ids = nodes_[size_t(draft(std::move(op), inputs, std::move(attributes), results, std::move(domain)))].outputs;
  std::vector<Expr> out;
  for (int id : ids) out.push_back({this, id});
  return out;
}

Expr GraphBuilder::add(std::string op, std::vector<Expr> inputs, Attributes attributes, Result result, std::string domain) {
  return add(std::move(op), std::move(inputs), std::move(attributes), std::vector<Result>{std::move(result)}, std::move(domain))[0];
}

Expr GraphBuilder::add_large(std::string op, std::vector<Expr> inputs, std::function<Attributes()> attributes, const std::string& same,
                             Result result, std::string domain) {
  std::string key = text("large ", same);
  for (const Expr& e : inputs) key += text(" ", e.id);
  std::vector<int>& ids = known_[key];
  if (ids.empty()) {
    std::vector<Result> results{std::move(result)};
    Draft& node = nodes_[size_t(draft(std::move(op), inputs, {}, results, std::move(domain)))];
    node.large = std::move(attributes);
    ids = node.outputs;
  }
  return {this, ids[0]};
}

std::unique_ptr<GraphBuilder> GraphBuilder::body() {
  auto inner = std::make_unique<GraphBuilder>();
  inner->parent_ = this, inner->names_ = names_, inner->scope_ = scope_ + "body/";
  return inner;
}

Expr GraphBuilder::outer(Expr value) {
  ONWARD_CHECK(parent_ && value.graph == parent_);
  auto [found, fresh] = outer_.try_emplace(value.id, 0);
  if (fresh) {
    values_.push_back({value.name(), value.type(), value.shape(), -1});
    found->second = int(values_.size()) - 1;
  }
  return {this, found->second};
}

GraphRef GraphBuilder::finish(const std::vector<Expr>& results) {
  ONWARD_CHECK(parent_ != nullptr);
  std::vector<Output> outputs;
  for (const Expr& e : results) outputs.push_back({text(scope_, "result_", outputs.size()), e});
  auto done = std::make_shared<const Graph>(graph(outputs));
  for (const auto& [outer, ours] : outer_) parent_->borrowed_[done.get()].push_back(outer), parent_->kept_names_.insert(outer);
  return done;
}

GraphBuilder::Scope::Scope(GraphBuilder& g, std::string_view part) : graph_(g), before_(g.scope_) {
  if (before_.size() + part.size() < longest_scope) g.scope_ += text(part, "/");
}

}  // namespace onward
