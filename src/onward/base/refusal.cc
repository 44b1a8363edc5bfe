#include "onward/base/refusal.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace onward {

std::vector<Problem> grouped(const std::vector<Problem>& all) {
  std::vector<Problem> out;
  std::map<std::tuple<Code, std::string_view, std::string_view>, size_t> places;
  for (const Problem& p : all) {
    const auto [it, fresh] = places.try_emplace({p.code, p.message, p.hint}, out.size());
    if (fresh) {
      out.push_back(p);
      continue;
    }
    Problem& first = out[it->second];
    first.also.push_back(p.where);
    first.also.insert(first.also.end(), p.also.begin(), p.also.end());
  }
  return out;
}

std::string shown(const Problem& p) {
  constexpr size_t most_named = 7;
  std::string out = p.where;
  for (size_t i = 0; i < p.also.size() && i < most_named; ++i) out += ", " + p.also[i];
  if (p.also.size() > most_named) out += text(" and ", p.also.size() - most_named, " more places");
  return text(out, out.empty() ? "" : ": ", p.message);
}

namespace {

// What all of them say to do; else each says its own.
std::string common_hint(const std::vector<Problem>& problems) {
  const std::string& first = problems.at(0).hint;
  return std::ranges::all_of(problems, [&](const Problem& p) { return p.hint == first; }) ? first : std::string();
}

std::string listed(const std::vector<Problem>& problems, bool with_hints) {
  std::string out;
  for (const Problem& p : problems) {
    out += (out.empty() ? "" : "\n") + shown(p);
    if (with_hints && !p.hint.empty()) out += "; " + p.hint;
  }
  return out;
}

// Names them all before it says what to do: a message that is too long loses its middle.
Error error_of(const std::vector<Problem>& problems) {
  std::string hint = common_hint(problems), message = listed(problems, hint.empty());
  if (message.size() > Error::longest) message = listed(problems, false), hint = "`onward convert --dry-run` says what to do about each";
  return Error(problems[0].code, std::move(message), std::move(hint));
}

}  // namespace

Refusal::Refusal(const std::vector<Problem>& all) : Error(error_of(grouped(all))), problems(grouped(all)) {}

}  // namespace onward
