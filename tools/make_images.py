#!/usr/bin/env python3
"""Writes tests/data/images: a small picture of every format and kind that ImageDecoder reads, and what Pillow makes of it as PPM.

For developers: needs pillow, numpy, tifffile and imagecodecs, which nothing else here uses.
"""
import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

FOLDER = Path(__file__).parents[1] / "tests/data/images"
Y, X = np.mgrid[0:17, 0:23]
COLORS = np.stack([X * 11 % 256, Y * 15 % 256, X * Y * 3 % 256], -1).astype(np.uint8)
COLORS[5:9, 7:15] = [250, 10, 30]
GRAY = ((X * 7 + Y * 13) % 256).astype(np.uint8)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    pillow_images()
    tiff_images()
    bmp_images()
    portable_images()
    interlaced_png()


def pillow_images():
    colors, gray = Image.fromarray(COLORS), Image.fromarray(GRAY)
    transparent = Image.fromarray(np.dstack([COLORS, (X * 10 % 256).astype(np.uint8)]))
    palette, bits = colors.quantize(16), gray.point(lambda v: 255 if v > 128 else 0).convert("1")
    for suffix in ("png", "tif", "bmp"):
        for name, image, pixels in (("rgba", transparent, COLORS), ("gray", gray, GRAY), ("palette", palette, None), ("bits1", bits, None)):
            save(f"{name}.{suffix}", image, pixels)
    for suffix in ("png", "bmp", "ppm", "jp2"):
        save(f"rgb.{suffix}", colors, COLORS)
    deep = (X * 2000 + Y * 900).astype(np.uint16)
    save("gray16.png", Image.fromarray(deep), ((deep.astype(np.int64) * 255 + 32895) >> 16).astype(np.uint8))
    save("gray.pgm", gray, GRAY)
    save("bits1.pbm", bits)
    save("rgb.jpg", colors, quality=85)
    save("gray.jpg", gray, quality=85)
    save("progressive.jpg", colors, quality=85, progressive=True)
    save("full_chroma.jpg", colors, quality=90, subsampling=0)
    save("cmyk.jpg", colors.convert("CMYK"), quality=95)
    save("lossy.webp", colors, quality=80)
    save("lossless.webp", transparent, COLORS, lossless=True, exact=True)
    save("rgba.jp2", transparent, COLORS)
    save("gray.j2k", gray, GRAY)
    save("tiled.j2k", colors, COLORS, tile_size=(8, 8))
    save("lossy.jp2", colors, quality_mode="rates", quality_layers=[4], irreversible=True)
    save("raw.tif", colors, COLORS)
    for name, compression in (("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits")):
        save(f"{name}.tif", colors, COLORS, compression=compression)


def tiff_images():
    noise = np.random.default_rng(0).integers(0, 9, (51, 69, 3))
    noisy = (np.tile(COLORS, (3, 3, 1)).astype(int) + noise).clip(0, 255).astype(np.uint8)
    for name, pixels, expected, options in (
            ("tiled", COLORS, COLORS, {"tile": (16, 16), "compression": "zlib", "predictor": True, "photometric": "rgb"}),
            ("big_endian16", COLORS.astype(np.uint16) * 257, COLORS,
             {"byteorder": ">", "compression": "lzw", "predictor": True, "photometric": "rgb", "rowsperstrip": 5}),
            ("planar", np.moveaxis(COLORS, 2, 0), COLORS, {"planarconfig": "separate", "photometric": "rgb", "rowsperstrip": 4}),
            ("white_is_zero", GRAY, 255 - GRAY, {"photometric": "miniswhite"}),
            ("long_lzw", noisy, noisy, {"photometric": "rgb", "compression": "lzw"})):
        tifffile.imwrite(FOLDER / f"{name}.tif", pixels, metadata=None, software=False, **options)
        expect(f"{name}.tif", expected)


def bmp_images():
    """Kinds that Pillow reads and does not write."""
    runs = bytes([3, 1, 2, 2, 0, 0, 0, 5, 0, 1, 2, 3, 0, 0, 0, 0, 0, 2, 2, 0, 3, 3, 0, 1])  # two runs; a literal; a jump and a run; the end
    write("run_lengths.bmp", bmp(8, 1, [(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)], runs, 5, 3))
    five = COLORS.astype(int) >> 3
    rows = b"".join((row.astype("<u2").tobytes() + b"\0\0")[:48] for row in five[:, :, 0] << 10 | five[:, :, 1] << 5 | five[:, :, 2])
    write("bits16_top_down.bmp", bmp(16, 0, [], rows, 23, -17), ((five * 255 + 15) // 31).astype(np.uint8))


def bmp(bits, compression, palette, pixels, width, height):
    start = 54 + 4 * len(palette)
    return (b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0, len(palette), 0)
            + b"".join(struct.pack("<BBBB", b, g, r, 0) for r, g, b in palette) + pixels)


def portable_images():
    rows = "\n".join(" ".join(map(str, row.ravel())) for row in COLORS)
    write("text.ppm", f"P3\n# a comment\n23 17 # another\n255\n{rows}\n".encode(), COLORS)
    write("text.pbm", b"P1 4 2\n0110\n1001\n", np.array([[255, 0, 0, 255], [0, 255, 255, 0]], np.uint8))
    write("deep.pgm", b"P5 23 17 65535\n" + (GRAY.astype(">u2") * 257).tobytes(), GRAY)


def interlaced_png():
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [COLORS[y::dy, x::dx] for y, x, dy, dx in passes]
    raw = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 23, 17, 8, 2, 0, 0, 1)), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")]
    write("interlaced.png", b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks))


def save(name, image, expected=None, **options):
    image.save(FOLDER / name, **options)
    expect(name, expected)


def write(name, content, expected=None):
    (FOLDER / name).write_bytes(content)
    expect(name, expected)


def expect(name, pixels):
    if pixels is None:
        pixels = np.array(Image.open(FOLDER / name).convert("RGB"))
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, 2)
    Image.fromarray(np.ascontiguousarray(pixels[:, :, :3])).save(FOLDER / f"{name}.expected.ppm")


if __name__ == "__main__":
    main()
