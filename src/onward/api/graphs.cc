// Graphs through the C interface: formulas and nodes over the expression builder, for models and for converters.
#include "onward/api/graph_handle.h"

#include "onward/graph/expression.h"
#include "onward/model/onnx_file.h"

using namespace onward;
using onward::api::buffer_of;
using onward::api::guarded;
using onward::api::require;

Expr onward_graph::value(onward_expr id) const {
  if (!graph->has(id)) fail(Code::usage, "value ", id, " is none of this graph");
  return graph->value(id);
}

namespace {

NamedExprs named_values(const onward_graph* graph, const char* const* names, const onward_expr* values, size_t count) {
  if (count) require(names, "names"), require(values, "values");
  NamedExprs out;
  for (size_t i = 0; i < count; ++i) {
    require(names[i], "a name");
    if (!out.emplace(names[i], graph->value(values[i])).second) fail(Code::usage, "the name '", names[i], "' is given twice");
  }
  return out;
}

}  // namespace

onward_status* onward_graph_create(onward_graph** graph) {
  return guarded([&] {
    require(graph, "graph");
    auto made = std::make_unique<onward_graph>();
    made->own = std::make_unique<GraphBuilder>(), made->graph = made->own.get();
    *graph = made.release();
  });
}
void onward_graph_release(onward_graph* graph) { delete graph; }

onward_status* onward_graph_input(onward_graph* graph, const char* name, int element_type, const int64_t* dims, size_t rank, onward_expr* value) {
  return guarded([&] {
    require(graph, "graph"), require(name, "name"), require(value, "value");
    if (!graph->own) fail(Code::usage, "a converter's inputs are the columns it is given");
    if (rank) require(dims, "dims");
    if (rank > 64) fail(Code::limit_size, "a tensor of ", rank, " axes; at most 64");
    if (element_type <= 0 || element_type >= int(DataType::count)) fail(Code::usage, "element type ", element_type, " does not exist");
    Dims shape;
    for (size_t axis = 0; axis < rank; ++axis) {
      if (dims[axis] < -1) fail(Code::usage, "axis ", axis, " has the size ", dims[axis], "; -1 is the number of rows");
      shape.push_back(dims[axis] == -1 ? rows : dims[axis]);
    }
    *value = graph->graph->input(name, DataType(element_type), std::move(shape)).id;
  });
}

onward_status* onward_graph_constant(onward_graph* graph, const onward_value* tensor, onward_expr* value) {
  return guarded([&] {
    require(graph, "graph"), require(tensor, "tensor"), require(value, "value");
    const Tensor* t = tensor->value.tensor();
    if (!t) fail(Code::usage, "a constant is a tensor");
    *value = graph->graph->constant(t->copy()).id;       // the caller may write to its own
  });
}

onward_status* onward_graph_formula(onward_graph* graph, const char* text, const char* const* names, const onward_expr* values, size_t count, onward_expr* value) {
  return guarded([&] {
    require(graph, "graph"), require(text, "text"), require(value, "value");
    const auto known = named_values(graph, names, values, count);
    const Expression expression(text);
    *value = expression.in(*graph->graph, [&](const std::string& name) {
      const auto found = known.find(name);
      if (found == known.end()) fail(Code::usage, "the expression '", expression.text().substr(0, 200), "': '", name, "' stands for nothing");
      return found->second;
    }).id;
  });
}

int onward_graph_element_type(const onward_graph* graph, onward_expr value) { return graph && graph->graph->has(value) ? int(graph->graph->value(value).type()) : 0; }
int onward_graph_rank(const onward_graph* graph, onward_expr value) { return graph && graph->graph->has(value) ? int(graph->graph->value(value).shape().size()) : -1; }
int64_t onward_graph_dim(const onward_graph* graph, onward_expr value, int axis) {
  if (axis < 0 || axis >= onward_graph_rank(graph, value)) return -1;
  const int64_t size = graph->graph->value(value).shape()[size_t(axis)];
  return is_symbol(size) ? -1 : size;
}

onward_status* onward_graph_nodes(onward_graph* graph, const onward_operators* operators, const char* text, const char* const* names, const onward_expr* values,
                                  size_t count, const char* const* result_names, onward_expr* results, size_t result_count) {
  return guarded([&] {
    require(graph, "graph"), require(text, "text");
    if (result_count) require(result_names, "result_names"), require(results, "results");
    auto known = named_values(graph, names, values, count);
    const CustomOperators none;
    add_nodes(*graph->graph, text, operators ? operators->list : graph->operators ? *graph->operators : none, known);
    std::vector<onward_expr> found;
    for (size_t i = 0; i < result_count; ++i) {
      require(result_names[i], "a result's name");
      const auto it = known.find(std::string_view(result_names[i]));
      if (it == known.end()) fail(Code::usage, "the nodes make no '", result_names[i], "'");
      found.push_back(it->second.id);
    }
    std::copy(found.begin(), found.end(), results);
  });
}

onward_status* onward_graph_model(onward_graph* graph, const onward_operators* operators, const char* const* names, const onward_expr* values, size_t count, onward_buffer** model) {
  return guarded([&] {
    require(graph, "graph"), require(model, "model");
    if (!graph->own) fail(Code::usage, "a converter's graph becomes the model of its conversion");
    if (!count) fail(Code::usage, "a model without outputs");
    std::vector<GraphBuilder::Output> outputs;
    require(names, "names"), require(values, "values");
    for (size_t i = 0; i < count; ++i) {
      require(names[i], "a name");
      outputs.push_back({names[i], graph->value(values[i])});
    }
    std::string bytes = write_model(graph->own->model(outputs));
    SessionOptions options;
    if (operators) options.operators = std::make_shared<const CustomOperators>(operators->list);
    Session::load_bytes(bytes, options);                  // what does not load never leaves
    *model = buffer_of(std::move(bytes));
  });
}
