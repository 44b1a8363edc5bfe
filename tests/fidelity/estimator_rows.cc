// Prints the estimators that convert, each with the tests its family asks for: what fidelity.py works through.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "onward/estimators/estimator.h"

int main() {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  const onward::Registry registry = onward::Registry::builtin();
  for (const onward::Definition& d : registry.all())
    rows.push_back({{"class", d.class_name},
                    {"cases", d.tests.cases},
                    {"data", d.tests.data},
                    {"targets", d.tests.targets},
                    {"tolerance", d.tests.tolerance},
                    {"outputs", d.tests.outputs}});
  std::puts(rows.dump(1).c_str());
}
