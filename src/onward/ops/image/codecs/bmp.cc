// BMP: 1 to 32 bits a pixel, palettes, bit fields, run lengths.
#include <array>

#include "onward/base/byte_reader.h"
#include "onward/ops/image/codecs/canvas.h"

namespace onward::image {
namespace {

struct Header {
  uint32_t pixels = 0;                                   // where they begin
  int64_t width = 0, height = 0;
  bool top_down = false;
  int bits = 0;
  uint32_t compression = 0;                              // 0 none, 1 and 2 run lengths of 8 and 4 bits, 3 and 6 bit fields
  std::array<uint32_t, 3> fields = {};
  std::vector<std::array<uint8_t, 3>> palette;
};

Header read_header(std::string_view bytes) {
  Header h;
  ByteReader in(bytes);
  in.take(10);
  h.pixels = in.little<uint32_t>();
  const auto size = in.little<uint32_t>();
  const bool old = size == 12;
  if (!old && (size < 40 || size > 124)) fail(Code::bad_file, "a header of ", size, " bytes");
  h.width = old ? in.little<uint16_t>() : in.little<int32_t>();
  h.height = old ? in.little<uint16_t>() : in.little<int32_t>();
  in.take(2);
  h.bits = in.little<uint16_t>();
  uint32_t colors = 0;
  if (!old) {
    h.compression = in.little<uint32_t>();
    in.take(12);
    colors = in.little<uint32_t>();
    in.take(4);
  }
  h.top_down = h.height < 0;
  h.height = h.top_down ? -h.height : h.height;
  if (h.width <= 0) fail(Code::bad_file, "a width of ", h.width);
  if (h.compression == 3 || h.compression == 6) for (uint32_t& f : h.fields) f = in.little<uint32_t>();
  else if (h.bits == 16) h.fields = {0x7c00, 0x3e0, 0x1f};
  else if (h.bits == 32) h.fields = {0xff0000, 0xff00, 0xff};
  if (h.bits <= 8) {
    ByteReader table(bytes);
    table.take(std::max<size_t>(14 + size, in.position()));
    const uint32_t most = h.bits > 0 ? 1u << h.bits : 0;
    const uint32_t n = colors == 0 ? most : std::min(colors, most);
    for (uint32_t i = 0; i < n && table.left() >= (old ? 3 : 4); ++i) {
      const auto bgr = table.take(old ? 3 : 4);
      h.palette.push_back({uint8_t(bgr[2]), uint8_t(bgr[1]), uint8_t(bgr[0])});
    }
  }
  return h;
}

uint8_t field(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const int low = std::countr_zero(mask);
  const uint64_t most = mask >> low, value = (pixel & mask) >> low;
  return uint8_t((value * 255 + most / 2) / most);
}

class Painter {
 public:
  Painter(const Header& header, Canvas& canvas) : h(header), canvas(canvas) {}

  void rows(std::string_view bytes) const {
    const size_t stride = size_t((h.width * h.bits + 31) / 32 * 4);
    ByteReader in(bytes);
    for (int64_t y = 0; y < h.height; ++y) {
      canvas.check();
      // The last row may go without its padding.
      const auto row = in.take(std::min<uint64_t>(stride, y + 1 == h.height ? size_t((h.width * h.bits + 7) / 8) : stride));
      for (int64_t x = 0; x < h.width; ++x) pixel(y, x, row);
    }
  }

  void run_lengths(std::string_view bytes) const {
    for (int64_t y = 0; y < h.height; ++y) for (int64_t x = 0; x < h.width; ++x) indexed(y, x, 0);
    ByteReader in(bytes);
    int64_t y = 0, x = 0;
    while (y < h.height) {
      canvas.check();
      const auto n = in.little<uint8_t>(), value = in.little<uint8_t>();
      if (n > 0) for (int i = 0; i < n; ++i) indexed(y, x++, h.bits == 8 ? value : i % 2 ? value & 15 : value >> 4);
      else if (value == 0) ++y, x = 0;
      else if (value == 1) return;
      else if (value == 2) x += in.little<uint8_t>(), y += in.little<uint8_t>();
      else literal(in.take(uint64_t(h.bits == 8 ? value + value % 2 : (value + 3) / 4 * 2)), value, y, x);
    }
  }

 private:
  const Header& h;
  Canvas& canvas;

  void literal(std::string_view values, int n, int64_t y, int64_t& x) const {
    for (int i = 0; i < n; ++i) {
      const auto byte = uint8_t(values[size_t(h.bits == 8 ? i : i / 2)]);
      indexed(y, x++, h.bits == 8 ? byte : i % 2 ? byte & 15 : byte >> 4);
    }
  }
  void indexed(int64_t y, int64_t x, int index) const {
    if (x >= h.width || y >= h.height) return;
    const auto color = size_t(index) < h.palette.size() ? h.palette[size_t(index)] : std::array<uint8_t, 3>{};
    canvas.color(h.top_down ? y : h.height - 1 - y, x, color[0], color[1], color[2]);
  }
  void pixel(int64_t y, int64_t x, std::string_view row) const {
    const auto at = [&](int64_t i) { return uint8_t(row[size_t(i)]); };
    const int64_t to = h.top_down ? y : h.height - 1 - y;
    if (h.bits <= 8) return indexed(y, x, at(x * h.bits / 8) >> (8 - h.bits - int(x * h.bits % 8)) & ((1 << h.bits) - 1));
    if (h.bits == 24) return canvas.color(to, x, at(x * 3 + 2), at(x * 3 + 1), at(x * 3));
    uint32_t value = 0;
    for (int i = 0; i < h.bits / 8; ++i) value |= uint32_t(at(x * (h.bits / 8) + i)) << (8 * i);
    canvas.color(to, x, field(value, h.fields[0]), field(value, h.fields[1]), field(value, h.fields[2]));
  }
};

}  // namespace

void decode_bmp(std::string_view bytes, Canvas& canvas) {
  const Header h = read_header(bytes);
  const bool run_lengths = (h.compression == 1 && h.bits == 8) || (h.compression == 2 && h.bits == 4);
  const bool fields = (h.compression == 3 || h.compression == 6) && (h.bits == 16 || h.bits == 32);
  if (!run_lengths && !fields && h.compression != 0)
    fail(Code::unsupported_format, "a BMP of compression ", h.compression, " and ", h.bits, " bits");
  if (h.bits != 1 && h.bits != 4 && h.bits != 8 && h.bits != 16 && h.bits != 24 && h.bits != 32)
    fail(Code::bad_file, h.bits, " bits a pixel");
  if (h.pixels > bytes.size()) fail(Code::bad_file, "the pixels begin at byte ", h.pixels, " of ", bytes.size());
  const auto pixels = bytes.substr(h.pixels);
  canvas.start(uint64_t(h.height), uint64_t(h.width), bytes.size(), run_lengths ? 0 : double(h.width) * h.bits / 8 * double(h.height));
  const Painter painter(h, canvas);
  if (run_lengths) painter.run_lengths(pixels);
  else painter.rows(pixels);
}

}  // namespace onward::image
