// onward doctor: what this machine and this build offer.
#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "onward/base/memory.h"
#include "onward/base/version.h"
#include "onward/cli/call.h"
#include "onward/cli/model_text.h"
#include "onward/estimators/estimator.h"
#include "onward/ops/operator.h"
#include "onward/optimizer/optimizer.h"
#include "onward/simd/targets.h"
#include "onward/validate/python.h"

namespace onward::cli {
namespace {

constexpr const char* target_names[] = ONWARD_PER_TARGET("baseline", "AVX2", "AVX-512");

int doctor(Call& call) {
  utsname system {};
  uname(&system);
  const auto python = find_python(call.arguments.value("--python").value_or(""));
  const std::vector<std::string> libraries = python ? python_libraries(*python) : std::vector<std::string>{};
  const auto joined = [](const auto& names) {
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : ", ") + std::string(name);
    return all;
  };
  const std::string listed = joined(libraries), best_target = target_names[size_t(simd::best())];
  const Registry registry = Registry::builtin();
  const int operators = int(all_operators().size()), estimators = int(registry.all().size());
  call.out.data(table_text({{"onward", std::string(version)},
                            {"system", text(system.sysname, " ", system.release, " ", system.machine)},
                            {"kernels", text("compiled for ", joined(target_names), "; this processor runs ", best_target)},
                            {"threads", text(available_threads())},
                            {"memory", shown_size(physical_memory())},
                            {"operators", text(operators)},
                            {"estimators", text(estimators)},
                            {"optimisations", text(optimization_names().size())},
                            {"Python", python ? *python : "none found (only `validate --source` needs one)"},
                            {"libraries", python ? (listed.empty() ? "none that validate could use" : listed) : "-"}}));
  call.out.answer({{"version", version}, {"system", text(system.sysname, " ", system.release, " ", system.machine)}, {"kernels", best_target},
                   {"threads", available_threads()}, {"memory_bytes", physical_memory()}, {"operators", operators}, {"estimators", estimators},
                   {"optimizations", optimization_names()}, {"python", python ? nlohmann::ordered_json(*python) : nullptr}, {"libraries", libraries}});
  return 0;
}

}  // namespace

Command doctor_command() {
  return {.name = "doctor", .summary = "what this machine and this build offer",
          .options = {{"--python", "PATH", "the interpreter that validate would use"}}, .run = doctor};
}

}  // namespace onward::cli
