// Every compression: there and back, several members, cut short, damaged, and bombs.
#include "onward/formats/decompress.h"

#include <bzlib.h>
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>

#include <functional>
#include <random>

#include "onward/base/error.h"
#include "onward/formats/open.h"

namespace onward::formats {
namespace {

std::string by_zlib(const std::string& s, int window) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, s.size()) + 64, 0);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(s.data())), z.avail_in = static_cast<uInt>(s.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data()), z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
std::string by_bz2(const std::string& s) {
  std::string out(s.size() + s.size() / 50 + 1024, 0);
  auto n = static_cast<unsigned>(out.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &n, const_cast<char*>(s.data()), static_cast<unsigned>(s.size()), 9, 0, 0), BZ_OK);
  return out.substr(0, n);
}
std::string by_lzma(const std::string& s, bool alone) {
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 3);
  lzma_stream z = LZMA_STREAM_INIT;
  EXPECT_EQ(alone ? lzma_alone_encoder(&z, &options) : lzma_easy_encoder(&z, 3, LZMA_CHECK_CRC64), LZMA_OK);
  std::string out(s.size() + s.size() / 50 + 1024, 0);
  z.next_in = reinterpret_cast<const uint8_t*>(s.data()), z.avail_in = s.size();
  z.next_out = reinterpret_cast<uint8_t*>(out.data()), z.avail_out = out.size();
  EXPECT_EQ(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
  out.resize(z.total_out);
  lzma_end(&z);
  return out;
}
std::string by_lz4(const std::string& s) {
  std::string out(LZ4F_compressFrameBound(s.size(), nullptr), 0);
  out.resize(LZ4F_compressFrame(out.data(), out.size(), s.data(), s.size(), nullptr));
  return out;
}

struct Codec {
  const char* name;
  std::function<std::string(const std::string&)> compress;
  bool members;
};
const Codec codecs[] = {
    {"zlib", [](const std::string& s) { return by_zlib(s, 15); }, false},
    {"gzip", [](const std::string& s) { return by_zlib(s, 31); }, true},
    {"bz2", by_bz2, true},
    {"xz", [](const std::string& s) { return by_lzma(s, false); }, true},
    {"lzma", [](const std::string& s) { return by_lzma(s, true); }, false}, {"lz4", by_lz4, true},
};

Code code_of(std::string_view bytes, size_t limit) {
  try {
    decompress(bytes, limit);
  } catch (const Error& e) {
    return e.code;
  }
  return Code::internal;   // none was thrown
}

std::string noise(size_t n) {
  std::mt19937 random(1);
  std::string s(n, 0);
  for (char& c : s) c = static_cast<char>(random() % 7);
  return s;
}

TEST(Decompress, gives_back_what_was_compressed) {
  for (const Codec& c : codecs)
    for (const size_t n : {0u, 1u, 1000u, 300000u}) {
      SCOPED_TRACE(text(c.name, " ", n));
      const std::string s = noise(n), packed = c.compress(s);
      ASSERT_TRUE(is_compressed(packed));
      EXPECT_EQ(decompress(packed, 1 << 20).bytes, s);
      if (c.members) {
        EXPECT_EQ(decompress(packed + packed, 1 << 20).bytes, s + s);
      }
    }
}

TEST(Decompress, takes_exactly_the_limit_and_no_byte_more) {
  for (const Codec& c : codecs) {
    SCOPED_TRACE(c.name);
    const std::string packed = c.compress(noise(100000));
    EXPECT_EQ(decompress(packed, 100000).bytes.size(), 100000u);
    EXPECT_EQ(code_of(packed, 99999), Code::limit_memory);
  }
}

TEST(Decompress, a_bomb_is_an_error_of_memory) {
  const std::string zeros(size_t{16} << 20, 0);
  for (const Codec& c : codecs) {
    SCOPED_TRACE(c.name);
    const std::string packed = c.compress(zeros);
    EXPECT_LT(packed.size(), zeros.size() / 200);
    EXPECT_EQ(code_of(packed, 1 << 20), Code::limit_memory);
    const Limits limits{.decompressed = 1 << 20, .decompressed_per_byte = 16};
    try {
      open_bytes(packed, nullptr, limits);
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_EQ(e.code, Code::limit_memory) << e.message;
    }
  }
}

TEST(Decompress, values_inside_are_paid_for_by_the_size_of_the_file) {
  std::string lists;
  for (int i = 0; i < 8 << 20; ++i) lists += "]0";
  try {
    open_bytes(by_zlib(lists, 31), nullptr);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::limit_memory) << e.message;
  }
}

TEST(Decompress, a_file_compressed_again_and_again_is_refused) {
  std::string packed = "N.";
  for (int i = 0; i < 20; ++i) packed = by_zlib(packed, 15);
  EXPECT_THROW(open_bytes(packed, nullptr), Error);
}

TEST(Decompress, every_beginning_is_damaged) {
  for (const Codec& c : codecs) {
    const std::string packed = c.compress(noise(3000));
    for (size_t n = 6; n < packed.size(); n += 7) {
      SCOPED_TRACE(text(c.name, " ", n));
      EXPECT_EQ(code_of(std::string(packed, 0, n), 1 << 20), Code::bad_file);
    }
  }
}

TEST(Decompress, a_changed_byte_never_passes_for_the_original) {
  const std::string s = noise(3000);
  for (const Codec& c : codecs) {
    if (std::string_view(c.name) == "lzma" || std::string_view(c.name) == "lz4") continue;   // carry no checksum of the content
    const std::string packed = c.compress(s);
    for (size_t at = 10; at < packed.size(); at += 11) {
      std::string changed = packed;
      changed[at] = static_cast<char>(changed[at] ^ 0x10);
      try {
        EXPECT_EQ(decompress(changed, 1 << 20).bytes, s) << c.name << " " << at;   // a bit that means nothing
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace
}  // namespace onward::formats
