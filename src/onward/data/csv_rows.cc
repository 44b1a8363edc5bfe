#include "onward/data/csv_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "onward/base/error.h"
#include "onward/base/unicode.h"

namespace onward {
namespace {

constexpr size_t padding = 8, most_cells = 4 << 20;

uint64_t zero_bytes(uint64_t word) { return (word - 0x0101010101010101) & ~word & 0x8080808080808080; }
constexpr uint64_t repeated(char c) { return 0x0101010101010101 * uint8_t(c); }

int64_t line_ends(std::string_view s) {
  int64_t n = std::count(s.begin(), s.end(), '\n');
  for (size_t at = s.find('\r'); at != std::string_view::npos; at = s.find('\r', at + 1)) n += at + 1 >= s.size() || s[at + 1] != '\n';
  return n;
}

bool is_ascii(std::string_view s) {
  size_t i = 0;
  for (uint64_t word; i + sizeof word <= s.size(); i += sizeof word) {
    std::memcpy(&word, s.data() + i, sizeof word);
    if (word & 0x8080808080808080) return false;
  }
  return std::all_of(s.begin() + ptrdiff_t(i), s.end(), [](char c) { return uint8_t(c) < 0x80; });
}

}  // namespace

CsvRows::CsvRows(std::unique_ptr<ByteSource> source, const CsvOptions& options)
    : source_(std::move(source)), batch_bytes_(std::min<size_t>(options.batch_bytes, 1 << 30)), row_bytes_(std::min<size_t>(options.row_bytes, 512 << 20)), separator_(options.separator) {
  more(0);
  const std::string_view start(buffer_.data(), end_);
  if (start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff")) fail_at(0, "the text is UTF-16", "save it as UTF-8");
  if (start.starts_with("\xef\xbb\xbf")) taken_ = 3;
  if (separator_ == 0) separator_ = found_separator();
}

bool CsvRows::next(int64_t most) {
  drop_taken();
  cells_.clear(), row_ends_.clear();
  while (rows() < most && taken_ < batch_bytes_ && cells_.size() < most_cells) {
    const size_t before = cells_.size();
    const size_t next = taken_ == end_ && ended_ ? incomplete : scan_row(taken_);
    if (next == incomplete) {
      cells_.resize(before);
      if (!more(taken_)) break;
      continue;
    }
    taken_ = next;
    if (blank(before)) cells_.resize(before);
    else row_ends_.push_back(cells_.size());
    if (width_ == 0) width_ = cells_.size();
  }
  check_utf8();
  return rows() > 0;
}

// An empty line is nothing; "" is a cell. Spaces are a cell only where a table has one column.
bool CsvRows::blank(size_t first) const {
  if (cells_.size() != first + 1 || cells_[first].quoted) return false;
  return width_ == 1 ? cells_[first].size == 0 : raw(cells_[first]).find_first_not_of(' ') == std::string_view::npos;
}

void CsvRows::drop_taken() {
  first_line_ += line_ends({buffer_.data(), taken_});
  buffer_.erase(0, taken_);
  end_ -= taken_, taken_ = 0;
}

bool CsvRows::more(size_t row) {
  if (ended_) return false;
  if (end_ - row > row_bytes_)
    throw Error(Code::limit_size, text(name(), ": line ", line(row), ": a row of more than ", row_bytes_, " bytes"), "is a quote never closed?");
  const size_t block = std::clamp<size_t>(batch_bytes_, 4 << 10, 1 << 20);
  const size_t wanted = std::max(block, end_ - row);     // doubling: a long row is scanned again only a few times
  if (buffer_.size() < end_ + wanted + padding) buffer_.resize(end_ + wanted + padding);
  const size_t got = source_->read(buffer_.data() + end_, wanted);
  end_ += got, ended_ = got < wanted;
  return true;
}

size_t CsvRows::scan_row(size_t at) {
  for (;;) {
    at = at < end_ && buffer_[at] == '"' ? scan_quoted(at) : scan_plain(at);
    if (at == incomplete || at == end_) return at;
    const char c = buffer_[at++];
    if (c == separator_) continue;
    if (c == '\n') return at;
    if (at == end_ && !ended_) return incomplete;        // a carriage return: a line feed may follow
    return at + (at < end_ && buffer_[at] == '\n');
  }
}

size_t CsvRows::end_of_plain(size_t at) const {
  const uint64_t separators = repeated(separator_);
  for (uint64_t word; at < end_; at += sizeof word) {
    std::memcpy(&word, buffer_.data() + at, sizeof word);
    const uint64_t found = zero_bytes(word ^ separators) | zero_bytes(word ^ repeated('\n')) | zero_bytes(word ^ repeated('\r'));
    if (found) return std::min(end_, at + size_t(std::countr_zero(found)) / 8);
  }
  return end_;
}

size_t CsvRows::scan_plain(size_t at) {
  const size_t end = end_of_plain(at);
  if (end == end_ && !ended_) return incomplete;
  cells_.push_back({uint32_t(at), uint32_t(end - at), 0, 0});
  return end;
}

size_t CsvRows::scan_quoted(size_t at) {
  const size_t begin = at + 1;
  bool doubled = false;
  for (size_t from = begin;;) {
    const void* found = std::memchr(buffer_.data() + from, '"', end_ - from);
    const size_t quote = found ? size_t(static_cast<const char*>(found) - buffer_.data()) : end_;
    if (quote + 1 >= end_ && !ended_) return incomplete;
    if (!found) fail_at(at, "a quote is opened and never closed");
    if (quote + 1 < end_ && buffer_[quote + 1] == '"') {
      doubled = true, from = quote + 2;
      continue;
    }
    cells_.push_back({uint32_t(begin), uint32_t(quote - begin), 1, doubled});
    const char next = quote + 1 < end_ ? buffer_[quote + 1] : '\n';
    if (next == separator_ || next == '\n' || next == '\r') return quote + 1;
    throw Error(Code::bad_data, text(name(), ": line ", line(quote), ": text behind a closing quote"), "a quote inside quotes is written twice");
  }
}

std::string_view CsvRows::unquoted(CsvCell cell, std::string& scratch) const {
  if (!cell.doubled) return raw(cell);
  scratch.clear();
  const std::string_view s = raw(cell);
  for (size_t i = 0; i < s.size(); ++i) {
    scratch += s[i];
    i += s[i] == '"';
  }
  return scratch;
}

int64_t CsvRows::line(size_t offset) const { return first_line_ + line_ends({buffer_.data(), std::min(offset, end_)}); }

void CsvRows::fail_at(size_t offset, std::string message, std::string hint) const {
  throw Error(Code::bad_data, text(name(), ": line ", line(offset), ": ", message), std::move(hint));
}

void CsvRows::check_utf8() const {
  const std::string_view batch(buffer_.data(), taken_);
  if (is_ascii(batch) || is_utf8(batch)) return;
  for (const CsvCell& cell : cells_)
    if (!is_utf8(raw(cell))) fail_at(cell.begin, "the text is not UTF-8", "convert it: iconv -f latin1 -t utf-8");
  fail_at(0, "the text is not UTF-8");
}

// The candidate that divides the first lines into the same number of cells, more than one; the more the better.
char CsvRows::found_separator() const {
  constexpr size_t lines = 20;
  char best = ',';
  size_t most = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    std::vector<size_t> counts;
    bool quoted = false;
    size_t count = 0, line = taken_;
    for (size_t i = taken_; i < end_ && counts.size() < lines; ++i) {
      const char c = buffer_[i];
      if (c == '"') quoted = !quoted;
      if (quoted) continue;
      count += c == candidate;
      if (c != '\n' && c != '\r') continue;
      if (i > line) counts.push_back(count);
      count = 0, line = i + 1;
    }
    if (counts.empty()) counts.push_back(count);
    const bool even = std::all_of(counts.begin(), counts.end(), [&](size_t n) { return n == counts[0]; });
    const size_t score = counts[0] * (even ? 1000 : 1);
    if (score > most) most = score, best = candidate;
  }
  return best;
}

}  // namespace onward
