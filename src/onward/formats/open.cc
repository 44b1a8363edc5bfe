#include "onward/formats/open.h"

#include <algorithm>

#include "onward/base/file.h"
#include "onward/formats/boosters.h"
#include "onward/formats/decompress.h"
#include "onward/formats/pickle.h"
#include "onward/formats/skops.h"
#include "onward/formats/zip.h"

namespace onward::formats {
namespace {

constexpr size_t inner_least = size_t{1} << 20, inner_per_byte = 4;

// A compressed file pays for its values by what it is, not by what it claims to hold. Once it is decompressed it is let go: the two are
// as large as each other where numbers do not compress.
plain::Document open_compressed(std::string_view bytes, std::shared_ptr<const void> owner, Limits limits) {
  if (limits.nesting <= 0) fail(Code::limit_size, "compressed files are nested too deeply");
  const Decompressed inner = decompress(bytes, budget(limits.decompressed, limits.decompressed_per_byte, bytes.size()));
  owner.reset();
  limits.memory = std::min(budget(limits.memory, limits.memory_per_byte, inner.bytes.size()),
                           budget(limits.memory, limits.memory_per_compressed_byte, bytes.size()));
  limits.memory_per_byte = limits.memory_per_compressed_byte = limits.decompressed_per_byte = 0;
  limits.nesting -= 4;
  return open_bytes(inner.bytes, inner.owner, limits);
}

plain::Document read_bytes(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  if (bytes.empty()) fail(Code::bad_file, "the file is empty");
  if (is_compressed(bytes)) return open_compressed(bytes, std::move(owner), limits);
  if (looks_like_zip(bytes)) return read_skops(bytes, std::move(owner), limits);
  if (bytes.starts_with("ZF"))
    throw Error(Code::unsupported_format, "a file of joblib before 0.10 (2016)", "load it and dump it again with a newer joblib");
  if (looks_like_booster(bytes)) return read_booster(bytes, std::move(owner), limits);
  return read_pickle(bytes, std::move(owner), limits);
}

// A file may name one part of it many times over; opening each is paid for by the file's size.
auto inner_files(size_t file_size, Limits limits) {
  limits.nesting -= 4;
  return [limits, left = std::make_shared<size_t>(inner_least + inner_per_byte * file_size)](std::string_view part) {
    if (limits.nesting <= 0) fail(Code::limit_size, "files within files are nested too deeply");
    if (part.size() > *left) fail(Code::limit_size, "the files within this file are read too often");
    *left -= part.size();
    return open_bytes(part, nullptr, limits);
  };
}

}  // namespace

plain::Document open_bytes(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  plain::Document document = read_bytes(bytes, std::move(owner), limits);
  if (!document.inner) document.inner = inner_files(bytes.size(), limits);
  return document;
}

plain::Document open(const std::string& path, const Limits& limits) {
  const MappedFile file = map_file(path);
  try {
    return open_bytes(file.bytes, file.owner, limits);
  } catch (Error& e) {
    throw e.within(text("reading ", path));
  }
}

}  // namespace onward::formats
