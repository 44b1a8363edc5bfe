// Any bytes as a CatBoost model, whatever they begin with: what is read can be looked at, and what its trees say is consistent or an Error.
// Rooms: formats
#include <string>

#include "onward/formats/catboost.h"
#include "onward/formats/source.h"
#include "touch_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!formats::is_catboost(bytes)) bytes.insert(0, "CBM1");
  try {
    const plain::Document document = formats::read_catboost(bytes, nullptr, {.memory = 8 << 20});
    fuzz::Toucher().touch(document.root);
    refuse_problems(read_estimator(document, Registry::builtin()).problems);
  } catch (const Error& e) {
    if (e.code == Code::internal) throw;
  }
  return 0;
}
