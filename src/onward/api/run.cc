// Runs, by name and by position.
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

// Handles for all of them, or an exception and none.
void give(std::span<Value> values, const unsigned char* wanted, onward_value** outputs) {
  for (size_t i = 0; i < values.size(); ++i) if (!wanted || wanted[i]) make_own(values[i]);
  std::vector<std::unique_ptr<onward_value>> handles(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    if (!wanted || wanted[i]) handles[i] = std::make_unique<onward_value>(std::move(values[i]));
  for (size_t i = 0; i < values.size(); ++i) outputs[i] = handles[i].release();
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
    std::vector<std::pair<std::string, Value>> arguments;
    for (size_t i = 0; i < input_count; ++i) {
      require(input_names[i], "an input name"), require(inputs[i], "an input");
      arguments.emplace_back(input_names[i], inputs[i]->value);
    }
    std::vector<std::string> wanted;
    for (size_t i = 0; i < output_count; ++i) require(output_names[i], "an output name"), wanted.emplace_back(output_names[i]);
    std::vector<Value> out = session->session->run(wanted, arguments, options_of(options));
    arguments.clear();
    give(out, nullptr, outputs);
  });
}

onward_status* onward_session_run_bound(const onward_session* session, const onward_run_options* options, const onward_value* const* inputs,
                                        size_t input_count, const unsigned char* wanted, onward_value** outputs, size_t output_count) {
  return guarded([&] {
    require(session, "session"), require(outputs, "outputs");
    if (input_count) require(inputs, "inputs");
    if (output_count != session->outputs.size()) fail(Code::usage, "the model has ", session->outputs.size(), " outputs, room is given for ", output_count);
    std::vector<Value> arguments(input_count);
    for (size_t i = 0; i < input_count; ++i) if (inputs[i]) arguments[i] = inputs[i]->value;
    std::vector<Value> out = session->session->run(arguments, options_of(options));
    arguments.clear();
    give(out, wanted, outputs);
  });
}
