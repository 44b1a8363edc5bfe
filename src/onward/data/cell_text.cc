#include "onward/data/cell_text.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace onward {
namespace {

std::string_view trimmed(std::string_view s) {
  const auto space = [](char c) { return c == ' ' || c == '\t'; };
  while (!s.empty() && space(s.front())) s.remove_prefix(1);
  while (!s.empty() && space(s.back())) s.remove_suffix(1);
  return s;
}

// Digits with at most one point that fit into 53 bits, divided by a power of ten that a double holds: one rounding, hence exact.
bool short_decimal(std::string_view s, double& value) {
  static constexpr double power[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};
  const char *p = s.data(), *end = p + s.size();
  const bool negative = p < end && *p == '-';
  if (negative) ++p;
  if (end - p > 17 || p == end) return false;
  uint64_t digits = 0;
  const char* point = nullptr;
  for (const char* q = p; q < end; ++q) {
    const unsigned digit = unsigned(*q) - '0';
    if (digit < 10) digits = digits * 10 + digit;
    else if (*q == '.' && !point) point = q;
    else return false;
  }
  if (digits > uint64_t{1} << 53 || (point && end - p == 1)) return false;
  value = double(digits) / power[point ? end - point - 1 : 0];
  if (negative) value = -value;
  return true;
}

// Beyond the range of double: infinity or zero (or a denormal), as every reader rounds it.
double far_number(std::string_view s) { return std::strtod(std::string(s).c_str(), nullptr); }

template <class T> void append_float(std::string& out, T value) {
  char digits[40];
  const std::string_view s(digits, size_t(std::to_chars(digits, digits + sizeof digits, value).ptr - digits));
  out += s;
  if (s.find_first_of(".en") == std::string_view::npos) out += ".0";    // "1" would read back as a whole number; "inf", "nan" stay
}

}  // namespace

std::optional<int64_t> int64_from(std::string_view text) {
  std::string_view s = trimmed(text);
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size()) return {};
  return value;
}

std::optional<double> number_from(std::string_view text) {
  if (const auto number = float64_from(text)) return number;
  if (const auto truth = bool_from(text)) return *truth ? 1 : 0;
  return {};
}

std::optional<double> float64_from(std::string_view text) {
  double value = 0;
  if (short_decimal(text, value)) return value;
  std::string_view s = trimmed(text);
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (end != s.data() + s.size() || error == std::errc::invalid_argument) return {};
  if (error == std::errc::result_out_of_range) value = far_number(s);
  if (std::isnan(value)) return {};
  return value;
}

std::optional<bool> bool_from(std::string_view text) {
  const std::string_view s = trimmed(text);
  if (s == "True" || s == "true" || s == "TRUE") return true;
  if (s == "False" || s == "false" || s == "FALSE") return false;
  return {};
}

void append_int64(std::string& out, int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}
void append_float64(std::string& out, double value) { append_float(out, value); }
void append_float32(std::string& out, float value) { append_float(out, value); }

namespace {

constexpr int64_t day_ns = 86'400'000'000'000;

// Takes exactly `width` digits off the front.
bool number(std::string_view& s, size_t width, int& value) {
  if (s.size() < width) return false;
  value = 0;
  for (size_t i = 0; i < width; ++i) {
    if (s[i] < '0' || s[i] > '9') return false;
    value = value * 10 + (s[i] - '0');
  }
  s.remove_prefix(width);
  return true;
}
bool symbol(std::string_view& s, char c) {
  if (s.empty() || s[0] != c) return false;
  s.remove_prefix(1);
  return true;
}

// hh:mm[:ss[.fraction]] of a day, in nanoseconds.
bool clock(std::string_view& s, int64_t& ns) {
  int h = 0, m = 0, sec = 0;
  if (!number(s, 2, h) || !symbol(s, ':') || !number(s, 2, m) || h > 23 || m > 59) return false;
  if (symbol(s, ':') && (!number(s, 2, sec) || sec > 59)) return false;
  ns = (int64_t(h) * 3600 + m * 60 + sec) * 1'000'000'000;
  if (!symbol(s, '.')) return true;
  int64_t unit = 100'000'000;
  size_t digits = 0;
  for (int digit = 0; number(s, 1, digit); ++digits, unit /= 10) ns += unit * digit;
  return digits > 0 && digits <= 9;
}

bool zone(std::string_view& s, int64_t& ns) {
  ns = 0;
  if (s.empty() || symbol(s, 'Z')) return s.empty();
  const bool west = s[0] == '-';
  int h = 0, m = 0;
  if (!symbol(s, west ? '-' : '+') || !number(s, 2, h)) return false;
  symbol(s, ':');
  if (!s.empty() && !number(s, 2, m)) return false;
  ns = (west ? -1 : 1) * (int64_t(h) * 60 + m) * 60'000'000'000;
  return s.empty() && h < 24 && m < 60;
}

}  // namespace

std::optional<int64_t> datetime_from(std::string_view text) {
  std::string_view s = trimmed(text);
  int y = 0, m = 0, d = 0;
  if (!number(s, 4, y) || !symbol(s, '-') || !number(s, 2, m) || !symbol(s, '-') || !number(s, 2, d)) return {};
  const std::chrono::year_month_day date{std::chrono::year(y), std::chrono::month(unsigned(m)), std::chrono::day(unsigned(d))};
  if (!date.ok()) return {};
  int64_t ns = 0, offset = 0;
  if (!s.empty() && (!(symbol(s, 'T') || symbol(s, ' ')) || !clock(s, ns) || !zone(s, offset))) return {};
  int64_t total = 0;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  if (__builtin_mul_overflow(days, day_ns, &total) || __builtin_add_overflow(total, ns - offset, &total)) return {};
  return total;
}

void append_datetime(std::string& out, int64_t nanoseconds) {
  int64_t days = nanoseconds / day_ns, rest = nanoseconds % day_ns;
  if (rest < 0) rest += day_ns, --days;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  const auto padded = [&](int64_t value, size_t width, char before) {
    if (before) out += before;
    const std::string digits = std::to_string(value);
    out.append(width - std::min(width, digits.size()), '0') += digits;
  };
  padded(int(date.year()), 4, 0), padded(unsigned(date.month()), 2, '-'), padded(unsigned(date.day()), 2, '-');
  const int64_t seconds = rest / 1'000'000'000, fraction = rest % 1'000'000'000;
  padded(seconds / 3600, 2, ' '), padded(seconds / 60 % 60, 2, ':'), padded(seconds % 60, 2, ':');
  if (fraction == 0) return;
  padded(fraction, 9, '.');
  out.erase(out.find_last_not_of('0') + 1);
}

MissingMarkers::MissingMarkers(std::vector<std::string> markers) : markers_(std::move(markers)) {
  std::sort(markers_.begin(), markers_.end());
  for (const std::string& m : markers_) {
    longest_ = std::max(longest_, m.size());
    if (m.empty()) empty_ = true;
    else first_[uint8_t(m[0])] = true;
    any_number_ |= float64_from(m).has_value();
  }
}

std::vector<std::string> MissingMarkers::usual() {
  return {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"};
}

bool MissingMarkers::search(std::string_view text) const { return std::binary_search(markers_.begin(), markers_.end(), text); }

}  // namespace onward
