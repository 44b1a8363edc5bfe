// The portable formats PBM, PGM and PPM, as text (P1 to P3) and as bytes (P4 to P6).
#include "onward/base/byte_reader.h"
#include "onward/ops/image/codecs/canvas.h"

namespace onward::image {
namespace {

bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A number after white space and comments. `one_digit`: the pixels of P1 need nothing between them.
uint32_t number(ByteReader& in, bool one_digit = false) {
  for (;;) {
    if (in.left() > 0 && is_space(in.peek())) in.take(1);
    else if (in.peek() == '#') while (in.left() > 0 && in.take(1)[0] != '\n') {}
    else break;
  }
  uint64_t value = 0;
  int digits = 0;
  while (in.left() > 0 && in.peek() >= '0' && in.peek() <= '9' && !(one_digit && digits == 1)) {
    value = value * 10 + uint64_t(in.take(1)[0] - '0');
    if (++digits > 9) fail(Code::bad_file, "a number of more than 9 digits");
  }
  if (digits == 0) fail(Code::bad_file, "no number at byte ", in.position());
  return uint32_t(value);
}

}  // namespace

void decode_pnm(std::string_view bytes, Canvas& canvas) {
  ByteReader in(bytes);
  in.take(1);
  const int kind = in.take(1)[0] - '0', channels = kind % 3 == 0 ? 3 : 1;
  const bool text = kind <= 3, bits = kind % 3 == 1;
  const uint32_t width = number(in), height = number(in), most = bits ? 1 : number(in);
  if (most < 1 || most > 65535) fail(Code::bad_file, "a largest value of ", most);
  if (!text && !is_space(uint8_t(in.take(1)[0]))) fail(Code::bad_file, "no white space before the pixels");
  const uint64_t sample_bytes = text || most < 256 ? 1 : 2;
  const uint64_t row_bytes = bits && !text ? (uint64_t(width) + 7) / 8 : uint64_t(width) * uint64_t(channels) * sample_bytes;
  if (height > 0 && row_bytes > in.left() / height) fail(Code::bad_file, height, " rows of ", width, " pixels in ", in.left(), " bytes");
  canvas.start(height, width);
  const auto sample = [&](std::string_view row, int64_t i) -> uint32_t {
    if (text) return number(in, bits);
    if (bits) return uint8_t(row[size_t(i / 8)]) >> (7 - i % 8) & 1;
    if (most < 256) return uint8_t(row[size_t(i)]);
    return uint32_t(uint8_t(row[size_t(i * 2)])) << 8 | uint8_t(row[size_t(i * 2 + 1)]);
  };
  for (int64_t y = 0; y < canvas.height(); ++y) {
    canvas.check();
    const auto row = text ? std::string_view() : in.take(row_bytes);
    for (int64_t i = 0; i < int64_t(width) * channels; ++i) {
      const uint32_t value = std::min(sample(row, i), most);
      const auto byte = uint8_t((value * 255 + most / 2) / most);
      if (channels == 3) canvas.row(y)[i] = byte;
      else canvas.gray(y, i, bits ? uint8_t(255 - byte) : byte);
    }
  }
}

}  // namespace onward::image
