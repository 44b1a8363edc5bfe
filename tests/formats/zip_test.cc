// Archives that lie about names, sizes, places and checksums.
#include "onward/formats/zip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "onward/formats/open.h"

namespace onward::formats {
namespace {

using namespace std::string_view_literals;

template <class T> std::string little(T v) { return std::string(reinterpret_cast<const char*>(&v), sizeof v); }

struct Member {
  std::string name, content;
  uint16_t method = 0, flags = 0;
  std::string packed = content;
  uint64_t size = content.size();
  uint32_t crc = static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  bool zip64 = false;     // says its sizes in the extra field
  uint32_t header = 0;    // set: the directory points there instead
};

std::string deflated(const std::string& s) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, s.size()) + 16, 0);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(s.data())), z.avail_in = static_cast<uInt>(s.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data()), z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string archive(const std::vector<Member>& members) {
  std::string files, directory;
  for (const Member& m : members) {
    const auto header = static_cast<uint32_t>(m.header ? m.header : files.size());
    const uint32_t packed = m.zip64 ? 0xffffffff : static_cast<uint32_t>(m.packed.size());
    const uint32_t size = m.zip64 ? 0xffffffff : static_cast<uint32_t>(m.size);
    std::string extra;
    if (m.zip64) extra = little(uint16_t{1}) + little(uint16_t{16}) + little(m.size) + little(uint64_t{m.packed.size()});
    const std::string both = little(uint16_t{20}) + little(m.flags) + little(m.method) + little(0) + little(m.crc) + little(packed) +
                             little(size) + little(static_cast<uint16_t>(m.name.size()));
    files += "PK\3\4" + both + little(uint16_t{0}) + m.name + m.packed;
    directory += "PK\1\2" + little(uint16_t{20}) + both + little(static_cast<uint16_t>(extra.size())) + std::string(2 + 2 + 2 + 4, 0) +
                 little(header) + m.name + extra;
  }
  const auto n = static_cast<uint16_t>(members.size());
  return files + directory + "PK\5\6" + std::string(4, 0) + little(n) + little(n) + little(static_cast<uint32_t>(directory.size())) +
         little(static_cast<uint32_t>(files.size())) + std::string(2, 0);
}

std::string content(const std::string& bytes, std::string_view name) {
  Arena arena(1 << 20);
  return std::string(ZipReader(bytes, arena).read(name));
}

std::string error(const std::string& bytes, std::string_view name = "a") {
  try {
    content(bytes, name);
  } catch (const Error& e) {
    return text(int(e.code), " ", e.message);
  }
  return "none";
}

TEST(Zip, reads_stored_deflated_and_zip64_members) {
  const std::string words = "words words words words words words";
  const std::string bytes = archive({{"a", "abc"},
                                     {.name = "b", .content = words, .method = 8, .packed = deflated(words)},
                                     {.name = "c", .content = "xyz", .zip64 = true},
                                     {"empty", ""},
                                     {.name = "nothing", .content = "", .method = 8, .packed = deflated("")}});
  EXPECT_EQ(content(bytes, "a"), "abc");
  EXPECT_EQ(content(bytes, "b"), words);
  EXPECT_EQ(content(bytes, "c"), "xyz");
  EXPECT_EQ(content(bytes, "empty"), "");
  EXPECT_EQ(content(bytes, "nothing"), "");
}

TEST(Zip, a_lie_is_an_error) {
  const std::string zeros(1 << 16, 0), packed = deflated(zeros);
  const auto deflated_as = [&](uint64_t size) {
    return archive({{.name = "a", .content = zeros, .method = 8, .packed = packed, .size = size, .zip64 = true}});
  };
  const std::pair<std::string, std::string> lies[] = {
      {archive({{"b", "abc"}}), "302"},                                                      // no such member
      {archive({{.name = "a", .content = "abc", .crc = 1}}), "302"},
      {archive({{.name = "a", .content = "abc", .size = 4}}), "302"},
      {archive({{.name = "a", .content = "abc", .method = 8, .packed = "\x7f\x7f"}}), "302"},
      {deflated_as(100), "302"}, {deflated_as(1 << 17), "302"}, {deflated_as(1 << 30), "501"}, {deflated_as(uint64_t{1} << 62), "501"},
      {archive({{.name = "a", .content = "abc", .method = 12}}), "403"},                     // bz2
      {archive({{.name = "a", .content = "abc", .flags = 1}}), "403"},                       // encrypted
      {archive({{.name = "a", .content = "abc", .header = 7}}), "302"},
      {archive({{.name = "a", .content = "abc", .header = 1u << 31}}), "302"},
  };
  for (const auto& [bytes, code] : lies) EXPECT_EQ(error(bytes).substr(0, 3), code) << error(bytes);
}

TEST(Zip, members_that_share_their_bytes_are_refused) {
  // How a small archive becomes a huge one: one member's content holds the next member's header and content.
  const std::string inner = archive({{"b", std::string(1000, 'x')}}), quoted = inner.substr(0, 31 + 1000);
  std::string bytes = archive({{"a", quoted}, {.name = "b", .content = std::string(1000, 'x'), .header = 31}});
  bytes.erase(bytes.rfind("PK\3\4"), 31 + 1000);   // b's own place; the end record's offset follows
  const size_t directory = bytes.find("PK\1\2");
  bytes.replace(bytes.size() - 6, 4, little(static_cast<uint32_t>(directory)));
  EXPECT_EQ(error(bytes), "302 the zip archive's members overlap");
}

TEST(Zip, a_name_is_there_once) {
  EXPECT_NE(error(archive({{"a", "abc"}, {"a", "xyz"}})).find("twice"), std::string::npos);
}

TEST(Zip, every_beginning_is_cut_short) {
  const std::string bytes = archive({{"a", "abc"}, {"b", std::string(200, 'x')}});
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_EQ(error(bytes.substr(0, n)).substr(0, 3), "302") << n;
}

TEST(Zip, other_archives_are_refused_by_name) {
  try {
    open_bytes(archive({{"archive/data.pkl", "N."}}), nullptr);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::unsupported_format) << e.message;
  }
}

}  // namespace
}  // namespace onward::formats
