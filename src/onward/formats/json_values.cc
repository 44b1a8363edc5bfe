#include "onward/formats/json_values.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "onward/formats/pickle_text.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

constexpr size_t depth_max = 400;

// Called by the parser for each token. Builds in the arena, so the arena's limit bounds it.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(Arena& arena) : arena_(arena) {}
  Value root;

  bool null() override { return add(Value()); }
  bool boolean(bool b) override { return add(plain::boolean(b)); }
  bool number_integer(int64_t i) override { return add(plain::integer(i)); }
  bool number_unsigned(uint64_t i) override {
    return add(std::in_range<int64_t>(i) ? plain::integer(static_cast<int64_t>(i)) : plain::text(arena_, arena_.copy(text(i))));
  }
  bool number_float(double x, const std::string& digits) override {
    const bool whole = digits.find_first_not_of("-0123456789") == std::string::npos;
    return add(whole ? integer_of_digits(arena_, arena_.copy(digits)) : plain::real(x));
  }
  bool string(std::string& s) override { return add(plain::text(arena_, arena_.copy(s))); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return open(Kind::dict); }
  bool key(std::string& s) override { return add(plain::text(arena_, arena_.copy(s))); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(Kind::list); }
  bool end_array() override { return close(); }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail(Code::bad_file, "byte ", position, ": this is no JSON");
  }

 private:
  bool add(Value v) {
    if (open_.empty()) root = v;
    else open_.back()->push(arena_, v);
    return true;
  }
  bool open(Kind kind) {
    if (open_.size() >= depth_max) fail(Code::limit_size, "JSON is nested more than ", depth_max, " levels deep");
    const Value v = plain::sequence(arena_, kind);
    add(v);
    open_.push_back(v.sequence);
    return true;
  }
  bool close() { return open_.pop_back(), true; }

  Arena& arena_;
  std::vector<plain::Sequence*> open_;
};

}  // namespace

Value read_json_values(Arena& arena, std::string_view json) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (json == "NaN") return plain::real(std::numeric_limits<double>::quiet_NaN());
  if (json == "Infinity" || json == "-Infinity") return plain::real(json[0] == '-' ? -infinity : infinity);
  Builder builder(arena);
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &builder)) fail(Code::bad_file, "this is no JSON");
  return builder.root;
}

}  // namespace onward::formats
