// JPEG by libjpeg-turbo, with its own (smooth) chroma upsampling, which the standard asks for.
// Needs: jpeg jpeglib.h
#include <cstdio>
#include <cstring>

#include <jpeglib.h>
#include <jerror.h>

#include "onward/ops/image/codecs/c_errors.h"
#include "onward/ops/image/codecs/canvas.h"

namespace onward::image {
namespace {

constexpr int most_scans = 500;                          // progressive files are decoded once for each

struct Decompressor {
  jpeg_decompress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  JumpTarget target;

  Decompressor() {
    jpeg.err = jpeg_std_error(&errors);
    errors.error_exit = [](j_common_ptr info) {
      info->err->format_message(info, of(info).target.message);
      std::longjmp(of(info).target.where, 1);
    };
    // A file that ends too early is only warned of; the rest of the image would be made up.
    errors.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && (info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JWRN_HIT_MARKER)) info->err->error_exit(info);
    };
    errors.output_message = [](j_common_ptr) {};
    jpeg.client_data = this;
    guarded(target, [&] { jpeg_create_decompress(&jpeg); });
    progress.progress_monitor = [](j_common_ptr info) {
      if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= most_scans) return;
      std::snprintf(of(info).target.message, sizeof of(info).target.message, "more than %d scans", most_scans);
      std::longjmp(of(info).target.where, 1);
    };
    jpeg.progress = &progress;
  }
  ~Decompressor() { jpeg_destroy_decompress(&jpeg); }
  static Decompressor& of(j_common_ptr info) { return *static_cast<Decompressor*>(info->client_data); }
};

static_assert(JMSG_LENGTH_MAX <= sizeof(JumpTarget::message));

uint8_t times(int a, int b) { return uint8_t((a * b + 127) / 255); }

}  // namespace

void decode_jpeg(std::string_view bytes, Canvas& canvas) {
  Decompressor d;
  auto& jpeg = d.jpeg;
  guarded(d.target, [&] {
    jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&jpeg, TRUE);
  });
  // Four components are cyan, magenta, yellow and black, which the library does not turn into colours.
  const bool four = jpeg.num_components == 4;
  jpeg.out_color_space = four ? JCS_CMYK : JCS_RGB;
  canvas.start(jpeg.image_height, jpeg.image_width);
  // Coefficients are kept whole in files of several scans, else a few rows.
  const uint64_t pixels = uint64_t(jpeg.image_height) * jpeg.image_width;
  const bool whole = jpeg_has_multiple_scans(&jpeg);
  const Counted taken = canvas.count(whole ? pixels * 2 * uint64_t(jpeg.num_components) : uint64_t(jpeg.image_width) * 256);
  const auto inks = four ? canvas.room(uint64_t(jpeg.image_width) * 4) : nullptr;
  guarded(d.target, [&] { jpeg_start_decompress(&jpeg); });
  for (int64_t y = 0; y < canvas.height(); ++y) {
    canvas.check();
    JSAMPROW row = four ? inks.get() : canvas.row(y);
    guarded(d.target, [&] { jpeg_read_scanlines(&jpeg, &row, 1); });
    // Such files hold their inks inverted (Adobe's way): 255 is no ink.
    for (int64_t x = 0; four && x < canvas.width(); ++x) {
      const uint8_t* ink = inks.get() + x * 4;
      const bool inverted = jpeg.saw_Adobe_marker;
      const auto light = [&](int i) { return inverted ? ink[i] : 255 - ink[i]; };
      canvas.color(y, x, times(light(0), light(3)), times(light(1), light(3)), times(light(2), light(3)));
    }
  }
}

}  // namespace onward::image
