// How sessions are made and how they run.
#include "onward/api/boundary.h"

using namespace onward;
using onward::api::guarded;
using onward::api::require;

onward_status* onward_session_options_create(onward_session_options** options) {
  return guarded([&] { require(options, "options"), *options = new onward_session_options; });
}
void onward_session_options_release(onward_session_options* options) { delete options; }

onward_status* onward_session_options_set_threads(onward_session_options* options, int threads) {
  return guarded([&] {
    require(options, "options");
    if (threads < 0) fail(Code::usage, "threads: expected 0 (all) or more, given ", threads);
    options->options.threads = threads;
  });
}

onward_status* onward_session_options_set_optimization(onward_session_options* options, int level) {
  return guarded([&] {
    require(options, "options");
    if (level < ONWARD_OPTIMIZE_NONE || level > ONWARD_OPTIMIZE_ALL) fail(Code::usage, "optimization: expected 0 (none), 1 (basic) or 2 (all), given ", level);
    options->options.level = level == ONWARD_OPTIMIZE_NONE ? OptimizationLevel::none : level == ONWARD_OPTIMIZE_BASIC ? OptimizationLevel::basic : OptimizationLevel::all;
  });
}

onward_status* onward_session_options_set_memory_limit(onward_session_options* options, size_t bytes) {
  return guarded([&] { require(options, "options"), options->options.memory_limit = bytes; });
}
onward_status* onward_session_options_set_profiling(onward_session_options* options, int on) {
  return guarded([&] { require(options, "options"), options->options.profile = on != 0; });
}
onward_status* onward_session_options_disable(onward_session_options* options, const char* optimization) {
  return guarded([&] { require(options, "options"), require(optimization, "optimization"), options->options.disabled_rules.push_back(optimization); });
}

onward_status* onward_session_options_set_dim(onward_session_options* options, const char* name, int64_t size) {
  return guarded([&] {
    require(options, "options"), require(name, "name");
    if (size < 0) fail(Code::usage, "the size of '", name, "': expected 0 or more, given ", size);
    options->dims[name] = size;
  });
}

onward_status* onward_session_options_set_initializer(onward_session_options* options, const char* name, const onward_value* tensor) {
  return guarded([&] {
    require(options, "options"), require(name, "name"), require(tensor, "tensor");
    if (!tensor->value.tensor()) fail(Code::usage, "initializer '", name, "': expected a tensor");
    options->initializers[name] = *tensor->value.tensor();
  });
}

onward_status* onward_cancel_create(onward_cancel** cancel) {
  return guarded([&] { require(cancel, "cancel"), *cancel = new onward_cancel{std::make_shared<std::atomic<bool>>(false)}; });
}
void onward_cancel_set(onward_cancel* cancel, int on) {
  if (cancel) cancel->flag->store(on != 0);
}
void onward_cancel_release(onward_cancel* cancel) { delete cancel; }

onward_status* onward_run_options_create(onward_run_options** options) {
  return guarded([&] { require(options, "options"), *options = new onward_run_options; });
}
void onward_run_options_release(onward_run_options* options) { delete options; }

onward_status* onward_run_options_set_cancel(onward_run_options* options, const onward_cancel* cancel) {
  return guarded([&] {
    require(options, "options");
    options->cancel = cancel ? cancel->flag : nullptr;
    options->options.cancel = options->cancel.get();
  });
}

onward_status* onward_run_options_set_time_limit(onward_run_options* options, double seconds) {
  return guarded([&] {
    require(options, "options");
    if (!(seconds >= 0)) fail(Code::usage, "time limit: expected 0 (none) or more seconds, given ", seconds);
    options->options.time_limit_seconds = seconds;
  });
}

onward_status* onward_session_options_add_operators(onward_session_options* options, const onward_operators* operators) {
  return guarded([&] {
    require(options, "options"), require(operators, "operators");
    CustomOperators all = options->options.operators ? *options->options.operators : CustomOperators();
    all.add(operators->list);
    options->options.operators = std::make_shared<const CustomOperators>(std::move(all));
  });
}
