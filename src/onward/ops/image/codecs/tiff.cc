// TIFF: the first image of a file, in strips or tiles, uncompressed or by PackBits, LZW or deflate; gray, palette and RGB of 1 to 16 bits.
//
// Written here because Debian's libtiff links eight further libraries, one of them (JBIG) under the GPL, which the wheel may not carry.
#include <zlib.h>

#include <algorithm>
#include <map>

#include "onward/base/byte_reader.h"
#include "onward/ops/image/codecs/canvas.h"
#include "onward/ops/image/codecs/tiff_lzw.h"

namespace onward::image {
namespace {

enum Tag : uint16_t {
  Width = 256, Height, BitsPerSample, Compression, Photometric = 262, FillOrder = 266, StripOffsets = 273, SamplesPerPixel = 277,
  RowsPerStrip, StripByteCounts, PlanarConfiguration = 284, Predictor = 317, ColorMap = 320, TileWidth = 322, TileLength, TileOffsets, TileByteCounts,
  SampleFormat = 339
};

// The directory's fields of whole numbers.
class Directory {
 public:
  explicit Directory(std::string_view bytes) : bytes_(bytes), big_(bytes.starts_with("MM")) {
    if (number(2, 2) == 43) fail(Code::unsupported_format, "a BigTIFF file");
    const uint64_t at = number(4, 4), n = number(at, 2);
    for (uint64_t i = 0; i < n; ++i) {
      const uint64_t entry = at + 2 + i * 12, kind = number(entry + 2, 2), count = number(entry + 4, 4);
      const uint64_t size = kind == 1 ? 1 : kind == 3 ? 2 : kind == 4 ? 4 : 0;
      if (size == 0 || count == 0 || count > bytes.size() / size) continue;
      fields_[uint16_t(number(entry, 2))] = {count * size <= 4 ? entry + 8 : number(entry + 8, 4), count, size};
    }
  }
  bool has(Tag tag) const { return fields_.contains(tag); }
  uint64_t count(Tag tag) const { return has(tag) ? fields_.at(tag).count : 0; }
  uint64_t get(Tag tag, uint64_t i, uint64_t otherwise) const {
    const auto it = fields_.find(tag);
    if (it == fields_.end()) return otherwise;
    if (i >= it->second.count) fail(Code::bad_file, "field ", int(tag), " has ", it->second.count, " values");
    return number(it->second.at + i * it->second.size, it->second.size);
  }
  uint64_t get(Tag tag) const {
    if (!has(tag)) fail(Code::bad_file, "field ", int(tag), " is missing");
    return get(tag, 0, 0);
  }
  bool big_endian() const { return big_; }

 private:
  struct Field { uint64_t at, count, size; };
  std::string_view bytes_;
  bool big_;
  std::map<uint16_t, Field> fields_;

  uint64_t number(uint64_t at, uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) fail(Code::bad_file, "a directory beyond the end of the file");
    uint64_t v = 0;
    for (uint64_t i = 0; i < size; ++i) v |= uint64_t(uint8_t(bytes_[at + i])) << (8 * (big_ ? size - 1 - i : i));
    return v;
  }
};

// What the pixels are and how they lie.
struct Layout {
  uint64_t width, height, bits, samples, compression, photometric, block_width, block_height, across, down;
  bool planar, tiled;
  uint64_t channels() const { return planar ? 1 : samples; }                 // in one block
  uint64_t row_bytes() const { return (block_width * channels() * bits + 7) / 8; }

  explicit Layout(const Directory& d) {
    width = d.get(Width), height = d.get(Height);
    bits = d.get(BitsPerSample, 0, 1), samples = d.get(SamplesPerPixel, 0, 1);
    compression = d.get(Compression, 0, 1), photometric = d.get(Photometric, 0, 1);
    planar = d.get(PlanarConfiguration, 0, 1) == 2 && samples > 1;
    tiled = d.has(TileWidth);
    block_width = tiled ? d.get(TileWidth) : width;
    block_height = tiled ? d.get(TileLength) : std::min(d.get(RowsPerStrip, 0, height), height);
    if (width == 0 || height == 0 || block_width == 0 || block_height == 0) fail(Code::bad_file, "a size of 0");
    for (uint64_t i = 1; i < std::min(samples, d.count(BitsPerSample)); ++i)
      if (d.get(BitsPerSample, i, bits) != bits) fail(Code::unsupported_format, "a TIFF image of samples of different sizes");
    if ((bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16) || d.get(SampleFormat, 0, 1) != 1)
      fail(Code::unsupported_format, "a TIFF image of ", bits, " bits a sample, format ", d.get(SampleFormat, 0, 1));
    if (photometric > 3 || samples < (photometric == 2 ? 3 : 1) || samples > 16)
      fail(Code::unsupported_format, "a TIFF image of color space ", photometric, " with ", samples, " samples");
    if (photometric == 3 && (bits > 8 || d.count(ColorMap) < (3u << bits)))
      fail(Code::bad_file, "a palette of ", d.count(ColorMap), " numbers for ", bits, " bits");
    if (d.get(FillOrder, 0, 1) != 1) fail(Code::unsupported_format, "a TIFF image whose bits run backwards");
    if (tiled && (block_width > 1 << 16 || block_height > 1 << 16))
      fail(Code::limit_size, "tiles of ", block_height, " by ", block_width, " pixels");
    across = (width - 1) / block_width + 1, down = (height - 1) / block_height + 1;
  }
};

void unpack_bits(std::string_view in, std::span<uint8_t> out) {
  size_t at = 0;
  for (size_t i = 0; i < in.size() && at < out.size();) {
    const int n = int8_t(in[i++]);
    const size_t count = std::min(size_t(n >= 0 ? n + 1 : 1 - n), out.size() - at);
    if (n >= 0) {
      if (in.size() - i < count) fail(Code::bad_file, "a run beyond its strip");
      std::copy_n(in.data() + i, count, out.data() + at), i += size_t(n) + 1;
    } else if (n != -128) {
      if (i == in.size()) fail(Code::bad_file, "a run beyond its strip");
      std::fill_n(out.data() + at, count, uint8_t(in[i++]));
    } else {
      continue;
    }
    at += count;
  }
  if (at < out.size()) fail(Code::bad_file, "a strip of ", at, " bytes, expected ", out.size());
}

void inflate_all(std::string_view in, std::span<uint8_t> out) {
  z_stream z = {};
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data())), z.avail_in = uInt(in.size());
  z.next_out = out.data(), z.avail_out = uInt(out.size());
  if (inflateInit(&z) != Z_OK) fail(Code::limit_memory, "no memory left for zlib");
  inflate(&z, Z_FINISH);
  inflateEnd(&z);
  if (z.avail_out != 0) fail(Code::bad_file, "a strip of ", out.size() - z.avail_out, " bytes, expected ", out.size());
}

void unpack(const Layout& l, std::string_view in, std::span<uint8_t> out) {
  if (l.compression == 1) {
    if (in.size() < out.size()) fail(Code::bad_file, "a strip of ", in.size(), " bytes, expected ", out.size());
    std::copy_n(in.data(), out.size(), out.data());
  } else if (l.compression == 32773) {
    unpack_bits(in, out);
  } else if (l.compression == 5) {
    unpack_lzw(in, out);
  } else {
    inflate_all(in, out);
  }
}

// 16-bit samples in this machine's order, and differences along a row summed.
void restore(const Layout& l, bool big_endian, bool differences, std::span<uint8_t> block) {
  if (l.bits == 16 && big_endian) for (size_t i = 0; i + 1 < block.size(); i += 2) std::swap(block[i], block[i + 1]);
  if (!differences) return;
  const uint64_t bytes = l.bits / 8, step = l.channels() * bytes, row = l.row_bytes();
  for (size_t start = 0; start + row <= block.size(); start += row)
    for (size_t i = start + step; i + bytes <= start + row; i += bytes) {
      uint32_t sum = block[i] + block[i - step];
      if (bytes == 2) sum += uint32_t(block[i + 1] + block[i + 1 - step]) << 8, block[i + 1] = uint8_t(sum >> 8);
      block[i] = uint8_t(sum);
    }
}

uint32_t sample(const Layout& l, const uint8_t* row, uint64_t i) {
  if (l.bits == 8) return row[i];
  if (l.bits == 16) return row[i * 2] | uint32_t(row[i * 2 + 1]) << 8;
  const uint64_t bit = i * l.bits;
  return row[bit / 8] >> (8 - l.bits - bit % 8) & ((1u << l.bits) - 1);
}

class Painter {
 public:
  Painter(const Directory& directory, const Layout& layout, Canvas& canvas) : l(layout), canvas(canvas) {
    for (uint64_t i = 0; l.photometric == 3 && i < 3u << l.bits; ++i) palette.push_back(uint8_t(directory.get(ColorMap, i, 0) >> 8));
  }

  // Block (i, j) of plane `plane`, as far as it lies inside the image.
  void paint(const uint8_t* block, uint64_t i, uint64_t j, uint64_t plane) const {
    const uint64_t rows = std::min(l.block_height, l.height - i * l.block_height);
    const uint64_t columns = std::min(l.block_width, l.width - j * l.block_width);
    for (uint64_t y = 0; y < rows; ++y)
      for (uint64_t x = 0; x < columns; ++x) {
        const uint8_t* row = block + y * l.row_bytes();
        uint8_t* to = canvas.row(int64_t(i * l.block_height + y)) + (j * l.block_width + x) * 3;
        if (l.photometric == 2 && l.planar) to[plane] = byte(sample(l, row, x));
        else if (l.photometric == 2) for (uint64_t c = 0; c < 3; ++c) to[c] = byte(sample(l, row, x * l.samples + c));
        else one(to, sample(l, row, x * l.channels()));
      }
  }

 private:
  const Layout& l;
  Canvas& canvas;
  std::vector<uint8_t> palette;                          // all red, all green, all blue

  uint8_t byte(uint32_t v) const { return l.bits == 16 ? uint8_t(v >> 8) : uint8_t(v * 255 / ((1u << l.bits) - 1)); }
  void one(uint8_t* to, uint32_t v) const {
    if (l.photometric == 3) for (uint64_t c = 0; c < 3; ++c) to[c] = palette[(c << l.bits) + v];
    else std::fill_n(to, 3, uint8_t(l.photometric == 0 ? 255 - byte(v) : byte(v)));
  }
};

uint64_t most_shrunk(uint64_t compression) { return compression == 1 ? 1 : compression == 32773 ? 64 : compression == 5 ? 4096 : 1040; }

}  // namespace

void decode_tiff(std::string_view bytes, Canvas& canvas) {
  const Directory d(bytes);
  const Layout l(d);
  if (l.compression != 1 && l.compression != 5 && l.compression != 8 && l.compression != 32946 && l.compression != 32773)
    fail(Code::unsupported_format, "a TIFF image of compression ", l.compression, "; none, LZW, deflate and PackBits are read");
  const uint64_t predictor = d.get(Predictor, 0, 1), planes = l.planar ? (l.photometric == 2 ? 3 : 1) : 1;
  const bool differences = predictor == 2 && (l.compression == 5 || l.compression == 8 || l.compression == 32946);
  if (predictor > 2 || (differences && l.bits < 8)) fail(Code::unsupported_format, "a TIFF image of predictor ", predictor);
  const Tag offsets = l.tiled ? TileOffsets : StripOffsets, counts = l.tiled ? TileByteCounts : StripByteCounts;
  const double least = double(l.width) * double(l.channels() * l.bits) / 8 * double(l.height) / double(most_shrunk(l.compression));
  canvas.start(l.height, l.width, bytes.size(), least);
  if (l.across * l.down * planes > d.count(offsets))
    fail(Code::bad_file, d.count(offsets), " strips or tiles for ", l.height, " by ", l.width, " pixels");
  if (double(l.across * l.down) * double(l.block_width) * double(l.block_height) > 4.0 * most_pixels)
    fail(Code::limit_size, "tiles of ", l.block_height, " by ", l.block_width, " pixels");
  const uint64_t block_bytes = l.row_bytes() * l.block_height;
  if (block_bytes > UINT32_MAX) fail(Code::limit_size, "strips of ", block_bytes, " bytes");
  const auto block = canvas.room(block_bytes);
  const Painter painter(d, l, canvas);
  for (uint64_t plane = 0; plane < planes; ++plane)
    for (uint64_t i = 0; i < l.down; ++i)
      for (uint64_t j = 0; j < l.across; ++j) {
        canvas.check();
        const uint64_t k = (plane * l.down + i) * l.across + j, at = d.get(offsets, k, 0);
        if (at > bytes.size()) fail(Code::bad_file, "a strip beyond the end of the file");
        const uint64_t size = std::min<uint64_t>(d.get(counts, k, bytes.size() - at), bytes.size() - at);
        const uint64_t rows = l.tiled ? l.block_height : std::min(l.block_height, l.height - i * l.block_height);
        const std::span<uint8_t> wanted(block.get(), rows * l.row_bytes());
        unpack(l, bytes.substr(at, size), wanted);
        restore(l, d.big_endian(), differences, wanted);
        painter.paint(block.get(), i, j, plane);
      }
}

}  // namespace onward::image
