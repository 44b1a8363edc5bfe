// Runs, by name and by position.
#include <algorithm>
#include <array>
#include <utility>

#include "onward/api/boundary.h"

using namespace onward;
using onward::api::guarded;
using onward::api::require;

namespace {

// The caller's own: outputs that are constants of the model, or arguments passed through, are copied.
void make_own(Value& value) {
  if (auto* tensor = std::get_if<Tensor>(&value)) {
    if (tensor->unique()) return;
    Tensor copy(tensor->type(), tensor->dims());
    if (tensor->type() == DataType::str) std::copy_n(tensor->data<std::string>(), tensor->size(), copy.data<std::string>());
    else if (tensor->bytes()) std::memcpy(copy.raw(), tensor->raw(), tensor->bytes());
    *tensor = std::move(copy);
  } else if (auto* sequence = std::get_if<Sequence>(&value)) {
    for (Value& item : sequence->items) make_own(item);
  } else if (auto* map = std::get_if<Map>(&value)) {
    for (Tensor* part : {&map->keys, &map->values}) {
      Value own = std::move(*part);
      make_own(own);
      *part = std::move(std::get<Tensor>(own));
    }
  }
}

// Handles for all that are wanted, or an exception and none.
void give(std::span<Value> values, const unsigned char* wanted, onward_value** outputs) {
  for (size_t i = 0; i < values.size(); ++i) if (!wanted || wanted[i]) make_own(values[i]);
  std::fill_n(outputs, values.size(), nullptr);
  try {
    for (size_t i = 0; i < values.size(); ++i)
      if (!wanted || wanted[i]) outputs[i] = onward::api::value_of(std::move(values[i]));
  } catch (...) {
    for (size_t i = 0; i < values.size(); ++i) delete std::exchange(outputs[i], nullptr);
    throw;
  }
}

// The inputs of a run in the session's order: up to sixteen need no allocation.
class Arguments {
 public:
  explicit Arguments(size_t size) : size_(size) {
    if (size > few_.size()) more_.resize(size), data_ = more_.data();
  }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  const Value*& operator[](size_t i) { return data_[i]; }
  std::span<const Value* const> all() const { return {data_, size_}; }

 private:
  std::array<const Value*, 16> few_{};
  std::vector<const Value*> more_;
  const Value** data_ = few_.data();
  size_t size_;
};

// A value that is asked for twice is copied where it is handed out.
std::vector<Value> chosen(const std::vector<Value>& all, const std::vector<size_t>& wanted) {
  std::vector<Value> out;
  for (size_t i : wanted) out.push_back(all[i]);
  return out;
}

const RunOptions& options_of(const onward_run_options* options) {
  static const RunOptions none;
  return options ? options->options : none;
}

}  // namespace

onward_status* onward_session_run(const onward_session* session, const onward_run_options* options, const char* const* input_names,
                                  const onward_value* const* inputs, size_t input_count, const char* const* output_names,
                                  size_t output_count, onward_value** outputs) {
  return guarded([&] {
    require(session, "session"), require(outputs, "outputs");
    if (input_count) require(input_names, "input_names"), require(inputs, "inputs");
    if (output_count) require(output_names, "output_names");
    const Session& run = *session->session;
    for (size_t i = 0; i < input_count; ++i)                // far apart, and wanted soon
      for (size_t line = 0; line < sizeof(onward_value); line += cache_line) __builtin_prefetch(reinterpret_cast<const char*>(inputs[i]) + line);
    Arguments arguments(run.inputs().size());
    for (size_t i = 0; i < input_count; ++i) {
      require(input_names[i], "an input name"), require(inputs[i], "an input");
      const Value*& place = arguments[run.input_index(input_names[i], i)];
      if (place) fail(Code::bad_input, "input '", input_names[i], "' is given twice");
      place = &inputs[i]->value;
    }
    run.check_given(arguments.all());
    std::vector<size_t> wanted(output_count);
    for (size_t i = 0; i < output_count; ++i) require(output_names[i], "an output name"), wanted[i] = run.output_index(output_names[i], i);
    std::vector<Value> out = run.run_borrowed(arguments.all(), options_of(options));
    if (output_count) out = chosen(out, wanted);
    give(out, nullptr, outputs);
  });
}

onward_status* onward_session_run_bound(const onward_session* session, const onward_run_options* options, const onward_value* const* inputs,
                                        size_t input_count, const unsigned char* wanted, onward_value** outputs, size_t output_count) {
  return guarded([&] {
    require(session, "session"), require(outputs, "outputs");
    if (input_count) require(inputs, "inputs");
    if (output_count != session->outputs.size()) fail(Code::usage, "the model has ", session->outputs.size(), " outputs, room is given for ", output_count);
    Arguments arguments(input_count);
    for (size_t i = 0; i < input_count; ++i) if (inputs[i]) arguments[i] = &inputs[i]->value;
    std::vector<Value> out = session->session->run_borrowed(arguments.all(), options_of(options));
    give(out, wanted, outputs);
  });
}
