#include "onward/formats/skops.h"

#include <algorithm>

#include "onward/formats/json_values.h"
#include "onward/formats/skops_nodes.h"

namespace onward::formats {

plain::Document read_skops(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits) {
  constexpr int64_t protocol_max = 2;
  auto arena = std::make_shared<Arena>(budget(limits.decompressed, limits.memory_per_compressed_byte, bytes.size()));
  ZipReader files(bytes, *arena);
  if (!files.has("schema.json"))
    throw Error(Code::unsupported_format, text("a zip archive of ", files.size(), " files without schema.json; expected a skops file"),
                "give the model file itself, not an archive that holds it");
  const plain::Value schema = read_json_values(*arena, files.read("schema.json"));
  const auto protocol = schema.find("protocol");
  if (!protocol || !protocol->is(plain::Kind::integer)) fail(Code::bad_file, "schema.json names no protocol");
  if (protocol->integer > protocol_max)
    throw Error(Code::unsupported_format, text("skops protocol ", protocol->integer, "; known are 0 to ", protocol_max),
                "write it with skops 0.16 or older");
  const plain::Value root = SkopsNodes(*arena, files).value(schema);
  return {std::move(owner), arena, root};
}

}  // namespace onward::formats
