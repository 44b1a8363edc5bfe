#include "onward/formats/decompress.h"
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <algorithm>
#include <memory>
#include "onward/base/error.h"
namespace onward::formats {
namespace {

enum class Step { more, done, bad };

// Feeds all input at once and grows the output while the codec asks for room: one loop for every codec.
// All three codecs name their streams' fields alike, so the codec is only its step.
template <class Stream, class Next> std::string inflate_all(Stream& s, std::string_view in, size_t limit, Next next) {
  std::string out;
  s.next_in = reinterpret_cast<decltype(s.next_in)>(const_cast<char*>(in.data()));
  s.avail_in = static_cast<decltype(s.avail_in)>(in.size());
  if (s.avail_in != in.size()) fail(Code::limit_size, "compressed files above 4 GiB");
  for (size_t grow = std::max<size_t>(4 * in.size(), 4096);; grow = out.size()) {
    size_t had = out.size();
    if (had >= limit) fail(Code::limit_memory, "decompresses to more than ", limit, " bytes");
    out.resize(std::min({limit, had + grow, had + (size_t{1} << 30)}));
    s.next_out = reinterpret_cast<decltype(s.next_out)>(out.data() + had);
    s.avail_out = static_cast<decltype(s.avail_out)>(out.size() - had);
    Step step = next();
    out.resize(out.size() - s.avail_out);
    if (step == Step::done) return out;
    if (step == Step::bad || out.size() == had) fail(Code::bad_file, "the compressed data is damaged or cut short");
  }
}

std::string from_zlib(std::string_view in, size_t limit) {
  z_stream s{};
  if (inflateInit2(&s, 15 + 32) != Z_OK) fail(Code::bad_file, "zlib does not start");   // + 32: zlib or gzip, by header
  std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&s, inflateEnd);
  return inflate_all(s, in, limit, [&] {
    int r = inflate(&s, Z_NO_FLUSH);
    return r == Z_STREAM_END ? Step::done : r == Z_OK || r == Z_BUF_ERROR ? Step::more : Step::bad;
  });
}

std::string from_bz2(std::string_view in, size_t limit) {
  bz_stream s{};
  if (BZ2_bzDecompressInit(&s, 0, 0) != BZ_OK) fail(Code::bad_file, "bz2 does not start");
  std::unique_ptr<bz_stream, decltype(&BZ2_bzDecompressEnd)> end(&s, BZ2_bzDecompressEnd);
  return inflate_all(s, in, limit, [&] {
    int r = BZ2_bzDecompress(&s);
    return r == BZ_STREAM_END ? Step::done : r == BZ_OK ? Step::more : Step::bad;
  });
}

std::string from_lzma(std::string_view in, size_t limit) {
  lzma_stream s = LZMA_STREAM_INIT;
  if (lzma_auto_decoder(&s, uint64_t{256} << 20, 0) != LZMA_OK) fail(Code::bad_file, "lzma does not start");
  std::unique_ptr<lzma_stream, decltype(&lzma_end)> end(&s, lzma_end);
  return inflate_all(s, in, limit, [&] {
    lzma_ret r = lzma_code(&s, LZMA_RUN);
    return r == LZMA_STREAM_END ? Step::done : r == LZMA_OK || r == LZMA_BUF_ERROR ? Step::more : Step::bad;
  });
}

struct Codec { std::string_view prefix; std::string (*run)(std::string_view, size_t); };
constexpr Codec codecs[] = {
    {"\x78\x01", from_zlib}, {"\x78\x5e", from_zlib}, {"\x78\x9c", from_zlib}, {"\x78\xda", from_zlib}, {"\x1f\x8b", from_zlib},
    {"BZh", from_bz2},       {{"\xfd\x37zXZ\0", 6}, from_lzma}, {{"\x5d\0\0", 3}, from_lzma},
};

}  // namespace

bool is_compressed(std::string_view bytes) {
  for (const Codec& c : codecs)
    if (bytes.starts_with(c.prefix)) return true;
  return false;
}

std::string decompress(std::string_view bytes, size_t limit) {
  for (const Codec& c : codecs)
    if (bytes.starts_with(c.prefix)) return c.run(bytes, limit);
  fail(Code::bad_file, "not compressed");
}

}  // namespace onward::formats
