// Comma-separated tables (RFC 4180, and what programs really write), read and written batch by batch in bounded memory.
//
// Read as pandas.read_csv reads, with these differences: numbers are rounded correctly, rows of another width than the header are
// errors (with their line), and so is text behind a closing quote. Repeated names become "a", "a.1"; empty ones "Unnamed: 0".
#pragma once
#include <memory>

#include "onward/data/byte_source.h"
#include "onward/data/cell_text.h"
#include "onward/data/table_stream.h"

namespace onward {

struct CsvOptions {
  char separator = 0;                                    // 0: whichever of , ; tab | divides the first lines
  bool header = true;                                    // without one the columns are x0, x1, …
  std::vector<std::string> missing = MissingMarkers::usual();
  bool quoted_is_text = false;                           // true: in columns of text, "" and "NA" in quotes are no gaps
  int64_t batch_rows = 8192;
  size_t batch_bytes = 32 << 20;                         // a batch ends when it is this large; types are judged from the first batch
  size_t row_bytes = 64 << 20;                           // a longer row is an error, often a quote that is never closed
};

std::unique_ptr<TableReader> open_csv(std::unique_ptr<ByteSource> source, CsvOptions options = {});

// Appends the rows of a table as text. A gap is an empty cell, or NA in a table of one column; an empty text and texts that read as gaps are quoted.
class CsvText {
 public:
  explicit CsvText(char separator = ',') : separator_(separator) {}
  void append_header(std::string& out, const Table& table) const;
  void append_rows(std::string& out, const Table& table) const;

 private:
  void append_text(std::string& out, std::string_view text) const;
  void append_cell(std::string& out, const Column& column, size_t row) const;
  char separator_;
  MissingMarkers markers_;
};

}  // namespace onward
