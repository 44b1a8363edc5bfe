#include "onward/runtime/session.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cmath>

#include "onward/base/suggest.h"
#include "onward/model/check.h"
#include "onward/model/onnx_file.h"
#include "onward/ops/check_nodes.h"
#include "onward/ops/infer_types.h"
#include "onward/ops/upgrade.h"
#include "onward/runtime/profile.h"

namespace onward {

// Nothing is said of its type, or of a tensor's rank.
static bool is_open(const ValueInfo& v) {
  return v.type.kind == TypeInfo::Kind::none || (v.type.kind == TypeInfo::Kind::tensor && !v.type.shape);
}

// What a model needed only to be made ready goes back to the system, where it is worth a call: a server may hold many.
class FreedMemory {
 public:
#if defined(__GLIBC__)
  void give_back() const {
    constexpr size_t worth_it = 1 << 20, always = 16 << 20;
    const size_t now = mallinfo2().fordblks;
    if (now > always || now > before_ + worth_it) malloc_trim(0);
  }

 private:
  const size_t before_ = mallinfo2().fordblks;
#else
  void give_back() const {}
#endif
};

Session::Session(Model model, SessionOptions options, std::function<Model()> again) : options_(std::move(options)), again_(std::move(again)), model_(std::move(model)) {
  const FreedMemory freed;
  onward::check(model_);
  if (!options_.operators) options_.operators = std::make_shared<CustomOperators>();
  const CustomOperators& custom = *options_.operators;
  check_nodes(model_, custom);
  opsets_ = model_.opsets;
  outputs_ = model_.graph.outputs;
  for (const ValueInfo& input : model_.graph.inputs) if (!model_.graph.initializers.contains(input.name)) inputs_.push_back(input);
  modernise(model_, custom);
  check_modernised(model_, custom);
  if (std::any_of(outputs_.begin(), outputs_.end(), is_open)) complete_outputs(outputs_, model_, custom);
  if (options_.level != OptimizationLevel::none) optimize(model_.graph, optimisations());
  if (options_.memory_limit) budget_ = std::make_shared<MemoryBudget>(options_.memory_limit);
  if (options_.profile) profile_ = std::make_unique<Profile>();
  if (!again_) whole_ = std::make_unique<const Model>(model_);
  Graph graph = std::move(model_.graph);
  model_.graph = {.name = graph.name, .inputs = inputs_, .outputs = graph.outputs, .doc = graph.doc};   // initializers are no inputs
  model_.functions.clear();
  if (options_.level == OptimizationLevel::all) optimize_for_session(graph, optimisations());
  program_ = std::make_unique<Program>(graph, custom);
  graph = {};
  freed.give_back();
}

OptimizeOptions Session::optimisations() const { return {.only_basic = options_.level == OptimizationLevel::basic, .disabled = options_.disabled_rules}; }

Model Session::optimized() const {
  if (whole_) return *whole_;
  Model model = again_();
  modernise(model, *options_.operators);
  if (options_.level != OptimizationLevel::none) optimize(model.graph, optimisations());
  return model;
}

Session::~Session() = default;

std::shared_ptr<Session> Session::load(const std::string& path, SessionOptions options) {
  try {
    return std::shared_ptr<Session>(new Session(load_model(path), std::move(options), [path] { return load_model(path); }));
  } catch (Error& e) {
    throw e.message.find(path) == e.message.npos ? e.within(path) : e;
  }
}

std::shared_ptr<Session> Session::load_bytes(std::string_view bytes, SessionOptions options) {
  return load_bytes(std::make_shared<const std::string>(bytes), std::move(options));     // the caller's bytes may go away
}

std::shared_ptr<Session> Session::load_bytes(std::shared_ptr<const std::string> bytes, SessionOptions options) {
  const auto again = [bytes] { return read_model(*bytes, bytes); };
  return std::shared_ptr<Session>(new Session(again(), std::move(options), again));
}

static size_t index_of(std::string_view name, size_t likely, const std::vector<ValueInfo>& all, const char* kind) {
  if (likely < all.size() && all[likely].name == name) return likely;
  for (size_t i = 0; i < all.size(); ++i) if (all[i].name == name) return i;
  std::vector<std::string> names;
  std::string list;
  for (const ValueInfo& v : all) names.push_back(v.name), list += (list.empty() ? "'" : ", '") + v.name + "'";
  const auto near = nearest(name, names);
  throw Error(Code::bad_input, text("the model has no ", kind, " '", name, "'; it has ", list), near ? text("did you mean '", *near, "'?") : std::string());
}
size_t Session::input_index(std::string_view name, size_t likely) const { return index_of(name, likely, inputs_, "input"); }
size_t Session::output_index(std::string_view name, size_t likely) const { return index_of(name, likely, outputs_, "output"); }

// Type and shape as declared; a named size must be the same wherever it stands.
void Session::check(size_t input, const Value& value, std::vector<std::pair<std::string_view, int64_t>>& named) const {
  const ValueInfo& declared = inputs_[input];
  const auto refuse = [&](const std::string& why, const char* hint = "") {
    const std::string given = value.tensor() ? shown(*value.tensor()) : value.empty() ? "nothing" : std::holds_alternative<Map>(value) ? "a map" : "a sequence";
    throw Error(Code::bad_input, text("input '", declared.name, "': expected ", shown(declared.type), ", given ", given, why), hint);
  };
  if (declared.type.kind == TypeInfo::Kind::optional || declared.type.kind == TypeInfo::Kind::none) return;
  const Tensor* t = value.tensor();
  if (declared.type.kind != TypeInfo::Kind::tensor) {
    if (t || value.empty()) refuse("");
    return;
  }
  if (!t) return refuse("");
  if (t->type() != declared.type.element) return refuse("", "cast the array to the expected type");
  if (!declared.type.shape) return;
  if (t->dims().size() != declared.type.shape->size()) return refuse(text(": the rank differs"));
  for (size_t axis = 0; axis < t->dims().size(); ++axis) {
    const DimInfo& d = (*declared.type.shape)[axis];
    const int64_t size = t->dims()[axis];
    if (d.size && *d.size != size) return refuse(text(": axis ", int64_t(axis), " has ", size, " elements, expected ", *d.size));
    if (d.size || d.name.empty()) continue;
    const auto known = std::find_if(named.begin(), named.end(), [&](const auto& n) { return n.first == d.name; });
    if (known == named.end()) named.emplace_back(d.name, size);
    else if (known->second != size) return refuse(text(": '", d.name, "' is ", known->second, " in another input"));
  }
}

std::vector<Value> Session::run(std::span<const Value> arguments, const RunOptions& options) const {
  std::vector<const Value*> pointers;
  for (const Value& v : arguments) pointers.push_back(&v);
  return run_borrowed(pointers, options);
}

std::vector<Value> Session::run_borrowed(std::span<const Value* const> arguments, const RunOptions& options) const {
  static const Value nothing;
  if (arguments.size() != inputs_.size()) fail(Code::bad_input, "expected ", inputs_.size(), " inputs, given ", arguments.size());
  std::vector<std::pair<std::string_view, int64_t>> named;
  for (size_t i = 0; i < arguments.size(); ++i) check(i, arguments[i] ? *arguments[i] : nothing, named);
  RunContext context{budget_, options.cancel, std::chrono::steady_clock::time_point::max(), options_.threads > 0 ? options_.threads : available_threads()};
  if (options.time_limit_seconds > 0)
    context.deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(int64_t(std::min(options.time_limit_seconds, 1e9) * 1e9));
  if (!profile_) return program_->run_borrowed(arguments, context);
  const auto from = Profile::Clock::now();
  auto out = program_->run_borrowed(arguments, context, profile_.get());
  profile_->add("run", "run", "", 0, from, Profile::Clock::now());
  return out;
}

void Session::check_given(std::span<const Value* const> arguments) const {
  for (size_t i = 0; i < arguments.size(); ++i)
    if (!arguments[i] && inputs_[i].type.kind != TypeInfo::Kind::optional) fail(Code::bad_input, "input '", inputs_[i].name, "' (", shown(inputs_[i].type), ") is not given");
}

std::vector<Value> Session::run(std::span<const std::string> output_names, std::span<const std::pair<std::string, Value>> arguments, const RunOptions& options) const {
  std::vector<const Value*> in(inputs_.size());
  for (size_t k = 0; k < arguments.size(); ++k) {
    const auto& [name, value] = arguments[k];
    const Value*& place = in[input_index(name, k)];
    if (place) fail(Code::bad_input, "input '", name, "' is given twice");
    place = &value;
  }
  check_given(in);
  std::vector<size_t> wanted;
  for (const std::string& name : output_names) wanted.push_back(output_index(name));
  std::vector<Value> all = run_borrowed(in, options);
  if (output_names.empty()) return all;
  std::vector<Value> out;
  for (size_t i : wanted) out.push_back(all[i]);
  return out;
}

}  // namespace onward
