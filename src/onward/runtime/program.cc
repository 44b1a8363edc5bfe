#include "onward/runtime/program.h"

#include <climits>
#include <unordered_set>

#include "onward/runtime/profile.h"
#include "onward/runtime/scope.h"

namespace onward {

namespace {

struct Subgraph : Body {
  Program program;
  Subgraph(const Graph& g, const CustomOperators& custom, Program* outer) : program(g, custom, outer) {}
  std::vector<Value> run(std::span<const Value> arguments, const Call& call) const override { return program.run(arguments, call.context, nullptr, call.scope); }
};

// Most are empty already.
void empty(Value& v) {
  if (!v.empty()) v.emplace<std::monostate>();
}

}  // namespace

Program::Program(const Graph& graph, const CustomOperators& custom, Program* outer) : outer_(outer), custom_(custom) {
  for (const auto& [name, tensor] : graph.initializers) constants_.emplace(name, Value(tensor));
  for (const ValueInfo& input : graph.inputs)
    if (!constants_.contains(input.name)) {
      if (!slots_.emplace(input.name, slot_count_).second) fail(Code::bad_model, "input '", input.name, "' is declared twice");
      ++slot_count_, ++inputs_;
    }
  for (const Node& node : graph.nodes) {
    try {
      add(node);
    } catch (Error& e) {
      throw e.within(shown(node));
    }
  }
  for (const ValueInfo& output : graph.outputs) outputs_.push_back({source(output.name)});
  std::unordered_set<int> read_later;
  for (size_t k = outputs_.size(); k-- > 0;) outputs_[k].last = read_later.insert(outputs_[k].from.slot).second;
  find_last_uses();
  find_argument_reads();
  find_planned();
  slots_ = {};
}

Program::~Program() = default;

const CustomOperators& Program::none() {
  static const CustomOperators empty;
  return empty;
}

Program::Source Program::source(const std::string& name) {
  if (name.empty()) return {};
  if (const auto it = slots_.find(name); it != slots_.end()) return {it->second, nullptr};
  if (const auto it = constants_.find(name); it != constants_.end()) return {-1, &it->second};
  if (!outer_) fail(Code::bad_model, "value '", name, "' is used but never made");
  const Source outside = outer_->source(name);
  if (outside.constant) return outside;
  if (outer_->capturing_) outer_->capturing_->push_back(outside.slot);
  captured_.emplace_back(slot_count_, outside);
  slots_.emplace(name, slot_count_);
  return {slot_count_++, nullptr};
}

const Tensor* Program::constant(std::string_view name) const {
  if (const auto it = constants_.find(name); it != constants_.end()) return it->second.tensor();
  return outer_ && !slots_.contains(name) ? outer_->constant(name) : nullptr;
}

void Program::add(const Node& node) {
  const CustomOperators::Entry* registered = custom_.find(node.domain, node.op);
  Step step{registered ? &registered->op : find_operator(node.domain, node.op)};
  if (!step.op) unsupported("there is no kernel for operator ", node.domain, node.domain.empty() ? "" : ".", node.op);
  const auto [types, first] = types_.try_emplace({step.op, node.outputs.size()});
  if (first) types->second = types_of(node, custom_);
  step.types = &types->second;
  if (node.outputs.empty()) fail(Code::bad_model, "has no outputs");
  std::vector<int>& captured = bodies_read_.emplace_back();
  capturing_ = &captured;
  const Preparation at{node, [&](std::string_view name) { return constant(name); }, [&](const GraphRef& g) -> std::shared_ptr<const Body> {
                                 if (!g) fail(Code::bad_model, "a subgraph is missing");
                                 step.has_body = true;
                                 return std::make_shared<Subgraph>(*g, custom_, this);
                               }};
  step.self = registered ? registered->create(at) : step.op->create(at);
  capturing_ = nullptr;
  for (const auto& name : node.inputs) {
    step.inputs.push_back(source(name));
    if (const size_t i = step.inputs.size() - 1; step.inputs[i].constant && i < 64) step.constant_inputs |= uint64_t{1} << i;
  }
  step.first_output = slot_count_;
  step.output_count = int(node.outputs.size());
  for (const auto& name : node.outputs) {
    if (!name.empty() && (constants_.contains(name) || !slots_.emplace(name, slot_count_).second)) fail(Code::bad_model, "value '", name, "' is made twice");
    ++slot_count_;
  }
  step.name = node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name;
  step.index = int(steps_.size());
  steps_.push_back(std::move(step));
}

void Program::find_last_uses() {
  std::vector<int> last(size_t(slot_count_), -1);
  for (size_t s = 0; s < steps_.size(); ++s) {
    for (const Source& in : steps_[s].inputs) if (in.slot >= 0) last[size_t(in.slot)] = int(s);
    for (int slot : bodies_read_[s]) last[size_t(slot)] = int(s);
    for (int k = 0; k < steps_[s].output_count; ++k) last[size_t(steps_[s].first_output + k)] = int(s);       // read by nothing: gone at once
  }
  for (const Output& out : outputs_) if (out.from.slot >= 0) last[size_t(out.from.slot)] = INT_MAX;
  for (int slot = 0; slot < slot_count_; ++slot)
    if (const int s = last[size_t(slot)]; s >= 0 && s != INT_MAX) steps_[size_t(s)].dies.push_back(slot);
  for (size_t s = 0; s < steps_.size(); ++s)
    for (size_t i = 0; i < std::min<size_t>(steps_[s].inputs.size(), 2); ++i) {
      const int slot = steps_[s].inputs[i].slot;
      const auto& inside = bodies_read_[s];
      if (slot >= int(inputs_) && last[size_t(slot)] == int(s) && std::find(inside.begin(), inside.end(), slot) == inside.end()) steps_[s].overwritable |= uint8_t(1 << i);
    }
}

void Program::find_argument_reads() {
  std::vector<bool> copied(inputs_);
  const auto copy = [&](int slot) { if (slot >= 0 && size_t(slot) < inputs_) copied[size_t(slot)] = true; };
  for (const auto& slots : bodies_read_) for (int slot : slots) copy(slot);
  for (const Output& out : outputs_) copy(out.from.slot);
  for (size_t i = 0; i < inputs_; ++i) if (copied[i]) copied_arguments_.push_back(i);
  size_t place = 0;
  for (const Step& step : steps_)
    for (const Source& in : step.inputs) {
      if (!in.constant && in.slot >= 0 && size_t(in.slot) < inputs_) argument_reads_.emplace_back(size_t(in.slot), place);
      ++place;
    }
}

// Made when it is wanted: there may be millions of steps.
std::string Program::Step::label() const { return shown(Node{.domain = std::string(op->name.domain), .op = std::string(op->name.op), .name = name}); }

std::unique_ptr<Program::Scope> Program::take_scope() const {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto scope = std::move(idle_.back());
      idle_.pop_back();
      return scope;
    }
  }
  auto scope = std::make_unique<Scope>();
  scope->slots.resize(size_t(slot_count_));
  scope->known.resize(steps_.size());
  scope->recorded.resize(size_t(slot_count_));
  for (const Step& step : steps_) {
    scope->first_input.push_back(scope->inputs.size());
    for (const Source& in : step.inputs) scope->inputs.push_back(in.constant ? in.constant : in.slot >= 0 ? &scope->slots[size_t(in.slot)] : nullptr);
  }
  return scope;
}

void Program::give_back(std::unique_ptr<Scope> scope) const {
  for (Value& v : scope->slots) empty(v);
  constexpr size_t most = 64;                             // runs at once; more than that make their scopes anew
  std::lock_guard lock(mutex_);
  if (idle_.size() < most) idle_.push_back(std::move(scope));
}

std::vector<Value> Program::run(std::span<const Value> arguments, const RunContext& context, Profile* profile, const void* outer_scope) const {
  std::vector<const Value*> pointers(arguments.size());
  for (size_t i = 0; i < pointers.size(); ++i) pointers[i] = &arguments[i];
  return run_borrowed(pointers, context, profile, outer_scope);
}

std::vector<Value> Program::run_borrowed(std::span<const Value* const> arguments, const RunContext& context, Profile* profile, const void* outer_scope) const {
  if (arguments.size() > inputs_) fail(Code::bad_input, "expected ", inputs_, " inputs, found ", arguments.size());
  auto scope = take_scope();
  struct Return {
    const Program& program;
    std::unique_ptr<Scope>& scope;
    ~Return() { program.give_back(std::move(scope)); }
  } guard{*this, scope};
  scope->outer = static_cast<const Scope*>(outer_scope);
  scope->missed = false;
  scope->profile = profile ? profile : scope->outer ? scope->outer->profile : nullptr;
  static const Value nothing;
  const auto argument = [&](size_t i) -> const Value& { return i < arguments.size() && arguments[i] ? *arguments[i] : nothing; };
  for (const auto& [input, place] : argument_reads_) scope->inputs[place] = &argument(input);
  for (size_t i : copied_arguments_) scope->slots[i] = argument(i);
  for (const auto& [here, outside] : captured_) scope->slots[size_t(here)] = scope->outer->slots[size_t(outside.slot)];
  for (const Step& step : steps_) {
    try {
      context.check();
      if (!scope->profile) {
        execute(step, *scope, context);
      } else {
        const auto from = Profile::Clock::now();
        execute(step, *scope, context);
        const Tensor* t = scope->slots[size_t(step.first_output)].tensor();
        scope->profile->add(step.label(), step.op->name.op, t ? shown(*t) : "", t ? int64_t(t->bytes()) : 0, from, Profile::Clock::now());
      }
    } catch (Error& e) {
      throw e.within(step.label());
    } catch (const std::bad_alloc&) {
      fail(Code::limit_memory, step.label(), ": no memory left");
    } catch (const std::length_error&) {
      fail(Code::limit_memory, step.label(), ": a size beyond any memory");
    }
    for (int slot : step.dies) empty(scope->slots[size_t(slot)]);
  }
  if (scope->missed) make_plan(*scope, arguments, context);
  std::vector<Value> out;
  out.reserve(outputs_.size());
  for (const auto& [from, last] : outputs_) {
    if (from.constant) out.push_back(*from.constant);
    else if (last) out.push_back(std::move(scope->slots[size_t(from.slot)]));        // a sequence is not copied item by item
    else out.push_back(scope->slots[size_t(from.slot)]);
  }
  return out;
}

bool Program::same_as_before(const Step& step, const Scope& scope) const {
  const auto index = size_t(step.index);
  const Scope::Known& known = scope.known[index];
  if (!known.valid) return false;
  const Value* const* inputs = scope.inputs.data() + scope.first_input[index];
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const Tensor* t = inputs[i] ? inputs[i]->tensor() : nullptr;
    if ((t ? t->type() : DataType::none) != known.inputs[i].type || (t && t->dims() != known.inputs[i].dims)) return false;
  }
  return true;
}

void Program::infer(const Step& step, Scope& scope) const {
  const auto index = size_t(step.index);
  Scope::Known& known = scope.known[index];
  const Value* const* inputs = scope.inputs.data() + scope.first_input[index];
  scope.facts.clear();
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const Tensor* t = inputs[i] ? inputs[i]->tensor() : nullptr;
    scope.facts.push_back(t ? Fact{t->type(), t->dims(), t, {}} : Fact{});
  }
  scope.answers.assign(size_t(step.output_count), {});
  step.types->begin(scope.facts, scope.answers);
  Inference io{scope.facts, scope.answers};
  io.constants = step.constant_inputs;
  step.op->infer(step.self.get(), io);
  known.valid = !io.reads_values;
  known.inputs.clear();
  known.outputs.clear();
  for (const Fact& f : scope.facts) known.inputs.push_back({f.type, f.dims.value_or(Dims{})});
  for (Fact& f : scope.answers) known.outputs.push_back({f.type, std::move(f.dims)});
}

void Program::execute(const Step& step, Scope& scope, const RunContext& context) const {
  const auto index = size_t(step.index);
  if (!same_as_before(step, scope)) infer(step, scope);
  const std::span<const Value* const> inputs(scope.inputs.data() + scope.first_input[index], step.inputs.size());
  const std::span<Value> outputs(scope.slots.data() + step.first_output, size_t(step.output_count));
  const auto& inferred = scope.known[index].outputs;
  for (size_t k = 0; k < outputs.size(); ++k) {
    const Scope::Inferred& fact = inferred[k];
    if (!fact.dims) continue;                             // the kernel allocates
    if (fact.type == DataType::none) fail(Code::bad_model, "the type of output ", k, " cannot be told");
    bool placed = false;
    for (size_t i = 0; k == 0 && step.op->facts.in_place && !placed && i < std::min<size_t>(inputs.size(), inputs.size() <= 2 ? 2 : 1); ++i) {
      const Tensor* t = inputs[i] ? inputs[i]->tensor() : nullptr;
      if (!t || !(step.overwritable >> i & 1) || !t->unique() || t->type() != fact.type || t->dims() != *fact.dims) continue;
      outputs[0] = *t;
      placed = true;
    }
    if (placed) continue;
    if (k == 0 && step.op->facts.shares_input) outputs[0] = Tensor::view(fact.type, *fact.dims, nullptr);
    else outputs[k] = place(size_t(step.first_output) + k, fact.type, *fact.dims, scope, context);
  }
  Call call{inputs, outputs, context, &scope};
  step.op->run(step.self.get(), call);
  if (scope.block) keep_out_of_block(step, outputs, scope);
}

}  // namespace onward
