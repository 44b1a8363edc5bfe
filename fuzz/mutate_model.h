// Changes a model in one place, as a hostile or careless writer would: the file stays readable, what it says becomes wrong.
#pragma once
#include <limits>
#include <random>

#include "onward/model/graph.h"
#include "onward/ops/signature.h"

namespace onward::fuzz {

class ModelMutator {
 public:
  explicit ModelMutator(unsigned seed) : random_(seed) {}

  void mutate(Model& model) {
    using Change = void (ModelMutator::*)(Model&);
    static constexpr Change changes[] = {&ModelMutator::change_attribute, &ModelMutator::change_attribute, &ModelMutator::change_attribute,
                                         &ModelMutator::change_initializer, &ModelMutator::change_initializer, &ModelMutator::change_input,
                                         &ModelMutator::change_wiring, &ModelMutator::change_wiring, &ModelMutator::change_operator,
                                         &ModelMutator::repeat_node, &ModelMutator::change_opset};
    for (size_t i = 1 + below(3); i > 0; --i) (this->*changes[below(std::size(changes))])(model);
  }

 private:
  size_t below(size_t n) { return n ? std::uniform_int_distribution<size_t>(0, n - 1)(random_) : 0; }
  template <class T> T& one_of(std::vector<T>& from) { return from[below(from.size())]; }

  int64_t integer() {
    static constexpr int64_t interesting[] = {0, 1, -1, 2, 3, 7, -2, 64, 255, 256, 65535, 1 << 20, int64_t(1) << 31, -(int64_t(1) << 31), int64_t(1) << 40,
                                              std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
    return below(2) ? interesting[below(std::size(interesting))] : int64_t(below(9)) - 3;
  }
  double number() {
    static constexpr double interesting[] = {0, -0.0, 1, -1, 0.5, 1e-45, 1e30, -1e30, 1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()};
    return interesting[below(std::size(interesting))];
  }
  DataType type() { return DataType(1 + below(26)); }
  Dims dims() {
    Dims out;
    for (size_t rank = below(5); rank > 0; --rank) out.push_back(int64_t(below(5)));
    return out;
  }

  Node* node(Model& m) { return m.graph.nodes.empty() ? nullptr : &one_of(m.graph.nodes); }

  template <class T> void change_list(std::vector<T>& list, const T& value) {
    const size_t way = below(4);
    if (way == 0 || list.empty()) list.push_back(value);
    else if (way == 1) list.pop_back();
    else one_of(list) = value;
  }

  void change_attribute(Model& m) {
    Node* n = node(m);
    if (!n || n->attributes.empty()) return;
    const auto it = std::next(n->attributes.begin(), ptrdiff_t(below(n->attributes.size())));
    if (below(8) == 0) return void(n->attributes.erase(it));
    std::visit([&]<class A>(A& value) {
      if constexpr (std::is_same_v<A, int64_t>) value = integer();
      else if constexpr (std::is_same_v<A, float>) value = float(number());
      else if constexpr (std::is_same_v<A, std::string>) value = value.substr(0, below(value.size() + 1));
      else if constexpr (std::is_same_v<A, std::vector<int64_t>>) change_list(value, integer());
      else if constexpr (std::is_same_v<A, std::vector<float>>) change_list(value, float(number()));
      else if constexpr (std::is_same_v<A, std::vector<std::string>>) change_list(value, value.empty() ? std::string("x") : one_of(value));
      else if constexpr (std::is_same_v<A, Tensor>) value = changed(value);
      else if constexpr (std::is_same_v<A, GraphRef>) {
        Model inner{.graph = *value};
        mutate(inner);
        value = std::make_shared<const Graph>(std::move(inner.graph));
      }
    }, it->second);
  }

  Tensor changed(const Tensor& from) {
    if (below(3) == 0) return Tensor(below(2) ? type() : from.type(), dims());      // strings are empty, numbers whatever memory holds: filled below
    Tensor to = from.copy();
    if (to.size() == 0) return to;
    const size_t at = below(size_t(to.size()));
    for_type<every_type - complex_types>(to.type(), [&]<class T>() {
      if constexpr (std::is_same_v<T, std::string>) to.data<T>()[at] = "\xff\xc3";
      else if constexpr (std::is_integral_v<T>) to.data<T>()[at] = T(integer());
      else if constexpr (std::is_floating_point_v<T>) to.data<T>()[at] = T(std::is_same_v<T, double> ? number() : float(number()));
    });
    return to;
  }

  void change_initializer(Model& m) {
    auto& all = m.graph.initializers;
    if (all.empty()) return change_attribute(m);
    Tensor& tensor = std::next(all.begin(), ptrdiff_t(below(all.size())))->second;
    tensor = changed(tensor);
  }

  void change_input(Model& m) {
    if (m.graph.inputs.empty()) return;
    TypeInfo& type_info = one_of(m.graph.inputs).type;
    if (below(3) == 0) type_info.element = type();
    else if (!type_info.shape || type_info.shape->empty() || below(4) == 0) type_info.shape = std::vector<DimInfo>(below(5), DimInfo{.size = 2});
    else if (below(2)) one_of(*type_info.shape).size = int64_t(below(6));
    else one_of(*type_info.shape) = {.size = {}, .name = "n"};
  }

  void change_wiring(Model& m) {
    Node* n = node(m);
    if (!n) return;
    std::vector<std::string> names{""};
    for (const ValueInfo& input : m.graph.inputs) names.push_back(input.name);
    for (const auto& [name, tensor] : m.graph.initializers) names.push_back(name);
    for (const Node& other : m.graph.nodes) names.insert(names.end(), other.outputs.begin(), other.outputs.end());
    change_list(below(8) ? n->inputs : n->outputs, one_of(names));
  }

  void change_operator(Model& m) {
    const auto all = standard_signatures();
    if (Node* n = node(m)) n->op = all[below(all.size())].op, n->domain = all[below(all.size())].domain;
  }

  void repeat_node(Model& m) {
    if (m.graph.nodes.empty()) return;
    Node again = one_of(m.graph.nodes);
    if (!again.inputs.empty() && !again.outputs.empty()) again.inputs[0] = again.outputs[0];
    for (std::string& name : again.outputs) name += "'";
    m.graph.nodes.push_back(again);
    if (!m.graph.outputs.empty() && !again.outputs.empty()) one_of(m.graph.outputs).name = again.outputs[0];
  }

  void change_opset(Model& m) {
    if (!m.opsets.empty()) std::next(m.opsets.begin(), ptrdiff_t(below(m.opsets.size())))->second = 1 + int64_t(below(28));
  }

  std::minstd_rand random_;
};

}  // namespace onward::fuzz
