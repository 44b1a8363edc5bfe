// Any bytes as a CatBoost model, whatever they begin with: what is read can be looked at, and becomes a
// graph or an Error.
// Rooms: formats
#include <string>

#include "onward/formats/catboost.h"
#include "onward/formats/source.h"
#include "outcome.h"
#include "touch_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!formats::is_catboost(bytes)) bytes.insert(0, "CBM1");
  try {
    const plain::Document document = formats::read_catboost(bytes, nullptr, {.memory = 8 << 20});
    fuzz::Toucher().touch(document.root);
    const ReadModel read = read_estimator(document, Registry::builtin());
    refuse_problems(read.problems);
    convert(read.estimator, {.own_ops = true});
    fuzz::came_to("converted");
  } catch (const Error& e) {
    if (e.code == Code::internal) throw;
    fuzz::came_to(e.what());
  }
  return 0;
}
