// Table files by what they are: recognised by content when read, by suffix when written.
#pragma once
#include <memory>
#include <string>

#include "onward/data/csv.h"

namespace onward {

// "-" is standard input. Reads CSV (also gzip), JSON lines and arrays, npy, npz. Throws Error{unsupported_format} that says what to do for
// the others it recognises (Parquet, Arrow, Excel, …).
std::unique_ptr<TableReader> open_table(const std::string& path, const CsvOptions& csv = {});
std::unique_ptr<TableReader> table_reader(Table table, int64_t batch_rows = 8192);       // a table that is in memory

// .csv .tsv .json .jsonl .ndjson .npy .npz; "-" is CSV on standard output. The file appears when it is finished, whole.
// An array file is written from memory, the others as they come.
std::unique_ptr<TableWriter> create_table(const std::string& path);

}  // namespace onward
