#include "onward/estimators/newer_versions.h"

#include <algorithm>
#include <charconv>

#include "onward/estimators/known_fields.h"

namespace onward {
namespace {

using plain::Kind;
using plain::Value;

struct Known {
  std::string_view library, shown;
  int major, minor;
};
constexpr Known newest[] = {{"sklearn", "scikit-learn", 1, 9}, {"xgboost", "XGBoost", 3, 2}, {"lightgbm", "LightGBM's format", 4, 0}, {"catboost", "CatBoost", 1, 2}};

constexpr int deepest = 12;
constexpr size_t most_fields = 1'000'000, most_named = 40, longest_name = 60;

const Known* known(std::string_view library) {
  for (const Known& k : newest)
    if (k.library == library) return &k;
  return nullptr;
}

bool is_newer(std::string_view version, const Known& than) {
  if (version.starts_with('v')) version.remove_prefix(1);
  int parts[2] = {0, 0};
  const char *at = version.data(), *end = at + version.size();
  for (int& part : parts) {
    const auto [next, error] = std::from_chars(at, end, part);
    if (error != std::errc()) break;
    if (next == end || *next != '.') break;
    at = next + 1;
  }
  return std::pair(parts[0], parts[1]) > std::pair(than.major, than.minor);
}

// "sklearn" stands for what objects of any of its classes may have.
std::set<std::string_view> names_of(std::string_view owner, bool with_usual) {
  std::set<std::string_view> out;
  for (const KnownFields& k : known_fields()) {
    if (k.owner != owner && !(with_usual && k.owner == "sklearn")) continue;
    for (std::string_view left = k.names; !left.empty();) {
      const size_t end = std::min(left.find(' '), left.size());
      out.insert(left.substr(0, end));
      left.remove_prefix(std::min(end + 1, left.size()));
    }
  }
  return out;
}

// The names of what objects and records hold; those of a booster's file at any depth.
class NewNames {
 public:
  NewNames(std::string_view owner, bool deep, std::set<std::string>& found) : owner_(owner), known_(names_of(owner, !deep)), deep_(deep), found_(found) {}

  void look(const Value& v, int depth = 0) {
    if (depth > deepest || seen_ > most_fields) return;
    if (v.is(Kind::object)) return look(v.object->state, depth + 1);
    if (v.is(Kind::dict)) return pairs(v, depth);
    if (v.is(Kind::list) || v.is(Kind::tuple))
      for (const Value& item : v.items())
        if (item.is(Kind::dict) || item.is(Kind::list)) look(item, depth + 1);
  }

 private:
  // What users and training put there: its names are no part of the format.
  static bool holds_data(std::string_view name) {
    static constexpr std::string_view all[] = {"attributes", "class_params", "core", "ctr_data", "metadata", "model_info", "params"};
    return std::ranges::count(all, name) > 0;
  }
  void pairs(const Value& dict, int depth) {
    const std::span<const Value> items = dict.items();
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      ++seen_;
      if (!items[i].is(Kind::text)) continue;
      const std::string_view name = items[i].str();
      if (!known_.contains(name) && found_.size() < most_named) found_.insert(text(owner_, " has '", clipped(name.substr(0, longest_name)), "'"));
      if (deep_ && known_.contains(name) && !holds_data(name)) look(items[i + 1], depth + 1);
    }
  }
  std::string_view owner_;
  std::set<std::string_view> known_;
  bool deep_;
  std::set<std::string>& found_;
  size_t seen_ = 0;
};

}  // namespace

void note_newer(Reading& reading, const plain::Value& object, const Facts& facts) {
  const Known* k = known(facts.library);
  if (!k || !is_newer(facts.version, *k)) return;
  std::set<std::string>& found = reading.newer[text(k->shown, " ", clipped(facts.version))];
  const bool sklearn = facts.library == "sklearn", own_file = object.find("learner") || object.find("trees") || object.find("__model");
  if (!sklearn && !own_file) return;  // a class around a booster, which says its version
  NewNames(sklearn ? std::string_view(facts.class_name) : k->shown, !sklearn, found).look(object);
}

std::vector<std::string> newer_warnings(const Reading& reading) {
  std::vector<std::string> out;
  for (const auto& [version, found] : reading.newer) {
    std::string changed;
    for (const std::string& one : found) changed += (changed.empty() ? "" : ", ") + one;
    out.push_back(text(version, " is newer than this release of onward, which takes it as the newest that it knows: ",
                       changed.empty() ? "nothing in the file is new by name" : changed + ", which is new", "; compare the answers with `onward validate`"));
  }
  return out;
}

}  // namespace onward
