#include "onward/formats/zip.h"

#include <zlib.h>

#include <algorithm>

#include "onward/base/byte_reader.h"
#include "onward/formats/decompress.h"

namespace onward::formats {
namespace {

constexpr uint32_t local_header = 0x04034b50, directory_entry = 0x02014b50;
constexpr uint32_t zip64_end = 0x06064b50, zip64_locator = 0x07064b50;
constexpr uint32_t in_zip64 = 0xffffffff;   // a 32-bit field whose value stands in the zip64 record
constexpr size_t end_size = 22, locator_size = 20;

struct Directory {
  uint64_t offset = 0, size = 0;
};

size_t find_end(std::string_view bytes) {
  constexpr size_t comment_max = 65535;
  const size_t first = bytes.size() < end_size + comment_max ? 0 : bytes.size() - end_size - comment_max;
  const size_t at = bytes.rfind(std::string_view("PK\5\6", 4));
  if (at == std::string_view::npos || at < first || bytes.size() - at < end_size)
    fail(Code::bad_file, "the zip archive has no directory at its end: it is cut short");
  return at;
}

Directory find_directory(std::string_view bytes) {
  const size_t end = find_end(bytes);
  ByteReader in(bytes.substr(end));
  in.take(12);
  Directory d;
  d.size = in.little<uint32_t>();
  d.offset = in.little<uint32_t>();
  if (end < locator_size) return d;
  ByteReader locator(bytes.substr(end - locator_size, locator_size));
  if (locator.little<uint32_t>() != zip64_locator) return d;
  locator.take(4);
  const auto at = locator.little<uint64_t>();
  if (at > bytes.size()) fail(Code::bad_file, "the zip archive's directory lies outside the file");
  ByteReader large(bytes.substr(at));
  if (large.little<uint32_t>() != zip64_end) fail(Code::bad_file, "the zip archive's zip64 record is damaged");
  large.take(36);
  d.size = large.little<uint64_t>();
  d.offset = large.little<uint64_t>();
  return d;
}

// The values that did not fit, in the order of the fields that say so.
void read_zip64(std::string_view extra, std::initializer_list<uint64_t*> fields) {
  ByteReader in(extra);
  while (in.left() >= 4) {
    const auto id = in.little<uint16_t>();
    ByteReader record(in.take(in.little<uint16_t>()));
    if (id != 1) continue;
    for (uint64_t* field : fields)
      if (*field == in_zip64) *field = record.little<uint64_t>();
  }
}

}  // namespace

bool looks_like_zip(std::string_view bytes) {
  return bytes.starts_with(std::string_view("PK\3\4", 4)) || bytes.starts_with(std::string_view("PK\5\6", 4));
}

ZipReader::ZipReader(std::string_view bytes, Arena& arena) : bytes_(bytes), arena_(arena) {
  const Directory d = find_directory(bytes);
  if (d.offset > bytes.size() || d.size > bytes.size() - d.offset)
    fail(Code::bad_file, "the zip archive's directory lies outside the file");
  ByteReader in(bytes.substr(d.offset, d.size));
  uint64_t packed = 0;
  while (in.left() > 0) {
    if (in.little<uint32_t>() != directory_entry) fail(Code::bad_file, "the zip archive's directory is damaged");
    Member m;
    in.take(4);   // versions
    m.flags = in.little<uint16_t>();
    m.method = in.little<uint16_t>();
    in.take(4);   // time
    m.crc = in.little<uint32_t>();
    m.packed = in.little<uint32_t>();
    m.size = in.little<uint32_t>();
    const auto name = in.little<uint16_t>(), extra = in.little<uint16_t>(), comment = in.little<uint16_t>();
    in.take(8);   // disk, attributes
    m.header = in.little<uint32_t>();
    const std::string_view key = in.take(name);
    read_zip64(in.take(extra), {&m.size, &m.packed, &m.header});
    in.take(comment);
    // Members that share their bytes are how a small archive becomes a huge one.
    if (m.packed > bytes.size() || (packed += m.packed) > bytes.size()) fail(Code::bad_file, "the zip archive's members overlap");
    if (!members_.emplace(key, m).second) fail(Code::bad_file, "the zip archive names '", key, "' twice");
  }
}

std::string_view ZipReader::packed_bytes(std::string_view name, const Member& m) const {
  if (m.header > bytes_.size()) fail(Code::bad_file, "'", name, "' lies outside the zip archive");
  ByteReader in(bytes_.substr(m.header));
  if (in.little<uint32_t>() != local_header) fail(Code::bad_file, "'", name, "' has no header in the zip archive");
  in.take(22);
  const auto name_size = in.little<uint16_t>(), extra = in.little<uint16_t>();
  if (in.take(name_size) != name) fail(Code::bad_file, "'", name, "' has another name in its own header");
  in.take(extra);
  return in.take(m.packed);
}

std::string_view ZipReader::read(std::string_view name) {
  constexpr uint16_t encrypted = 1, stored = 0, deflated = 8;
  const auto found = members_.find(name);
  if (found == members_.end()) fail(Code::bad_file, "the zip archive has no '", name, "'");
  Member& m = found->second;
  if (m.content) return *m.content;
  if (m.flags & encrypted) fail(Code::unsupported_format, "'", name, "' is encrypted");
  const std::string_view packed = packed_bytes(name, m);
  std::string_view content = packed;
  if (m.method == deflated) {
    char* out = arena_.array<char>(m.size);
    inflate_exactly(packed, {out, m.size});
    content = {out, m.size};
  } else if (m.method != stored) {
    throw Error(Code::unsupported_format, text("'", name, "' is compressed by zip method ", m.method),
                "write it with ZIP_STORED or ZIP_DEFLATED");
  }
  const bool whole = content.size() == m.size;
  uLong crc = crc32(0, nullptr, 0);
  for (std::string_view rest = content; whole && !rest.empty();) {
    const size_t n = std::min<size_t>(rest.size(), 1 << 30);
    crc = crc32(crc, reinterpret_cast<const Bytef*>(rest.data()), static_cast<uInt>(n));
    rest.remove_prefix(n);
  }
  if (!whole || crc != m.crc) fail(Code::bad_file, "'", name, "' in the zip archive is damaged: its checksum differs");
  m.content = content;
  return content;
}

}  // namespace onward::formats
