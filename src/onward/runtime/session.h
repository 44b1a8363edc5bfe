// A model made ready to run. Create one, run it from any number of threads.
#pragma once
#include <functional>

#include "onward/optimizer/optimizer.h"
#include "onward/runtime/program.h"

namespace onward {

enum class OptimizationLevel { none, basic, all };

struct SessionOptions {
  int threads = 0;                               // 0: all that this process may use
  OptimizationLevel level = OptimizationLevel::all;
  size_t memory_limit = 0;                       // bytes alive in tensors of all runs together; 0: the machine's
  std::vector<std::string> disabled_rules = {};  // names of optimisations to leave out (optimizer/optimizer.h lists them)
  bool profile = false;
  std::shared_ptr<const CustomOperators> operators = {};   // those of its own, beside the built-in ones
};

struct RunOptions {
  const std::atomic<bool>* cancel = nullptr;     // set to stop the run at the next node
  double time_limit_seconds = 0;                 // 0: none
};

class Session {
 public:
  // Throws Error{bad_model, unsupported_operator, limit_…}.
  explicit Session(Model model, SessionOptions options = {}) : Session(std::move(model), std::move(options), nullptr) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  static std::shared_ptr<Session> load(const std::string& path, SessionOptions options = {});
  static std::shared_ptr<Session> load_bytes(std::string_view bytes, SessionOptions options = {});
  static std::shared_ptr<Session> load_bytes(std::shared_ptr<const std::string> bytes, SessionOptions options = {});   // without a copy

  const std::vector<ValueInfo>& inputs() const { return inputs_; }       // without those that have an initializer
  const std::vector<ValueInfo>& outputs() const { return outputs_; }
  const Model& model() const { return model_; }                          // its inputs without initializers, metadata as given; no nodes
  // With its nodes, modernised and optimised, in the standard's operators. A session that was loaded reads its file again: nodes may be
  // as large as the file, and nothing else needs them.
  Model optimized() const;
  const Opsets& opsets() const { return opsets_; }                       // as the file says

  // In the order of inputs() and outputs(). Thread safe. Throws Error{bad_input} naming the input, and what kernels throw.
  std::vector<Value> run(std::span<const Value> arguments, const RunOptions& options = {}) const;
  std::vector<Value> run_borrowed(std::span<const Value* const> arguments, const RunOptions& options = {}) const;     // null: an input that is left out
  // By name; no output names means all.
  std::vector<Value> run(std::span<const std::string> output_names, std::span<const std::pair<std::string, Value>> arguments, const RunOptions& options = {}) const;

  // Throw Error{bad_input} with the nearest name. `likely`: where to look first.
  size_t input_index(std::string_view name, size_t likely = 0) const;
  size_t output_index(std::string_view name, size_t likely = 0) const;
  void check_given(std::span<const Value* const> arguments) const;       // throws Error{bad_input} naming the one that is left out
  const Profile* profile() const { return profile_.get(); }              // null unless asked for

 private:
  Session(Model model, SessionOptions options, std::function<Model()> again);
  OptimizeOptions optimisations() const;
  void check(size_t input, const Value& value, std::vector<std::pair<std::string_view, int64_t>>& named) const;

  SessionOptions options_;
  std::function<Model()> again_;                 // makes the model that this one was loaded from; none: it was handed over,
  std::unique_ptr<const Model> whole_;           // and is kept as optimized() gives it
  Model model_;
  Opsets opsets_;
  std::vector<ValueInfo> inputs_, outputs_;
  std::shared_ptr<MemoryBudget> budget_;
  std::unique_ptr<Profile> profile_;
  std::unique_ptr<Program> program_;
};

}  // namespace onward
