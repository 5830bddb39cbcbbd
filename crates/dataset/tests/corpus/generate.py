#!/usr/bin/env python3
"""Writes the PNG corpus beside this script: every colour type, bit depth and interlace method of the
format, and files that are broken in known ways.  expected.json says what a reader has to make of them.

The files are assembled by hand with zlib, because Pillow writes neither interlaced nor 2- and 4-bit gray
files.  Expected values are computed here from the samples that were written, by the rules that the
crate documents; wherever Pillow follows the same rules (everything up to 8 bits) its result is asserted
to be equal.  Made with Python 3.11, Pillow 13.0.0.  Usage: generate.py"""
import io
import json
import os
import random
import struct
import zlib

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
W, H = 9, 7                                     # odd, and wide enough for all seven interlace passes
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
NAMES = {GRAY: "gray", RGB: "rgb", PALETTE: "palette", GRAY_ALPHA: "gray_alpha", RGBA: "rgba"}
DEPTHS = {GRAY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GRAY_ALPHA: (8, 16), RGBA: (8, 16)}
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data, crc=None):
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def header(width, height, depth, color, interlace=0):
    return struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)


def pack_row(samples, depth):
    """samples of one row, in order, as bytes"""
    if depth == 16:
        return b"".join(struct.pack(">H", v) for v in samples)
    bits = "".join(format(v, f"0{depth}b") for v in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def scanlines(rows, depth, bytes_per_pixel):
    """rows of samples with the filters None, Sub, Up in turn"""
    out, above = b"", None
    for i, samples in enumerate(rows):
        raw = pack_row(samples, depth)
        above = above or bytes(len(raw))
        kind = i % 3
        left = bytes(bytes_per_pixel) + raw[:-bytes_per_pixel]
        left = left[:len(raw)]
        predictor = (bytes(len(raw)), left, above)[kind]
        out += bytes([kind]) + bytes((a - b) & 255 for a, b in zip(raw, predictor))
        above = raw
    return out


def encode(pixels, color, depth, interlace, extra=b""):
    """pixels[y][x] is a tuple of samples"""
    height, width = len(pixels), len(pixels[0])
    bytes_per_pixel = max(1, CHANNELS[color] * depth // 8)
    if interlace:
        data = b""
        for x0, y0, dx, dy in PASSES:
            rows = [[v for x in range(x0, width, dx) for v in pixels[y][x]] for y in range(y0, height, dy)]
            if rows and rows[0]:
                data += scanlines(rows, depth, bytes_per_pixel)
    else:
        data = scanlines([[v for pixel in row for v in pixel] for row in pixels], depth, bytes_per_pixel)
    return (SIGNATURE + chunk(b"IHDR", header(width, height, depth, color, interlace)) + extra
            + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def to_rgb8(pixel, color, depth, palette):
    """the documented conversion of one pixel to 8-bit gray (1 value) or RGB (3 values)"""
    if color == PALETTE:
        return palette[pixel[0]]
    samples = pixel[:1] if color in (GRAY, GRAY_ALPHA) else pixel[:3]
    if depth == 16:
        return tuple(round(v / 257) for v in samples)
    return tuple(v * 255 // (2 ** depth - 1) for v in samples)


def luma(rgb):
    r, g, b = rgb
    return (19595 * r + 38470 * g + 7471 * b + 32768) >> 16


def expectation(pixels, color, depth, palette):
    flat = [to_rgb8(pixel, color, depth, palette) for row in pixels for pixel in row]
    gray = [v[0] if len(v) == 1 else luma(v) for v in flat]
    planes = [[(v * 3)[c] if len(v) == 1 else v[c] for v in flat] for c in range(3)]
    return gray, [v for plane in planes for v in plane]


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(data)


def valid(rng):
    entries = []

    def add(name, color, depth, interlace, width=W, height=H, trns=None):
        top = 2 ** depth - 1
        pixels = [[tuple(rng.randint(0, top) for _ in range(CHANNELS[color])) for _ in range(width)]
                  for _ in range(height)]
        palette, extra = None, b""
        if color == PALETTE:
            palette = [tuple(rng.randint(0, 255) for _ in range(3)) for _ in range(top + 1)]
            extra = chunk(b"PLTE", bytes(v for entry in palette for v in entry))
        if trns == "first pixel":
            extra += chunk(b"tRNS", b"".join(struct.pack(">H", v) for v in pixels[0][0]))
        elif trns:
            extra += chunk(b"tRNS", bytes(trns))
        data = encode(pixels, color, depth, interlace, extra)
        gray, rgb = expectation(pixels, color, depth, palette)
        if depth < 16:
            image = Image.open(io.BytesIO(data))
            assert list(image.convert("L").tobytes()) == gray, name
            by_pixel = image.convert("RGB").tobytes()
            assert [v for c in range(3) for v in by_pixel[c::3]] == rgb, name
        write(name, data)
        native = "gray" if color in (GRAY, GRAY_ALPHA) else "rgb"
        entries.append(dict(file=name, height=height, width=width, native=native, gray=gray, rgb=rgb))

    for color, depths in DEPTHS.items():
        for depth in depths:
            for interlace in (0, 1):
                add(f"{NAMES[color]}_{depth}{'_interlaced' if interlace else ''}.png", color, depth, interlace)
    add("gray_8_transparent.png", GRAY, 8, 0, trns="first pixel")
    add("rgb_8_transparent.png", RGB, 8, 0, trns="first pixel")
    add("palette_4_transparent.png", PALETTE, 4, 0, trns=[0, 128])
    add("gray_8_one_pixel.png", GRAY, 8, 0, 1, 1)
    add("gray_8_one_pixel_interlaced.png", GRAY, 8, 1, 1, 1)
    add("rgb_8_one_column_interlaced.png", RGB, 8, 1, 1, 9)
    return entries


def malformed(rng):
    good = encode([[(rng.randint(0, 255),) for _ in range(W)] for _ in range(H)], GRAY, 8, 0)
    raw = scanlines([[0] * W] * H, 8, 1)
    body = chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")

    def with_header(*values):
        return SIGNATURE + chunk(b"IHDR", header(*values))

    idat = good.index(b"IDAT")
    cases = [
        # file, content, error variant ("" where the file is readable all the same), words of the message
        ("empty.png", b"", "EmptyFile", "is empty (0 bytes), expected a PNG file"),
        ("text.png", b"hello, I am a text file\n", "NotPng", 'it starts with "hello, I", expected the PNG signature'),
        ("jpeg.png", bytes.fromhex("ffd8ffe000104a46494600"), "NotPng",
         "it starts with bytes ff d8 ff e0 00 10 4a 46, expected the PNG signature"),
        ("signature_only.png", SIGNATURE, "Truncated", "is truncated"),
        ("signature_cut.png", SIGNATURE[:5], "Truncated", "is truncated"),
        ("signature_wrong.png", b"\x89PNG\n\n\x1a\n" + good[8:], "NotPng", "it starts with bytes 89 50 4e 47 0a 0a 1a 0a"),
        ("header_cut.png", good[:20], "Truncated", "is truncated"),
        ("header_only.png", good[:33], "Truncated", "is truncated"),
        ("data_cut.png", good[:idat + 20], "Truncated", "is truncated"),
        ("header_bad_crc.png", SIGNATURE + chunk(b"IHDR", header(W, H, 8, GRAY), crc=1) + body, "Malformed", "is damaged: CRC error"),
        ("data_bad_crc.png", good[:idat + 14] + bytes([good[idat + 14] ^ 1]) + good[idat + 15:], "Malformed",
         "while decoding IDAT chunk"),
        ("data_bad_zlib.png", with_header(W, H, 8, GRAY) + chunk(b"IDAT", b"\x00" * 40) + chunk(b"IEND", b""),
         "Malformed", ""),
        ("data_too_short.png", with_header(W, H, 8, GRAY) + chunk(b"IDAT", zlib.compress(raw[:-12]))
         + chunk(b"IEND", b""), "Malformed", "not have enough data"),
        ("data_missing.png", with_header(W, H, 8, GRAY) + chunk(b"IEND", b""), "Malformed", ""),
        ("header_missing.png", SIGNATURE + body, "Malformed", "damaged: IDAT chunk appeared before IHDR chunk"),
        ("zero_width.png", with_header(0, H, 8, GRAY) + body, "Malformed", ""),
        ("bad_bit_depth.png", with_header(W, H, 3, GRAY) + body, "Malformed", ""),
        ("bad_color_type.png", with_header(W, H, 8, 5) + body, "Malformed", ""),
        ("palette_missing.png", with_header(W, H, 8, PALETTE) + body, "Malformed", ""),
        ("huge.png", with_header(2 ** 31 - 1, 2 ** 31 - 1, 8, GRAY) + body, "TooLarge",
         "is 2147483647×2147483647 pixels, expected at most 8192×8192 (width×height)"),
        ("heavy.png", with_header(8192, 8192, 16, RGBA) + body, "TooMuchMemory",
         "needs 536870912 bytes to decode, expected at most 268435456"),
        ("trailing_garbage.png", good + b"garbage after the end", "", ""),
        ("end_missing.png", good[:-12], "Truncated", "is truncated"),
    ]
    for name, data, _, _ in cases:
        write(name, data)
    return [dict(file=name, error=error, message=message) for name, _, error, message in cases]


if __name__ == "__main__":
    rng = random.Random(0)
    expected = dict(valid=valid(rng), malformed=malformed(rng))
    lines = ",\n".join(
        f' "{kind}": [\n' + ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n ]"
        for kind, entries in expected.items())
    with open(os.path.join(HERE, "expected.json"), "w", encoding="utf-8") as f:
        f.write("{\n" + lines + "\n}\n")
