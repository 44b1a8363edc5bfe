// ImageDecoder: a picture's file to its pixels. What cannot be decoded is an empty image, as the standard says; what this build cannot
// read is an error. Pictures are not turned as their EXIF data may ask.
#include "onward/ops/image/decoder.h"

#include "codecs.inc"                    // written by CMake: {"png", decode_png} for every file in codecs/ that this build has
#include "onward/ops/operator.h"

namespace onward {
namespace image {
namespace {

bool at(std::string_view bytes, size_t from, std::string_view what) { return bytes.size() >= from && bytes.substr(from).starts_with(what); }

// How each format begins.
std::string_view format_of(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (at(bytes, 0, "\xff\xd8\xff")) return "jpeg";
  if (at(bytes, 0, "\x89PNG\r\n\x1a\n")) return "png";
  if (at(bytes, 0, "RIFF") && at(bytes, 8, "WEBP")) return "webp";
  if (at(bytes, 0, "\xff\x4f\xff\x51") || at(bytes, 0, "\0\0\0\x0cjP  \r\n\x87\n"sv)) return "jpeg2000";
  if (at(bytes, 0, "II*\0"sv) || at(bytes, 0, "MM\0*"sv) || at(bytes, 0, "II+\0"sv) || at(bytes, 0, "MM\0+"sv)) return "tiff";
  if (at(bytes, 0, "BM")) return "bmp";
  if (at(bytes, 0, "P") && bytes.size() > 2 && bytes[1] >= '1' && bytes[1] <= '6') return "pnm";
  return {};
}

}  // namespace

Tensor decode(std::string_view bytes, const RunContext& context) {
  const auto format = format_of(bytes);
  if (format.empty()) fail(Code::bad_file, "bytes of no known image format");
  const auto decoder = std::find_if(std::begin(decoders), std::end(decoders), [&](const Decoder& d) { return d.format == format; });
  if (decoder == std::end(decoders))
    throw Error(Code::unsupported_format, text("this build has no ", format, " support"),
                "install the library's development package and build again");
  Canvas canvas(context);
  decoder->decode(bytes, canvas);
  return canvas.finished();
}

}  // namespace image

namespace ops {
namespace {

struct ImageDecoder : standard::ImageDecoder {
  void prepare(const Preparation&) const {
    if (pixel_format != "RGB" && pixel_format != "BGR" && pixel_format != "Grayscale")
      invalid("pixel_format is '", pixel_format, "', expected RGB, BGR or Grayscale");
  }
  int64_t channels() const { return pixel_format == "Grayscale" ? 1 : 3; }
  void infer(Inference& io) const { if (io.symbols) io.output(0, DataType::u8, {io.unknown(), io.unknown(), channels()}); }

  void run(Call& call) const {
    const Tensor& encoded = call.tensor(0);
    if (encoded.type() != DataType::u8 || encoded.rank() != 1)
      invalid("the encoded stream is ", shown(encoded), ", expected uint8 of one axis");
    Tensor colors;
    try {
      colors = image::decode({encoded.data<char>(), encoded.bytes()}, call.context);
    } catch (const Error& e) {
      if (e.code != Code::bad_file) throw;
      call.outputs[0] = Tensor(DataType::u8, {0, 0, channels()});
      return;
    }
    uint8_t* p = colors.data<uint8_t>();
    for (int64_t i = 0; pixel_format == "BGR" && i < colors.size(); i += 3) std::swap(p[i], p[i + 2]);
    call.outputs[0] = channels() == 3 ? colors : luma(colors, call);
  }

 private:
  // ITU-R 601-2, in 16 bits of fraction.
  static Tensor luma(const Tensor& colors, const Call& call) {
    Tensor out = call.scratch(DataType::u8, {colors.dims()[0], colors.dims()[1], 1});
    for (int64_t i = 0; i < out.size(); ++i) {
      const uint8_t* p = colors.data<uint8_t>() + i * 3;
      out.data<uint8_t>()[i] = uint8_t((p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16);
    }
    return out;
  }
};

}  // namespace

// A PPM of two pixels, in each of the three layouts; one that ends too early.
Operators image_decoder() {
  return {define<ImageDecoder>({.examples = {
      "uint8 [80, 54, 32, 50, 32, 49, 32, 50, 53, 53, 10, 255, 0, 0, 1, 2, 3] -> uint8 [[[255, 0, 0], [1, 2, 3]]]",
      "uint8 [80, 54, 32, 50, 32, 49, 32, 50, 53, 53, 10, 255, 0, 0, 1, 2, 3]; pixel_format=\"BGR\" -> uint8 [[[0, 0, 255], [3, 2, 1]]]",
      "uint8 [80, 54, 32, 50, 32, 49, 32, 50, 53, 53, 10, 255, 0, 0, 1, 2, 3]; pixel_format=\"Grayscale\" -> uint8 [[[76], [2]]]"}})};
}

}  // namespace ops
}  // namespace onward
