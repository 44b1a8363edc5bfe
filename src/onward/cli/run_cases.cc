// onward run-cases: one case for each line of standard input, one verdict for each on standard output.
#include <iostream>
#include <nlohmann/json.hpp>

#include "onward/cli/cases.h"

namespace onward::cli {
namespace {

std::string verdict(Call& call, const std::string& line) {
  const size_t first = line.find('\t'), second = line.find('\t', first + 1);
  if (first == line.npos || second == line.npos) return "error expected MODEL, INPUT_DIR and OUTPUT_DIR between tabs";
  try {
    run_case(call, line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1));
    return "ok";
  } catch (const Error& e) {
    if (e.code == Code::cancelled) throw;
    return verdict_of(e);
  } catch (const std::bad_alloc&) {
    return "error there is not enough memory";
  }
}

int run_all(Call& call) {
  int failed = 0;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    const std::string answer = verdict(call, line);
    failed += answer != "ok";
    call.out.data(answer + "\n");
    if (call.out.json) all.push_back(answer);
  }
  call.out.answer({{"verdicts", all}});
  return failed ? 1 : 0;
}

}  // namespace

Command run_cases_command() {
  return {.name = "run-cases", .summary = "many run-case: lines MODEL, INPUT_DIR, OUTPUT_DIR (tabs between) on stdin", .needs = Needs::running,
          .more = "Prints `ok`, `unsupported REASON` or `error REASON` for each line as soon as it is known. Exit code 1 if any was not ok.", .run = run_all};
}

}  // namespace onward::cli
