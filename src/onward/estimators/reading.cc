// From an object of the file to the estimator that its class means.
#include "onward/base/unicode.h"
#include "onward/estimators/fields.h"
#include "onward/estimators/newer_versions.h"
#include "onward/estimators/without_answer.h"

namespace onward {

using plain::Kind;

namespace {

constexpr int deepest = 64;  // estimators within estimators
constexpr size_t most_estimators = 100'000, most_problems = 1000, longest_name = 80;

// Calls f with the name and value of every attribute until it returns true; whether it did. A class with slots states several dicts.
template <class F>
bool any_attribute(const plain::Value& v, F f) {
  const auto any = [&](std::span<const plain::Value> dict) {
    for (size_t i = 0; i + 1 < dict.size(); i += 2)
      if (dict[i].is(Kind::text) && f(dict[i].str(), dict[i + 1])) return true;
    return false;
  };
  const plain::Value& state = v.object->state;
  if (state.is(Kind::dict)) return any(state.items());
  return std::ranges::any_of(state.items(), [&](const plain::Value& part) { return part.is(Kind::dict) && any(part.items()); });
}

// scikit-learn's own rule: fitting leaves an attribute that ends in "_". Containers of steps have none themselves.
bool is_fitted(const plain::Value& v) {
  if (v.find("steps") || v.find("transformer_list") || v.find("func")) return true;
  return any_attribute(v, [](std::string_view name, const plain::Value&) { return name.ends_with('_') && !name.starts_with("__"); });
}

// A class that nobody knows is an estimator where it says what every fitted one does.
bool looks_like_an_estimator(const plain::Value& v) { return v.find("n_features_in_") || v.find("classes_"); }

// A class without a converter may hold estimators that its converter will ask for: what stands in their way is said with the rest.
void look_inside(Reading& reading, const plain::Value& v, const Place& place) {
  constexpr size_t most_looks = 10'000, enough_problems = 100;
  if (reading.problems.size() > enough_problems || place.depth > deepest / 2) return;
  size_t looks = 0;
  Fields fields(reading, v, place);
  const auto look = [&](std::string_view name, const plain::Value& held) {
    ++looks;
    if (!held.is(Kind::object) || !held.object->callee.is(Kind::global) || reading.under_way.contains(held.object)) return;
    const plain::Global& cls = *held.object->callee.global;
    const Definition* d = reading.registry.find(cls.module, cls.name);
    if (d ? d->may_be_stateless || is_fitted(held) : looks_like_an_estimator(held)) fields.estimator(held, name);
  };
  any_attribute(v, [&](std::string_view name, const plain::Value& held) {
    look(name, held);
    const std::span<const plain::Value> items = held.is(Kind::list) || held.is(Kind::tuple) || held.is(Kind::dict) ? held.items() : std::span<const plain::Value>();
    for (size_t i = 0; i < items.size() && looks < most_looks; ++i) {
      look(name, items[i]);
      if (items[i].is(Kind::tuple) && items[i].items().size() < 4)         // ("name", estimator)
        for (const plain::Value& item : items[i].items()) look(name, item);
    }
    return looks >= most_looks;
  });
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

void Reading::report(Code code, const Place& place, std::string message, std::string hint) {
  if (problems.size() < most_problems) problems.push_back({code, place.shown(), std::move(message), std::move(hint)});
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
                    text(clipped(cls.module), ".", clipped(cls.name), known ? " has no converter yet" : " is not a class of scikit-learn"),
                         "register a converter for it (onward.register_converter in Python, onward_converters_add in C)");
    if (why.empty()) look_inside(reading_, v, place);
  } else if (!d->may_be_stateless && !is_fitted(v)) {
    reading_.report(Code::bad_file, place, "is not fitted");
  } else {
    Fields fields(reading_, v, place);
    try {
      result = d->read(fields);
      note_newer(reading_, v, fields.facts());
    } catch (Error& e) {
      if (e.code == Code::internal || e.code == Code::limit_size || e.code == Code::limit_memory) throw;
      reading_.report(e.code, place, e.message, e.hint);
    }
  }
  reading_.under_way.erase(v.object);
  reading_.known.emplace(v.object, result);
  return result;
}

ReadModel read_estimator(const plain::Document& document, const Registry& registry, bool own_ops) {
  // Arrays view the file and the arena: keep both.
  Reading reading{registry, std::make_shared<plain::Document>(document)};
  reading.own_ops = own_ops;
  Fields root(reading, plain::Value(), Place());
  Estimator e = root.estimator(document.root, "model");
  return {e, std::move(reading.problems), newer_warnings(reading)};
}

void refuse_problems(const std::vector<Problem>& problems) {
  if (!problems.empty()) throw Refusal(problems);
}

}  // namespace onward
