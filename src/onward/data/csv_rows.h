// A CSV file's bytes, cut into rows of cells. Holds one batch of them at a time.
#pragma once
#include <memory>
#include <vector>

#include "onward/data/csv.h"

namespace onward {

// Where a cell's text lies in the batch, without its outer quotes.
struct CsvCell {
  uint32_t begin;
  uint32_t size : 30;
  uint32_t quoted : 1;
  uint32_t doubled : 1;                                  // quotes inside are still doubled
};

class CsvRows {
 public:
  // Skips a byte order mark and finds the separator.
  CsvRows(std::unique_ptr<ByteSource> source, const CsvOptions& options);

  // The next rows: at most `most`, fewer where they are long. False at the end of the file. Blank lines are passed over.
  bool next(int64_t most);
  int64_t rows() const { return int64_t(row_ends_.size()); }
  size_t cells_before(int64_t row) const { return row ? row_ends_[size_t(row) - 1] : 0; }
  std::span<const CsvCell> row(int64_t row) const { return std::span(cells_).subspan(cells_before(row), row_ends_[size_t(row)] - cells_before(row)); }
  std::span<const CsvCell> cells() const { return cells_; }            // of the batch, row after row
  std::string_view raw(CsvCell cell) const { return {buffer_.data() + cell.begin, cell.size}; }
  std::string_view unquoted(CsvCell cell, std::string& scratch) const;  // with doubled quotes undone
  int64_t line(size_t offset) const;                     // the line, from 1, on which a byte of the batch lies
  [[noreturn]] void fail_at(size_t offset, std::string message, std::string hint = {}) const;
  const std::string& name() const { return source_->name; }

 private:
  static constexpr size_t incomplete = SIZE_MAX;
  size_t scan_row(size_t at);                            // appends cells; where the next row begins, or incomplete
  size_t scan_quoted(size_t at);
  size_t scan_plain(size_t at);
  size_t end_of_plain(size_t at) const;
  bool more(size_t row);                                 // reads on; false at the end of the file
  void drop_taken();
  bool blank(size_t first_cell) const;
  void check_utf8() const;
  char found_separator() const;

  std::unique_ptr<ByteSource> source_;
  size_t batch_bytes_, row_bytes_;
  char separator_;
  size_t width_ = 0;                                     // of the first row
  std::string buffer_;                                   // the batch, what is read beyond it, and padding for wide loads
  size_t end_ = 0;                                       // of the bytes read
  size_t taken_ = 0;                                     // of the batch
  bool ended_ = false;
  int64_t first_line_ = 1;                               // of the batch
  std::vector<CsvCell> cells_;
  std::vector<size_t> row_ends_;                         // into cells_
};

}  // namespace onward
