#include "onward/formats/lightgbm_text.h"

#include "onward/formats/json_values.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

constexpr std::string_view categories_mark = "pandas_categorical:";

// Lines without their ends; both kinds of line end.
class Lines {
 public:
  explicit Lines(std::string_view text) : left_(text) {}
  std::optional<std::string_view> next() {
    if (left_.empty()) return {};
    const size_t end = left_.find('\n');
    std::string_view line = left_.substr(0, end);
    left_.remove_prefix(end == left_.npos ? left_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return line;
  }
  size_t number() const { return number_; }

 private:
  std::string_view left_;
  size_t number_ = 0;
};

// "average_output" alone says yes.
void add_line(Arena& arena, const Value& dict, std::string_view line) {
  const size_t equals = line.find('=');
  dict.sequence->push(arena, plain::text(arena, line.substr(0, equals)));
  dict.sequence->push(arena, plain::text(arena, equals == line.npos ? "1" : line.substr(equals + 1)));
}

void add(Arena& arena, const Value& dict, std::string_view key, Value v) {
  dict.sequence->push(arena, plain::text(arena, key));
  dict.sequence->push(arena, v);
}

// What follows the trees: importances and parameters, which do not matter here, and Python's categories.
void read_rest(Arena& arena, Lines& lines, const Value& model) {
  bool in_parameters = false;
  while (const auto line = lines.next()) {
    if (*line == "parameters:") in_parameters = true;
    if (*line == "end of parameters") in_parameters = false;
    if (line->starts_with(categories_mark))
      add(arena, model, "pandas_categorical", read_json_values(arena, line->substr(categories_mark.size())));
  }
  if (in_parameters) fail(Code::bad_file, "the file ends at line ", lines.number(), ", within the parameters: it was cut off");
}

}  // namespace

bool looks_like_lightgbm(std::string_view bytes) {
  return bytes.starts_with("tree\nversion=") || bytes.starts_with("tree\r\nversion=") || bytes.starts_with("tree\nnum_class=");
}

Value read_lightgbm_text(Arena& arena, std::string_view text) {
  Lines lines(text);
  lines.next();
  const Value model = plain::sequence(arena, Kind::dict), trees = plain::sequence(arena, Kind::list);
  Value now = model;
  while (const auto line = lines.next()) {
    if (*line == "end of trees") {
      add(arena, model, "trees", trees);
      read_rest(arena, lines, model);
      return model;
    }
    if (line->starts_with("Tree=")) {
      now = plain::sequence(arena, Kind::dict);
      trees.sequence->push(arena, now);
    } else if (!line->empty()) add_line(arena, now, *line);
  }
  fail(Code::bad_file, "the file ends at line ", lines.number(), ", within the trees: it was cut off");
}

}  // namespace onward::formats
