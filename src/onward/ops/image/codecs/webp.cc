// WebP by libwebp: the still image, without its transparency.
// Needs: webp webp/decode.h
#include <webp/decode.h>

#include "onward/ops/image/codecs/canvas.h"

namespace onward::image {

void decode_webp(std::string_view bytes, Canvas& canvas) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK) fail(Code::bad_file, "no WebP header");
  if (features.has_animation) fail(Code::unsupported_format, "an animated WebP; ImageDecoder reads still images");
  canvas.start(uint64_t(features.height), uint64_t(features.width));
  // Lossless: all pixels, and their transparency.
  const Counted taken = canvas.count(uint64_t(features.height) * uint64_t(features.width) * 5);
  canvas.check();
  if (!WebPDecodeRGBInto(data, bytes.size(), canvas.row(0), canvas.finished().bytes(), int(canvas.width()) * 3))
    fail(Code::bad_file, "the image cannot be decoded");
}

}  // namespace onward::image
