#include "onward/formats/source.h"

#include "onward/base/sha256.h"
#include "onward/formats/boosters.h"
#include "onward/formats/decompress.h"
#include "onward/formats/open.h"

namespace onward::formats {

FileKind kind_of(std::string_view bytes) {
  // An ONNX file begins with the field ir_version, which is a small number.
  if (bytes.size() > 4 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 64) return FileKind::onnx;
  const bool pickled = bytes.size() > 1 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
  const bool old_pickle = bytes.starts_with("ccopy_reg\n") || bytes.starts_with("(icopy_reg");
  const bool archive = bytes.starts_with("PK\x03\x04") && bytes.substr(0, 4096).find("schema.json") != bytes.npos;
  if (pickled || old_pickle || archive || bytes.starts_with("ZF") || is_compressed(bytes) || looks_like_booster(bytes))
    return FileKind::fitted;
  return FileKind::other;
}

ReadModel read_source(MappedFile file, const Registry& registry, bool own_ops) {
  return read_estimator(open_bytes(file.bytes, std::move(file.owner)), registry, own_ops);
}

Model convert_source(MappedFile file, ConvertOptions options, std::vector<std::string>* warnings) {
  if (!options.registry) options.registry = std::make_shared<const Registry>(Registry::builtin());
  options.source_sha256 = sha256(file.bytes);
  const ReadModel read = read_source(std::move(file), *options.registry, options.own_ops);
  refuse_problems(read.problems);
  if (warnings) *warnings = read.warnings;
  return convert(read.estimator, options);
}

Model convert_file(const std::string& path, ConvertOptions options) {
  try {
    return convert_source(map_file(path), std::move(options));
  } catch (Error& e) {
    if (!e.message.starts_with(path)) e.within("reading " + path);
    throw;
  }
}

}  // namespace onward::formats
