// From an object of the file to the estimator that its class means.
#include "onward/base/unicode.h"
#include "onward/estimators/fields.h"
#include "onward/estimators/without_answer.h"

namespace onward {

using plain::Kind;

namespace {

constexpr int deepest = 64;  // estimators within estimators
constexpr size_t most_estimators = 100'000, most_problems = 1000, longest_name = 80;

// scikit-learn's own rule: fitting leaves an attribute that ends in "_". Containers of steps have none themselves.
bool is_fitted(const plain::Value& v) {
  if (v.find("steps") || v.find("transformer_list") || v.find("func")) return true;
  const plain::Value& state = v.object->state;
  const auto fitted = [](std::span<const plain::Value> dict) {
    for (size_t i = 0; i + 1 < dict.size(); i += 2)
      if (dict[i].str().ends_with('_') && !dict[i].str().starts_with("__")) return true;
    return false;
  };
  if (state.is(Kind::dict)) return fitted(state.items());
  for (const plain::Value& part : state.items())
    if (part.is(Kind::dict) && fitted(part.items())) return true;
  return false;
}

}  // namespace

std::string clipped(std::string_view s) {
  std::string out;
  for (size_t at = 0; at < s.size();) {
    if (out.size() >= longest_name) return out + "…";
    append_utf8(out, next_code_point(s, at));
  }
  return out;
}

std::string Place::shown() const {
  std::string out = parent && !parent->part.empty() ? parent->shown() + " > " : "";
  out += clipped(part);
  if (!class_name.empty()) out += text(" (", clipped(class_name), ")");
  return out;
}

void Reading::report(Code code, const Place& place, std::string message) {
  if (problems.size() < most_problems) problems.push_back({code, place.shown(), std::move(message)});
}

Estimator Fields::estimator(const plain::Value& v, std::string_view part) {
  Place place{&place_, part, {}, place_.depth + 1};
  if (!v.is(Kind::object) || !v.object->callee.is(Kind::global)) {
    reading_.report(Code::bad_file, place, text("is ", plain::name(v.kind), ", not an estimator"));
    return {};
  }
  const plain::Global& cls = *v.object->callee.global;
  place.class_name = cls.name;
  if (const auto known = reading_.known.find(v.object); known != reading_.known.end()) return known->second;
  if (place.depth > deepest)
    fail(Code::limit_size, place.parent->shown().substr(0, 300), ": estimators are nested more than ", deepest, " deep");
  if (reading_.known.size() >= most_estimators) fail(Code::limit_size, "more than ", most_estimators, " estimators in one file");
  if (!reading_.under_way.insert(v.object).second) {
    reading_.report(Code::bad_file, place, "contains itself");
    return {};
  }
  Estimator result;
  const Definition* d = reading_.registry.find(cls.module, cls.name);
  if (!d) {
    const bool known = cls.module.starts_with("sklearn.");
    const std::string_view why = known ? without_answer(cls.name) : std::string_view();
    if (!why.empty()) reading_.report(Code::unsupported_estimator, place, std::string(why));
    else reading_.report(Code::unsupported_estimator, place,
                    text(clipped(cls.module), ".", clipped(cls.name), known ? " has no converter yet" : " is not a class of scikit-learn",
                         "; register a converter for it (onward.register_converter in Python, onward_converters_add in C)"));
  } else if (!d->may_be_stateless && !is_fitted(v)) {
    reading_.report(Code::bad_file, place, "is not fitted");
  } else {
    Fields fields(reading_, v, place);
    try {
      result = d->read(fields);
    } catch (Error& e) {
      if (e.code == Code::internal || e.code == Code::limit_size || e.code == Code::limit_memory) throw;
      reading_.report(e.code, place, e.message);
    }
  }
  reading_.under_way.erase(v.object);
  reading_.known.emplace(v.object, result);
  return result;
}

ReadModel read_estimator(const plain::Document& document, const Registry& registry) {
  // Arrays view the file and the arena: keep both.
  Reading reading{registry, std::make_shared<plain::Document>(document)};
  Fields root(reading, plain::Value(), Place());
  Estimator e = root.estimator(document.root, "model");
  return {e, std::move(reading.problems)};
}

void refuse_problems(const std::vector<Problem>& problems) {
  if (problems.empty()) return;
  std::string all;
  for (const Problem& p : problems) all += (all.empty() ? "" : "\n") + p.where + ": " + p.message;
  throw Error(problems[0].code, all);
}

}  // namespace onward
