// Cells as text: how numbers, booleans and times are written in CSV and JSON lines, and how they are understood.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onward {

// Spaces around the value are allowed; anything else that is not part of it gives nothing. Numbers are rounded correctly.
std::optional<int64_t> int64_from(std::string_view text);
std::optional<double> float64_from(std::string_view text);              // also "inf", "-Infinity"; never NaN
std::optional<double> number_from(std::string_view text);              // float64_from, and 1 or 0 for what bool_from takes
std::optional<bool> bool_from(std::string_view text);                   // True, TRUE, true and their opposites
std::optional<int64_t> datetime_from(std::string_view text);            // ISO 8601: nanoseconds since 1970 in UTC; a time without zone is UTC

void append_int64(std::string& out, int64_t value);
void append_float64(std::string& out, double value);                    // the shortest text that reads back to the same number; "1.0", "inf"
void append_float32(std::string& out, float value);
void append_datetime(std::string& out, int64_t nanoseconds);            // "2024-02-29 23:59:59.5"

// Texts that stand for a missing value.
class MissingMarkers {
 public:
  explicit MissingMarkers(std::vector<std::string> markers = usual());
  static std::vector<std::string> usual();               // the ones pandas takes: "", NA, N/A, nan, NULL, None, …
  bool contains(std::string_view text) const {
    return text.size() <= longest_ && (text.empty() ? empty_ : first_[uint8_t(text[0])] && search(text));
  }
  bool any_number() const { return any_number_; }        // a marker such as -999 must be looked for before numbers are read

 private:
  bool search(std::string_view text) const;
  std::vector<std::string> markers_;                     // sorted
  size_t longest_ = 0;
  bool first_[256] = {}, empty_ = false, any_number_ = false;
};

}  // namespace onward
