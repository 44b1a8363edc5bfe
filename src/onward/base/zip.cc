#include "onward/base/zip.h"

#include <zlib.h>

#include <algorithm>

#include "onward/base/byte_reader.h"

namespace onward {
namespace {

constexpr uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50, locator64_mark = 0x07064b50, end64_mark = 0x06064b50;
constexpr uint64_t in_zip64 = 0xFFFFFFFF;
constexpr size_t end_size = 22, locator64_size = 20;

ByteReader reader_at(std::string_view bytes, uint64_t at) {
  if (at > bytes.size()) fail(Code::bad_file, "the zip archive points to byte ", at, ", beyond its end");
  return ByteReader(bytes.substr(at));
}

void expect(ByteReader& in, uint32_t mark, const char* what) {
  if (in.little<uint32_t>() != mark) fail(Code::bad_file, "the zip archive has no ", what, " where it says it has");
}

struct Directory { uint64_t offset, count; };

Directory directory_of(std::string_view bytes) {
  const size_t reach = std::min(bytes.size(), end_size + 0xFFFF);      // a comment of up to 64 KiB may follow
  const size_t found = bytes.size() < end_size ? std::string_view::npos : bytes.substr(bytes.size() - reach, reach - end_size + 4).rfind("PK\5\6");
  if (found == std::string_view::npos) throw Error(Code::bad_file, "the zip archive has no end record", "the file may be cut short");
  const size_t end = bytes.size() - reach + found;
  ByteReader in = reader_at(bytes, end);
  in.take(10);
  Directory d{0, in.little<uint16_t>()};
  in.take(4);
  d.offset = in.little<uint32_t>();
  if (end < locator64_size || bytes.substr(end - locator64_size, 4) != "PK\6\7") return d;
  ByteReader locator = reader_at(bytes, end - locator64_size);
  expect(locator, locator64_mark, "zip64 locator");
  locator.take(4);
  ByteReader end64 = reader_at(bytes, locator.little<uint64_t>());
  expect(end64, end64_mark, "zip64 end record");
  end64.take(28);
  d.count = end64.little<uint64_t>();
  end64.take(8);
  d.offset = end64.little<uint64_t>();
  return d;
}

// Sizes that did not fit into 32 bits stand in the extra field, in this order.
void read_zip64(std::string_view extra, uint64_t& size, uint64_t& packed, uint64_t& offset) {
  ByteReader in(extra);
  while (in.left() >= 4) {
    const auto id = in.little<uint16_t>(), length = in.little<uint16_t>();
    ByteReader field(in.take(length));
    if (id != 1) continue;
    for (uint64_t* value : {&size, &packed, &offset})
      if (*value == in_zip64) *value = field.little<uint64_t>();
  }
}

ZipEntry read_entry(ByteReader& in, std::string_view bytes) {
  expect(in, entry_mark, "entry");
  in.take(4);
  const auto flags = in.little<uint16_t>(), method = in.little<uint16_t>();
  in.take(4);
  ZipEntry entry;
  entry.crc = in.little<uint32_t>();
  uint64_t packed = in.little<uint32_t>();
  entry.size = in.little<uint32_t>();
  const auto name = in.little<uint16_t>(), extra = in.little<uint16_t>(), comment = in.little<uint16_t>();
  in.take(8);
  uint64_t offset = in.little<uint32_t>();
  entry.name = in.take(name);
  read_zip64(in.take(extra), entry.size, packed, offset);
  in.take(comment);
  if (flags & 1) fail(Code::unsupported_format, "zip entry '", entry.name, "' is encrypted");
  if (method != 0 && method != 8) fail(Code::unsupported_format, "zip entry '", entry.name, "' is packed by method ", method, "; stored (0) and deflate (8) are read");
  entry.deflated = method == 8;
  ByteReader local = reader_at(bytes, offset);
  expect(local, local_mark, "local header");
  local.take(22);
  const auto local_name = local.little<uint16_t>(), local_extra = local.little<uint16_t>();
  local.take(size_t(local_name) + local_extra);
  entry.packed = local.take(packed);
  return entry;
}

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\3\4") || bytes.starts_with("PK\5\6"); }

std::vector<ZipEntry> zip_entries(std::string_view bytes, size_t most_entries) {
  const Directory d = directory_of(bytes);
  if (d.count > most_entries) fail(Code::limit_size, "the zip archive claims ", d.count, " entries, at most ", most_entries, " are read");
  ByteReader in = reader_at(bytes, d.offset);
  std::vector<ZipEntry> entries;
  for (uint64_t i = 0; i < d.count; ++i) entries.push_back(read_entry(in, bytes));
  return entries;
}

std::string_view unzip(const ZipEntry& entry, std::string& scratch, size_t most_bytes) {
  constexpr uint64_t best_ratio = 1032;                  // of deflate
  std::string_view content = entry.packed;
  if (entry.size > most_bytes) fail(Code::limit_memory, "zip entry '", entry.name, "' unpacks to ", entry.size, " bytes, the limit is ", most_bytes);
  if (entry.deflated) {
    if (entry.size / best_ratio > entry.packed.size()) fail(Code::bad_file, "zip entry '", entry.name, "' claims ", entry.size, " bytes, its ", entry.packed.size(), " packed bytes cannot hold them");
    scratch.resize(entry.size);
    z_stream z{};
    if (inflateInit2(&z, -15) != Z_OK) fail(Code::limit_memory, "no memory to unpack a zip entry");
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(entry.packed.data()));
    z.next_out = reinterpret_cast<Bytef*>(scratch.data());
    size_t in_left = entry.packed.size(), out_left = scratch.size();
    int state = Z_OK;
    while (state == Z_OK) {
      constexpr size_t step = 1 << 30;
      z.avail_in = uInt(std::min(in_left, step)), z.avail_out = uInt(std::min(out_left, step));
      const uInt given_in = z.avail_in, given_out = z.avail_out;
      state = inflate(&z, Z_NO_FLUSH);
      in_left -= given_in - z.avail_in, out_left -= given_out - z.avail_out;
      if (given_in == z.avail_in && given_out == z.avail_out) break;
    }
    inflateEnd(&z);
    if (state != Z_STREAM_END || out_left) fail(Code::bad_file, "zip entry '", entry.name, "' does not unpack to the ", entry.size, " bytes it claims");
    content = scratch;
  } else if (entry.size != entry.packed.size()) {
    fail(Code::bad_file, "zip entry '", entry.name, "' is stored in ", entry.packed.size(), " bytes and claims ", entry.size);
  }
  if (crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()) != entry.crc) fail(Code::bad_file, "zip entry '", entry.name, "' is damaged: its checksum differs");
  return content;
}

namespace {

template <class T> void put(std::string& out, T value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

// The fields that an entry's local header and its line in the directory share; the earliest date of the format, so that the same
// content gives the same bytes. Both sizes stand in a zip64 field behind.
std::string shared_fields(uint32_t crc, const std::string& name, uint16_t extra) {
  std::string out;
  put<uint16_t>(out, 45), put<uint16_t>(out, 1 << 11), put<uint16_t>(out, 0);          // version 4.5; the name is UTF-8; stored
  put<uint16_t>(out, 0), put<uint16_t>(out, 0x21), put<uint32_t>(out, crc);
  put<uint32_t>(out, in_zip64), put<uint32_t>(out, in_zip64);
  put<uint16_t>(out, uint16_t(name.size())), put<uint16_t>(out, extra);
  return out;
}

}  // namespace

void ZipWriter::add(const std::string& name, std::span<const std::string_view> parts) {
  if (name.size() > 0xFFFF) fail(Code::limit_size, "a name of ", name.size(), " bytes is too long for a zip archive");
  uint64_t size = 0;
  uint32_t crc = 0;
  for (const std::string_view part : parts) size += part.size(), crc = uint32_t(crc32_z(crc, reinterpret_cast<const Bytef*>(part.data()), part.size()));
  const uint64_t offset = at_;
  std::string local, entry;
  put(local, local_mark), local += shared_fields(crc, name, 20), local += name;
  put<uint16_t>(local, 1), put<uint16_t>(local, 16), put(local, size), put(local, size);
  emit(local);
  for (const std::string_view part : parts) emit(part);
  put(entry, entry_mark), put<uint16_t>(entry, 45), entry += shared_fields(crc, name, 28);
  put<uint16_t>(entry, 0), put<uint16_t>(entry, 0), put<uint16_t>(entry, 0), put<uint32_t>(entry, 0), put<uint32_t>(entry, in_zip64);
  entry += name;
  put<uint16_t>(entry, 1), put<uint16_t>(entry, 24), put(entry, size), put(entry, size), put(entry, offset);
  directory_ += entry, ++entries_;
}

void ZipWriter::finish() {
  const uint64_t offset = at_, size = directory_.size(), end64 = offset + size;
  std::string end = std::move(directory_);
  put(end, end64_mark), put<uint64_t>(end, 44), put<uint16_t>(end, 45), put<uint16_t>(end, 45), put<uint32_t>(end, 0), put<uint32_t>(end, 0);
  put(end, entries_), put(end, entries_), put(end, size), put(end, offset);
  put(end, locator64_mark), put<uint32_t>(end, 0), put(end, end64), put<uint32_t>(end, 1);
  put(end, end_mark), put<uint16_t>(end, 0), put<uint16_t>(end, 0), put<uint16_t>(end, uint16_t(std::min<uint64_t>(entries_, 0xFFFF))), put<uint16_t>(end, uint16_t(std::min<uint64_t>(entries_, 0xFFFF)));
  put<uint32_t>(end, 0xFFFFFFFF), put<uint32_t>(end, 0xFFFFFFFF), put<uint16_t>(end, 0);
  emit(end);
}

}  // namespace onward
