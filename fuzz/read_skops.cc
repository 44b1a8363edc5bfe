// Any bytes as a skops file. An input that is no zip archive is made one, with right checksums, so that what is inside is reached:
// schema.json first, then after each "\n--file NAME\n" that member.
// Rooms: formats
#include <string>

#include "onward/formats/open.h"
#include "../tests/formats/zip_archive.h"
#include "touch_values.h"

namespace {

constexpr std::string_view separator = "\n--file ";

std::string archive_of(std::string_view input) {
  onward::ZipArchive archive;
  std::string_view name = "schema.json";
  for (;;) {
    const size_t end = input.find(separator);
    archive.add(name, input.substr(0, end));
    if (end == std::string_view::npos) return archive.bytes();
    input.remove_prefix(end + separator.size());
    const size_t line = std::min(input.find('\n'), input.size());
    name = input.substr(0, line);
    input.remove_prefix(std::min(line + 1, input.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const onward::formats::Limits limits{.memory = 8 << 20, .decompressed = 8 << 20, .decompressed_per_byte = 0};
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!bytes.starts_with("PK")) bytes = archive_of(bytes);
  onward::plain::Document document;
  try {
    document = onward::formats::open_bytes(bytes, nullptr, limits);
  } catch (const onward::Error& e) {
    if (e.code == onward::Code::internal) throw;
    return 0;
  }
  onward::fuzz::Toucher().touch(document.root);
  return 0;
}
