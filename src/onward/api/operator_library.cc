#include "onward/api/operator_library.h"

#include <dlfcn.h>

#include "onward/api/boundary.h"
#include "onward/api/callbacks.h"

namespace onward {

CustomOperators load_operators(const std::string& path) {
  // A name without a folder would be looked for where the system keeps its libraries.
  void* opened = dlopen((path.find('/') == path.npos ? "./" + path : path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!opened) {
    const char* why = dlerror();
    throw Error(Code::io, text("the operator library '", path, "' cannot be loaded: ", why ? why : "no reason given"), "give the path of a shared library that was built for this machine");
  }
  onward_operators made;
  made.library = std::shared_ptr<void>(opened, [](void* handle) { dlclose(handle); });
  const auto entry = reinterpret_cast<onward_register_operators_function>(dlsym(opened, ONWARD_REGISTER_OPERATORS));
  if (!entry)
    throw Error(Code::bad_file, text("the library '", path, "' exports no ", ONWARD_REGISTER_OPERATORS), "a library of operators for ONNX Runtime is another thing; onward/operators.hpp shows what is expected");
  try {
    api::called([&] { return entry(onward_get_extension_api(), &made); });
  } catch (Error& e) {
    throw e.within(text("operator library '", path, "'"));
  }
  return std::move(made.list);
}

}  // namespace onward

onward_status* onward_operators_load(onward_operators* operators, const char* path) {
  return onward::api::guarded([&] {
    onward::api::require(operators, "operators"), onward::api::require(path, "path");
    operators->list.add(onward::load_operators(path));
  });
}
