#include "onward/formats/open.h"
#include "onward/base/file.h"
#include "onward/formats/decompress.h"
namespace onward::formats {

plain::Document open_bytes(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  if (is_compressed(bytes)) {
    auto text = std::make_shared<std::string>(decompress(bytes, limits.decompressed));
    return open_bytes(*text, text, limits);
  }
  if (bytes.starts_with("ZF")) fail(Code::unsupported_format, "a file of joblib before 0.10 (2016); load and dump it again with a newer joblib");
  return read_pickle(bytes, std::move(owner), limits);
}

plain::Document open(const std::string& path, const Limits& limits) {
  MappedFile file = map_file(path);
  try {
    return open_bytes(file.bytes, file.owner, limits);
  } catch (Error& e) {
    throw e.within("reading " + path);
  }
}

}  // namespace onward::formats
