// Custom operators: kernels that are C callbacks, and the table of what those may ask.
#include <deque>

#include "onward/api/callbacks.h"

using namespace onward;
using onward::api::called;
using onward::api::guarded;
using onward::api::require;

struct onward_node {
  const Preparation& at;
  mutable std::deque<onward_value> values;               // constants and attributes that were asked for; they keep their place
  const onward_value* kept(const Tensor* tensor) const { return tensor ? &values.emplace_back(onward_value{Value(*tensor)}) : nullptr; }
  template <class T> const T& attribute(const char* name) const {
    require(name, "attribute");
    const auto it = at.node.attributes.find(std::string_view(name));
    if (it == at.node.attributes.end()) fail(Code::bad_model, "attribute '", name, "' is missing");
    if (auto* value = std::get_if<T>(&it->second)) return *value;
    static const T none{};
    const bool empty_list = std::visit([](const auto& v) { if constexpr (requires { v.empty(); }) return v.empty(); else return false; }, it->second);
    if (!empty_list) fail(Code::bad_model, "attribute '", name, "' is of another kind");
    return none;                                         // an empty list carries no kind in some writers' files
  }
};

struct onward_inference {
  Inference& io;
  std::deque<onward_value> values;
};

struct onward_call {
  Call& call;
  std::vector<onward_value> inputs, outputs;
};

namespace {

// What was registered; the library it came from stays loaded until its `release` has run.
struct Functions {
  std::shared_ptr<void> library;
  onward_operator_functions table{};
  ~Functions() {
    if (table.release) table.release(table.state);
  }
};

class Kernel final : public CustomKernel {
 public:
  Kernel(std::shared_ptr<const Functions> functions, const Preparation& at) : functions_(std::move(functions)), kernel_(functions_->table.state) {
    if (!functions_->table.prepare) return;
    const onward_node node{at, {}};
    void* made = nullptr;
    called([&] { return functions_->table.prepare(functions_->table.state, &node, &made); });
    kernel_ = made, prepared_ = true;
  }
  ~Kernel() override {
    if (prepared_ && functions_->table.release_kernel) functions_->table.release_kernel(kernel_);
  }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  void infer(Inference& io) const override {
    if (!functions_->table.infer) return;
    onward_inference handle{io, {}};
    called([&] { return functions_->table.infer(kernel_, &handle); });
  }
  void run(Call& call) const override {
    onward_call handle{call, {}, {}};
    for (const Value* v : call.inputs) handle.inputs.push_back({v ? *v : Value()});
    for (const Value& v : call.outputs) handle.outputs.push_back({v});
    called([&] { return functions_->table.run(kernel_, &handle); });
  }

 private:
  std::shared_ptr<const Functions> functions_;
  void* kernel_;
  bool prepared_ = false;
};

onward_status* operators_add(onward_operators* operators, const char* domain, const char* name, int since, const char* inputs, const char* outputs,
                             const char* attributes, const onward_operator_functions* given) {
  return guarded([&] {
    require(given, "functions");
    const auto functions = std::make_shared<Functions>();
    std::memcpy(&functions->table, given, std::min(given->size, sizeof *given));
    require(operators, "operators"), require(domain, "domain"), require(name, "name"), require(outputs, "outputs");
    if (given->size < sizeof *given || !given->run) fail(Code::usage, "operator '", domain, ".", name, "': the functions have no `run`, or say a size before it");
    functions->library = operators->library;
    operators->list.add({domain, name, since, inputs ? inputs : "", outputs, attributes ? attributes : "",
                         [functions](const Preparation& at) { return std::make_shared<const Kernel>(functions, at); }});
  });
}

// ---- Nodes

template <class T> onward_status* get(const onward_node* node, const char* name, T* value) {
  return guarded([&] { require(node, "node"), require(value, "value"), *value = node->attribute<T>(name); });
}
template <class T> onward_status* get_list(const onward_node* node, const char* name, const T** values, size_t* count) {
  return guarded([&] {
    require(node, "node"), require(values, "values"), require(count, "count");
    const auto& all = node->attribute<std::vector<T>>(name);
    *values = all.data(), *count = all.size();
  });
}
onward_status* get_string(const onward_node* node, const char* name, const char** text, size_t* length) {
  return guarded([&] {
    require(node, "node"), require(text, "text");
    const auto& s = node->attribute<std::string>(name);
    *text = s.c_str();
    if (length) *length = s.size();
  });
}
onward_status* get_strings(const onward_node* node, const char* name, size_t index, const char** text, size_t* length, size_t* count) {
  return guarded([&] {
    require(node, "node");
    const auto& all = node->attribute<std::vector<std::string>>(name);
    if (count) *count = all.size();
    if (!text) return;
    if (index >= all.size()) fail(Code::usage, "string ", index, " of ", all.size());
    *text = all[index].c_str();
    if (length) *length = all[index].size();
  });
}
onward_status* get_tensor(const onward_node* node, const char* name, const onward_value** value) {
  return guarded([&] { require(node, "node"), require(value, "value"), *value = node->kept(&node->attribute<Tensor>(name)); });
}

// ---- Shapes

int64_t computed_size(onward_inference* inference, char operation, int64_t a, int64_t b) {
  Inference& io = inference->io;
  const bool known = !is_symbol(a) && !is_symbol(b);
  if (!known && !io.symbols) return first_symbol - 1;    // of a run: the kernel will tell
  try {
    switch (operation) {
      case '+': return io.add(a, b);
      case '-': return io.subtract(a, b);
      case '*': return io.multiply(a, b);
      case '/': return io.divide(a, b);
      default: return -1;                                // no size: refused where it becomes an output's
    }
  } catch (const Error&) {
    return -1;
  }
}

onward_status* infer_output(onward_inference* inference, size_t output, int element_type, const int64_t* dims, size_t rank) {
  return guarded([&] {
    require(inference, "inference");
    if (rank) require(dims, "dims");
    if (rank > 64) fail(Code::limit_size, "a tensor of ", rank, " axes; at most 64");
    if (element_type < 0 || element_type >= int(DataType::count)) fail(Code::usage, "element type ", element_type, " does not exist");
    if (element_type) inference->io.output(output, DataType(element_type), Dims(dims, dims + rank));
    else inference->io.output(output, Dims(dims, dims + rank));
  });
}

// ---- Runs

onward_status* allocate_output(onward_call* call, size_t output, int element_type, const int64_t* dims, size_t rank, onward_value** value) {
  return guarded([&] {
    require(call, "call"), require(value, "value");
    if (rank) require(dims, "dims");
    if (rank > 64) fail(Code::limit_size, "a tensor of ", rank, " axes; at most 64");
    if (element_type <= 0 || element_type >= int(DataType::count)) fail(Code::usage, "element type ", element_type, " does not exist");
    if (output >= call->outputs.size()) fail(Code::usage, "output ", output, " of a node with ", call->outputs.size());
    for (size_t axis = 0; axis < rank; ++axis) if (dims[axis] < 0) invalid("output ", output, ": axis ", axis, " has the negative size ", dims[axis]);
    call->outputs[output].value = call->call.allocate(output, DataType(element_type), Dims(dims, dims + rank));
    *value = &call->outputs[output];
  });
}

onward_status* give_output(onward_call* call, size_t output, const onward_value* value) {
  return guarded([&] {
    require(call, "call"), require(value, "value");
    if (output >= call->outputs.size()) fail(Code::usage, "output ", output, " of a node with ", call->outputs.size());
    call->outputs[output].value = value->value, call->call.outputs[output] = value->value;
  });
}

constexpr onward_extension_api table = {
    sizeof(onward_extension_api), onward_version, operators_add,
    [](const onward_node* n) { return n->at.node.name.c_str(); },
    [](const onward_node* n) { return n->at.node.inputs.size(); },
    [](const onward_node* n) { return n->at.node.outputs.size(); },
    [](const onward_node* n, size_t input) { return n->kept(n->at.input(input)); },
    [](const onward_node* n, const char* attribute) { return int(attribute && n->at.node.attributes.contains(std::string_view(attribute))); },
    get<int64_t>, get<float>, get_string, get_tensor, get_list<int64_t>, get_list<float>, get_strings,
    [](const onward_inference* i) { return i->io.inputs.size(); },
    [](const onward_inference* i) { return i->io.outputs.size(); },
    [](const onward_inference* i, size_t input) { return int(i->io.type(input)); },
    [](const onward_inference* i, size_t input) { return i->io.has(input) && i->io.inputs[input].dims ? int(i->io.inputs[input].dims->size()) : -1; },
    [](const onward_inference* i, size_t input, size_t axis) {
      const bool known = i->io.has(input) && i->io.inputs[input].dims && axis < i->io.inputs[input].dims->size();
      return known ? (*i->io.inputs[input].dims)[axis] : -1;
    },
    [](onward_inference* i, size_t input) -> const onward_value* {
      const Tensor* t = i->io.value(input);
      return t ? &i->values.emplace_back(onward_value{Value(*t)}) : nullptr;
    },
    [](onward_inference* i) { return i->io.symbols ? i->io.unknown() : first_symbol - 1; },
    computed_size, infer_output,
    [](const onward_call* c) { return c->inputs.size(); },
    [](const onward_call* c) { return c->outputs.size(); },
    [](const onward_call* c, size_t input) { return input < c->inputs.size() && !c->inputs[input].value.empty() ? &c->inputs[input] : nullptr; },
    [](onward_call* c, size_t output) { return output < c->outputs.size() && !c->outputs[output].value.empty() ? &c->outputs[output] : nullptr; },
    allocate_output, give_output,
    [](const onward_call* c) { return guarded([&] { require(c, "call"), c->call.context.check(); }); },
    [](const onward_call* c, int64_t n, double nanoseconds_each, void (*body)(void*, int64_t, int64_t), void* state) {
      return guarded([&] {
        require(c, "call");
        c->call.context.parallel(n, nanoseconds_each, [&](int64_t begin, int64_t end) { body(state, begin, end); });
      });
    },
    onward_status_create, onward_status_release, onward_value_kind, onward_value_element_type, onward_value_rank, onward_value_dims, onward_value_size,
    onward_value_data, onward_value_string, onward_value_set_string, onward_value_create_sequence, onward_value_create_map, onward_value_create_tensor,
    onward_value_item, onward_value_map_keys, onward_value_map_values, onward_value_release};

}  // namespace

const onward_extension_api* onward_get_extension_api() { return &table; }

onward_status* onward_operators_create(onward_operators** operators) {
  return guarded([&] { require(operators, "operators"), *operators = new onward_operators; });
}
void onward_operators_release(onward_operators* operators) { delete operators; }
