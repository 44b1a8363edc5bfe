// JPEG 2000 by OpenJPEG, which is given the codestream alone: boxes and declared sizes are read here, before it allocates for them.
// Needs: openjp2 openjpeg-2.5/openjpeg.h
#include <algorithm>
#include <cstring>

#include <openjpeg-2.5/openjpeg.h>

#include "onward/base/byte_reader.h"
#include "onward/ops/image/codecs/canvas.h"

namespace onward::image {
namespace {

constexpr uint64_t most_j2k_pixels = 1 << 26, most_tiles = 1 << 14;
constexpr uint64_t tile_bytes = 1 << 14;                 // what the library keeps of each, at most four components
constexpr int least_precinct = 6;                        // log2 of the samples in one: it keeps some hundred bytes of each
constexpr uint32_t sycc = 18;

struct Codestream { std::string_view bytes; uint32_t color_space = 0; };

uint32_t color_space_in(std::string_view header) {
  for (ByteReader in(header); in.left() >= 8;) {
    const auto length = in.big<uint32_t>();
    const auto kind = in.take(4);
    if (length < 8) fail(Code::bad_file, "a box of ", length, " bytes");
    ByteReader box(in.take(length - 8));
    if (kind == "pclr") fail(Code::unsupported_format, "a JPEG 2000 image with a palette");
    if (kind == "colr" && box.big<uint8_t>() == 1) return box.take(2), box.big<uint32_t>();
  }
  return 0;
}

Codestream codestream(std::string_view bytes) {
  if (bytes.starts_with("\xff\x4f")) return {bytes};
  Codestream out;
  for (ByteReader in(bytes); in.left() >= 8;) {
    uint64_t length = in.big<uint32_t>(), header = 8;
    const auto kind = in.take(4);
    if (length == 1) length = in.big<uint64_t>(), header = 16;
    if (length != 0 && length < header) fail(Code::bad_file, "a box of ", length, " bytes");
    const auto content = in.take(length == 0 ? in.left() : length - header);
    if (kind == "jp2h") out.color_space = color_space_in(content);
    if (kind == "jp2c") return out.bytes = content, out;
  }
  fail(Code::bad_file, "no codestream");
}

// The segments of the main header and of each tile's: precincts so small that there would be millions are refused.
void check_precincts(ByteReader segment, bool of_component) {
  if (of_component) segment.take(1);
  const bool own_sizes = segment.big<uint8_t>() & 1;
  if (!of_component) segment.take(4);
  segment.take(5);
  for (; own_sizes && segment.left() > 0;)
    if (const auto size = segment.big<uint8_t>(); (size & 15) + (size >> 4) < least_precinct)
      fail(Code::unsupported_format, "a JPEG 2000 image with precincts of fewer than ", 1 << least_precinct, " samples");
}

void check_segments(std::string_view bytes) {
  ByteReader in(bytes);
  in.take(2);
  for (size_t tile_part = 0; in.left() >= 4;) {
    const size_t start = in.position();
    const auto marker = in.big<uint16_t>();
    if (marker == 0xffd9) return;
    if (marker == 0xff93) {                              // data: the next tile part stands after it
      if (tile_part <= start || tile_part >= bytes.size()) return;
      in = ByteReader(bytes), in.take(tile_part);
      continue;
    }
    const auto length = in.big<uint16_t>();
    if (length < 2) fail(Code::bad_file, "a segment of ", length, " bytes");
    ByteReader segment(in.take(length - 2));
    if (marker == 0xff52 || marker == 0xff53) check_precincts(segment, marker == 0xff53);
    if (marker == 0xff90) segment.take(2), tile_part = start + segment.big<uint32_t>();
  }
}

// What the library will allocate for, in bytes.
uint64_t check_size(std::string_view bytes, Canvas& canvas) {
  ByteReader in(bytes);
  in.take(2);
  if (in.big<uint16_t>() != 0xff51) fail(Code::bad_file, "the codestream does not begin with its size");
  in.take(4);
  uint32_t v[8];                                         // end, offset, tile size, tile offset; each x and y
  for (uint32_t& x : v) x = in.big<uint32_t>();
  const auto components = in.big<uint16_t>();
  if (v[0] <= v[2] || v[1] <= v[3] || v[4] == 0 || v[5] == 0 || v[6] > v[2] || v[7] > v[3])
    fail(Code::bad_file, "sizes that contradict each other");
  if (components < 1 || components > 4) fail(Code::unsupported_format, "a JPEG 2000 image of ", components, " components");
  const uint64_t width = v[0] - v[2], height = v[1] - v[3];
  if (width * height > most_j2k_pixels)
    fail(Code::limit_size, "a JPEG 2000 image of ", height, " by ", width, " pixels, the most is ", most_j2k_pixels, " pixels");
  const uint64_t tiles = ((uint64_t(v[0]) - v[6] + v[4] - 1) / v[4]) * ((uint64_t(v[1]) - v[7] + v[5] - 1) / v[5]);
  if (tiles > most_tiles) fail(Code::limit_size, "a JPEG 2000 image of ", tiles, " tiles, the most is ", most_tiles);
  canvas.start(height, width);
  return width * height * components * 8 + tiles * tile_bytes;
}

struct Decoder {
  ByteReader left;
  opj_stream_t* stream = opj_stream_create(1 << 16, OPJ_TRUE);
  opj_codec_t* codec = opj_create_decompress(OPJ_CODEC_J2K);
  opj_image_t* image = nullptr;

  explicit Decoder(std::string_view bytes) : left(bytes) {
    opj_stream_set_user_data(stream, this, nullptr);
    opj_stream_set_user_data_length(stream, bytes.size());
    opj_stream_set_read_function(stream, [](void* to, OPJ_SIZE_T n, void* self) -> OPJ_SIZE_T {
      auto& in = static_cast<Decoder*>(self)->left;
      n = std::min<OPJ_SIZE_T>(n, in.left());
      if (n == 0) return OPJ_SIZE_T(-1);
      std::memcpy(to, in.take(n).data(), n);
      return n;
    });
    opj_stream_set_skip_function(stream, [](OPJ_OFF_T n, void* self) -> OPJ_OFF_T {
      auto& in = static_cast<Decoder*>(self)->left;
      if (n < 0 || in.left() == 0) return -1;
      n = std::min<OPJ_OFF_T>(n, OPJ_OFF_T(in.left()));
      in.take(uint64_t(n));
      return n;
    });
  }
  ~Decoder() {
    opj_image_destroy(image);
    opj_destroy_codec(codec);
    opj_stream_destroy(stream);
  }
  bool decode() {
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    return opj_setup_decoder(codec, &parameters) && opj_read_header(stream, codec, &image) && opj_decode(codec, stream, image) &&
           opj_end_decompress(codec, stream);
  }
};

// One component's sample as a byte; a component of fewer samples is repeated.
int sample(const opj_image_t& image, const opj_image_comp_t& c, int64_t y, int64_t x) {
  const int64_t column = std::min<int64_t>((x + image.x0) / c.dx - (image.x0 + c.dx - 1) / c.dx, int64_t(c.w) - 1);
  const int64_t row = std::min<int64_t>((y + image.y0) / c.dy - (image.y0 + c.dy - 1) / c.dy, int64_t(c.h) - 1);
  int64_t value = c.data[std::max<int64_t>(row, 0) * c.w + std::max<int64_t>(column, 0)];
  if (c.sgnd) value += int64_t(1) << (c.prec - 1);
  value = c.prec > 8 ? value >> (c.prec - 8) : c.prec < 8 ? value * 255 / ((1 << c.prec) - 1) : value;
  return int(std::clamp<int64_t>(value, 0, 255));
}

uint8_t byte(double v) { return uint8_t(std::clamp(v + 0.5, 0.0, 255.0)); }

}  // namespace

void decode_jpeg2000(std::string_view bytes, Canvas& canvas) {
  const Codestream code = codestream(bytes);
  const Counted taken = canvas.count(check_size(code.bytes, canvas));
  check_segments(code.bytes);
  canvas.check();
  Decoder decoder(code.bytes);
  if (!decoder.decode()) fail(Code::bad_file, "the codestream cannot be decoded");
  const opj_image_t& image = *decoder.image;
  const std::span components(image.comps, image.numcomps);
  for (const auto& c : components)
    if (!c.data || c.w == 0 || c.h == 0 || c.prec < 1 || c.prec > 31) fail(Code::bad_file, "a component without samples");
  const bool color = components.size() >= 3;
  for (int64_t y = 0; y < canvas.height(); ++y) {
    canvas.check();
    for (int64_t x = 0; x < canvas.width(); ++x) {
      int v[3];
      for (size_t i = 0; i < 3; ++i) v[i] = sample(image, components[color ? i : 0], y, x);
      if (color && code.color_space == sycc) {
        const double luma = v[0], blue = v[1] - 128, red = v[2] - 128;
        canvas.color(y, x, byte(luma + 1.402 * red), byte(luma - 0.344136 * blue - 0.714136 * red), byte(luma + 1.772 * blue));
      } else {
        canvas.color(y, x, uint8_t(v[0]), uint8_t(v[1]), uint8_t(v[2]));
      }
    }
  }
}

}  // namespace onward::image
