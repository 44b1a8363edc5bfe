#include "onward/formats/decompress.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <sys/mman.h>
#include <zlib.h>

#include <algorithm>

#include "onward/base/error.h"

namespace onward::formats {
namespace {

// Address space for all that may come out, without memory until it is written to: no copying while it grows, and one view at the end.
class Reservation {
 public:
  explicit Reservation(size_t limit) {
    constexpr size_t smallest = size_t{1} << 20;
    for (size_ = std::max(limit, size_t{1}); (data_ = map(size_)) == MAP_FAILED; size_ /= 2)   // a process limit may allow less
      if (size_ <= smallest) fail(Code::limit_memory, "no memory is left to decompress into");
  }
  ~Reservation() {
    if (size_) munmap(data_, size_);
  }
  Reservation(const Reservation&) = delete;

  char* data() const { return static_cast<char*>(data_); }
  size_t size() const { return size_; }
  Decompressed keep(size_t used) && {
    constexpr size_t page = 1 << 16;   // a multiple of every page size in use
    const size_t kept = std::max((used + page - 1) / page * page, page);
    if (kept < size_) munmap(data() + kept, size_ - kept);
    const size_t mapped = std::min(kept, size_);
    size_ = 0;
    return {std::shared_ptr<const void>(data_, [mapped](void* p) { munmap(p, mapped); }), {data(), used}};
  }

 private:
  static void* map(size_t n) { return mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); }
  void* data_ = nullptr;
  size_t size_ = 0;
};

enum class Step { more, done, bad };

// A decoder eats from `in` and writes to `out`, both of which it shortens by what it used.
struct Decoder {
  virtual ~Decoder() = default;
  virtual Step next(std::string_view& in, char*& out, size_t& out_left) = 0;
};

// zlib, bz2 and lzma name their streams' fields alike, so one function moves them all.
template <class Stream, class Function> auto advance(Stream& s, std::string_view& in, char*& out, size_t& out_left, Function function) {
  constexpr size_t largest = size_t{1} << 30;   // their counts have 32 bits
  const size_t give = std::min(in.size(), largest), room = std::min(out_left, largest);
  s.next_in = reinterpret_cast<decltype(s.next_in)>(const_cast<char*>(in.data()));
  s.next_out = reinterpret_cast<decltype(s.next_out)>(out);
  s.avail_in = static_cast<decltype(s.avail_in)>(give);
  s.avail_out = static_cast<decltype(s.avail_out)>(room);
  const auto result = function();
  in.remove_prefix(give - s.avail_in);
  out += room - s.avail_out;
  out_left -= room - s.avail_out;
  return result;
}

struct Zlib : Decoder {
  static constexpr int by_header = 15 + 32, raw = -15;   // zlib's codes for zlib or gzip, and for neither
  z_stream s{};
  explicit Zlib(int window = by_header) {
    if (inflateInit2(&s, window) != Z_OK) fail(Code::limit_memory, "zlib does not start");
  }
  ~Zlib() override { inflateEnd(&s); }
  Step next(std::string_view& in, char*& out, size_t& out_left) override {
    const int r = advance(s, in, out, out_left, [&] { return inflate(&s, Z_NO_FLUSH); });
    return r == Z_STREAM_END ? Step::done : r == Z_OK || r == Z_BUF_ERROR ? Step::more : Step::bad;
  }
};

struct Bzip2 : Decoder {
  bz_stream s{};
  Bzip2() {
    if (BZ2_bzDecompressInit(&s, 0, 0) != BZ_OK) fail(Code::limit_memory, "bz2 does not start");
  }
  ~Bzip2() override { BZ2_bzDecompressEnd(&s); }
  Step next(std::string_view& in, char*& out, size_t& out_left) override {
    const int r = advance(s, in, out, out_left, [&] { return BZ2_bzDecompress(&s); });
    return r == BZ_STREAM_END ? Step::done : r == BZ_OK ? Step::more : Step::bad;
  }
};

struct Lzma : Decoder {
  lzma_stream s = LZMA_STREAM_INIT;
  Lzma() {
    constexpr uint64_t memory = uint64_t{256} << 20;   // of the dictionary that the file declares
    if (lzma_auto_decoder(&s, memory, 0) != LZMA_OK) fail(Code::limit_memory, "lzma does not start");
  }
  ~Lzma() override { lzma_end(&s); }
  Step next(std::string_view& in, char*& out, size_t& out_left) override {
    const lzma_ret r = advance(s, in, out, out_left, [&] { return lzma_code(&s, LZMA_RUN); });
    if (r == LZMA_MEMLIMIT_ERROR) fail(Code::limit_memory, "the compressed data asks for a dictionary above 256 MiB");
    return r == LZMA_STREAM_END ? Step::done : r == LZMA_OK || r == LZMA_BUF_ERROR ? Step::more : Step::bad;
  }
};

struct Lz4 : Decoder {
  LZ4F_dctx* context = nullptr;
  Lz4() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) fail(Code::limit_memory, "lz4 does not start");
  }
  ~Lz4() override { LZ4F_freeDecompressionContext(context); }
  Step next(std::string_view& in, char*& out, size_t& out_left) override {
    size_t used = in.size(), written = out_left;
    const size_t wanted = LZ4F_decompress(context, out, &written, in.data(), &used, nullptr);
    if (LZ4F_isError(wanted)) return Step::bad;
    in.remove_prefix(used), out += written, out_left -= written;
    return wanted == 0 ? Step::done : Step::more;
  }
};

template <class D> std::unique_ptr<Decoder> make() { return std::make_unique<D>(); }

struct Codec {
  std::string_view prefix;
  std::unique_ptr<Decoder> (*decoder)();
  bool repeats = true;   // several members after each other are one file
};
constexpr Codec codecs[] = {
    {"\x78\x01", make<Zlib>, false}, {"\x78\x5e", make<Zlib>, false}, {"\x78\x9c", make<Zlib>, false}, {"\x78\xda", make<Zlib>, false},
    {"\x1f\x8b", make<Zlib>}, {"BZh", make<Bzip2>}, {"\x04\x22\x4d\x18", make<Lz4>},
    {{"\xfd\x37zXZ\0", 6}, make<Lzma>}, {{"\x5d\0\0", 3}, make<Lzma>, false},
};

const Codec* codec_of(std::string_view bytes) {
  for (const Codec& c : codecs)
    if (bytes.starts_with(c.prefix)) return &c;
  return nullptr;
}

}  // namespace

bool is_compressed(std::string_view bytes) { return codec_of(bytes); }

Decompressed decompress(std::string_view in, size_t limit) {
  const Codec* codec = codec_of(in);
  if (!codec) fail(Code::bad_file, "not compressed");
  Reservation memory(limit);
  char* out = memory.data();
  size_t left = memory.size();
  do {
    const std::unique_ptr<Decoder> decoder = codec->decoder();
    for (Step step = Step::more; step != Step::done;) {
      const size_t in_before = in.size(), left_before = left;
      step = decoder->next(in, out, left);
      if (step == Step::done) break;
      if (step == Step::more && left == 0)
        throw Error(Code::limit_memory, text("decompresses to more than ", memory.size(), " bytes"),
                    "raise the memory limit if the file is to be trusted");
      const bool stuck = in.size() == in_before && left == left_before;
      if (step == Step::bad || stuck) fail(Code::bad_file, "the compressed data is damaged or cut short");
    }
  } while (codec->repeats && in.starts_with(codec->prefix));
  const size_t used = memory.size() - left;
  return std::move(memory).keep(used);
}

void inflate_exactly(std::string_view in, std::span<char> out) {
  Zlib decoder(Zlib::raw);
  char spare = 0;   // zlib wants room for a byte even when nothing is to come
  char* to = out.empty() ? &spare : out.data();
  size_t left = out.empty() ? 1 : out.size();
  for (Step step = Step::more; step != Step::done;) {
    const size_t in_before = in.size(), left_before = left;
    step = decoder.next(in, to, left);
    const bool stuck = in.size() == in_before && left == left_before;
    if (step == Step::bad || (step == Step::more && stuck)) fail(Code::bad_file, "the compressed data is damaged or cut short");
  }
  if (left != (out.empty() ? 1 : 0)) fail(Code::bad_file, "the compressed data is shorter than the archive says");
}

}  // namespace onward::formats
