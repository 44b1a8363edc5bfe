// PNG by libpng: palettes, gray and 16 bits become RGB of 8; transparency is left out.
// Needs: png png.h
#include <cstdio>
#include <cstring>

#include <png.h>

#include "onward/ops/image/codecs/c_errors.h"
#include "onward/ops/image/codecs/canvas.h"

namespace onward::image {
namespace {

struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  JumpTarget target;
  std::string_view left;

  explicit Reader(std::string_view bytes) : left(bytes) {
    const auto stop = [](png_structp png, png_const_charp message) {
      auto& target = static_cast<Reader*>(png_get_error_ptr(png))->target;
      std::snprintf(target.message, sizeof target.message, "%s", message);
      std::longjmp(target.where, 1);
    };
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, stop, [](png_structp, png_const_charp) {});
    if (png) info = png_create_info_struct(png);
    if (!info) png_destroy_read_struct(&png, nullptr, nullptr), fail(Code::limit_memory, "no memory left for libpng");
    png_set_read_fn(png, this, [](png_structp png, png_bytep to, size_t n) {
      auto& reader = *static_cast<Reader*>(png_get_io_ptr(png));
      if (n > reader.left.size()) png_error(png, "the file ends too early");
      std::memcpy(to, reader.left.data(), n);
      reader.left.remove_prefix(n);
    });
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);    // the canvas decides
    png_set_chunk_malloc_max(png, 8 << 20);
    png_set_chunk_cache_max(png, 64);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

}  // namespace

void decode_png(std::string_view bytes, Canvas& canvas) {
  Reader reader(bytes);
  const png_structp png = reader.png;
  guarded(reader.target, [&] { png_read_info(png, reader.info); });
  const uint64_t height = png_get_image_height(png, reader.info), width = png_get_image_width(png, reader.info);
  const uint64_t bits = uint64_t(png_get_bit_depth(png, reader.info)) * png_get_channels(png, reader.info);
  canvas.start(height, width, bytes.size(), double(height) * double(width) * double(bits) / 8 / 1040);   // deflate shrinks by 1032 at most
  const Counted taken = canvas.count(width * 8 * 4);
  int passes = 1;
  guarded(reader.target, [&] {
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
    passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader.info);
  });
  if (png_get_rowbytes(png, reader.info) != width * 3)
    fail(Code::unsupported_format, "rows of ", png_get_rowbytes(png, reader.info), " bytes");
  for (int pass = 0; pass < passes; ++pass)
    for (int64_t y = 0; y < canvas.height(); ++y) {
      canvas.check();
      guarded(reader.target, [&] { png_read_row(png, canvas.row(y), nullptr); });
    }
}

}  // namespace onward::image
