// onward explain: what an error code means and what usually helps.
#include <nlohmann/json.hpp>

#include "onward/base/suggest.h"
#include "onward/cli/call.h"

namespace onward::cli {
namespace {

bool is_called(const CodeFact& fact, const std::string& word) {
  return word == id_of(fact.code) || word == fact.name || word == text(int(fact.code)) || "E" + word == id_of(fact.code) || "e" + id_of(fact.code).substr(1) == word;
}

const CodeFact& looked_up(const std::string& word) {
  std::vector<std::string> known;
  for (const CodeFact& fact : code_facts()) {
    if (is_called(fact, word)) return fact;
    known.push_back(id_of(fact.code)), known.emplace_back(fact.name);
  }
  const auto near = nearest(word, known);
  throw Error(Code::usage, text("no error has the code '", word, "'"), near ? text("did you mean '", *near, "'?") : "`onward explain` lists them all");
}

nlohmann::ordered_json as_json(const CodeFact& fact) {
  return {{"code", id_of(fact.code)}, {"name", fact.name}, {"meaning", fact.meaning}, {"advice", fact.advice}, {"exit_code", exit_code(fact.code)}};
}

int explain(Call& call) {
  const auto word = call.arguments.argument(0);
  if (!word) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const CodeFact& fact : code_facts()) {
      call.out.data(text(id_of(fact.code), "  ", fact.name, std::string(24 - std::min<size_t>(22, fact.name.size()), ' '), fact.meaning, "\n"));
      all.push_back(as_json(fact));
    }
    call.out.answer({{"codes", all}});
    return 0;
  }
  const CodeFact& fact = looked_up(*word);
  call.out.data(text(id_of(fact.code), " ", fact.name, " (exit code ", exit_code(fact.code), ")\n\n", fact.meaning, "\n"));
  if (!fact.advice.empty()) call.out.data(text("\nWhat helps: ", fact.advice, "\n"));
  call.out.answer(as_json(fact));
  return 0;
}

}  // namespace

Command explain_command() {
  return {.name = "explain", .summary = "what an error code means and what usually helps",
          .arguments = {{"CODE", "E0302, 302 or bad-file; without one, all codes are listed", false}}, .run = explain};
}

}  // namespace onward::cli
