from __future__ import annotations

import struct

import numpy as np
import PIL.Image
import pytest

from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.io.bitmap import read_bitmap

RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 6, 21
#: Sixteen colours, none of them grey.
PALETTE = np.stack([np.arange(16) * 17, 255 - np.arange(16) * 9, np.arange(16) * 5 + 1], axis=1).astype(np.uint8)
BLACK_AND_WHITE = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)


def bitmap(body, bits, *, header=40, packing=0, palette=(), masks=b"", height=HEIGHT, gap=0):
    """The bytes of a bitmap with a header of any length; `masks` lie in it, or behind it where it has 40 bytes."""
    colours = np.asarray(palette, np.uint8).reshape(-1, 3)[:, ::-1]
    if header == 12:
        head, table = struct.pack("<I4H", 12, WIDTH, height, 1, bits), colours.tobytes()
    else:
        head = struct.pack("<I2i2H6I", header, WIDTH, height, 1, bits, packing, 0, 0, 0, len(colours), 0)
        head = (head + (masks if header > 40 else b"")).ljust(header, b"\0")[:header] + (masks if header == 40 else b"")
        table = np.pad(colours, ((0, 0), (0, 1))).tobytes()
    start = 14 + len(head) + len(table) + gap
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + table + bytes(gap) + body


def rows(array, bits):
    """Rows from the lowest to the uppermost, each filled to a multiple of four bytes."""
    array = array[::-1]
    if bits < 8:
        places = np.unpackbits(array[..., None], axis=-1)[..., 8 - bits :]
        content = np.packbits(places.reshape(len(array), -1), axis=1)
    else:
        content = np.ascontiguousarray(array).view(np.uint8).reshape(len(array), -1)
    return np.pad(content, ((0, 0), (0, -content.shape[1] % 4))).tobytes()


@pytest.mark.parametrize("header", [12, 16, 40, 52, 56, 64, 108, 124])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_of_every_depth_and_header(header, bits):
    values = RNG.integers(0, min(16, 1 << bits), (HEIGHT, WIDTH), np.uint8)
    palette = np.resize(PALETTE, (1 << bits, 3)) if header in (12, 16) else PALETTE[: 1 << bits]
    read = read_bitmap(bitmap(rows(values, bits), bits, header=header, palette=palette, gap=6))
    np.testing.assert_array_equal(read, palette[values])


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("palette", [BLACK_AND_WHITE, BLACK_AND_WHITE[::-1]])
def test_black_and_white_at_every_depth(bits, palette):
    values = RNG.integers(0, 2, (HEIGHT, WIDTH), np.uint8)
    np.testing.assert_array_equal(
        read_bitmap(bitmap(rows(values, bits), bits, palette=palette)), palette[values][..., 0]
    )


def test_grey_whose_numbers_stand_for_themselves():
    values = RNG.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    palette = np.repeat(np.arange(256), 3)
    np.testing.assert_array_equal(read_bitmap(bitmap(rows(values, 8), 8, palette=palette)), values)


@pytest.mark.parametrize("up", [True, False])
def test_rows_from_below_or_from_above(up):
    colours = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    stored = colours[..., ::-1] if up else colours[::-1, :, ::-1]
    read = read_bitmap(bitmap(rows(stored, 24), 24, height=HEIGHT if up else -HEIGHT))
    np.testing.assert_array_equal(read, colours)


@pytest.mark.parametrize("header", [40, 52, 56, 108, 124])
@pytest.mark.parametrize(
    ("bits", "shifts", "depths"),
    [
        (16, (11, 5, 0), (5, 6, 5)),
        (16, (8, 4, 0), (4, 4, 4)),
        (16, (0, 5, 10), (5, 5, 5)),
        (32, (0, 8, 16), (8, 8, 8)),
        (32, (24, 16, 8), (8, 8, 8)),
        (32, (22, 12, 2), (10, 10, 10)),
    ],
)
def test_masks_of_bits(header, bits, shifts, depths):
    parts = [RNG.integers(0, 1 << depth, (HEIGHT, WIDTH), np.uint32) for depth in depths]
    pixels = sum(part << shift for part, shift in zip(parts, shifts, strict=True)).astype(f"<u{bits // 8}")
    masks = struct.pack("<3I", *((1 << depth) - 1 << shift for depth, shift in zip(depths, shifts, strict=True)))
    read = read_bitmap(bitmap(rows(pixels, bits), bits, header=header, packing=3, masks=masks))
    full = 65535 if max(depths) > 8 else 255
    expected = [part * full // ((1 << depth) - 1) for part, depth in zip(parts, depths, strict=True)]
    np.testing.assert_array_equal(read, np.stack(expected, axis=-1))
    assert read.dtype == (np.uint16 if full > 255 else np.uint8)


def test_sixteen_and_thirty_two_bits_without_masks():
    pixels = RNG.integers(0, 1 << 15, (HEIGHT, WIDTH), np.uint16)
    five = np.stack([pixels >> 10 & 31, pixels >> 5 & 31, pixels & 31], axis=-1).astype(int)
    np.testing.assert_array_equal(read_bitmap(bitmap(rows(pixels, 16), 16)), five * 255 // 31)
    four = RNG.integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    np.testing.assert_array_equal(read_bitmap(bitmap(rows(four, 32), 32)), four[..., 2::-1])


def run_lengths(values, bits, absolute):
    """Each row in runs of one, or as pairs of numbers written out."""
    body = b""
    for row in values[::-1]:
        if absolute:
            pairs = np.append(row, np.uint8(0)).reshape(-1, 2)
            numbers = row if bits == 8 else pairs[:, 0] << 4 | pairs[:, 1]
            body += bytes([0, len(row)]) + numbers.tobytes() + bytes(len(numbers.tobytes()) % 2)
        else:
            body += b"".join(bytes([1, value if bits == 8 else value << 4]) for value in row)
        body += b"\0\0"
    return body + b"\0\1"


@pytest.mark.parametrize(("bits", "packing"), [(8, 1), (4, 2)])
@pytest.mark.parametrize("absolute", [False, True])
def test_run_lengths(bits, packing, absolute):
    values = RNG.integers(0, 16, (HEIGHT, WIDTH), np.uint8)
    content = bitmap(run_lengths(values, bits, absolute), bits, packing=packing, palette=PALETTE)
    np.testing.assert_array_equal(read_bitmap(content), PALETTE[values])


def test_runs_that_alternate_skip_and_end_early():
    #  five pixels of 1 and 2 in turn; then two to the right and one up; then a run beyond the row; the end.
    body = bytes([5, 0x12, 0, 2, 2, 1, 200, 0x33, 0, 1])
    read = read_bitmap(bitmap(body, 4, packing=2, palette=PALETTE))
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[-1, :5] = 1, 2, 1, 2, 1
    expected[-2, 7:] = 3
    np.testing.assert_array_equal(read, PALETTE[expected])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_what_pillow_writes(tmp_path, mode):
    picture = PIL.Image.fromarray(RNG.integers(0, 256, (37, 29, 3), np.uint8)).convert(mode)
    picture.save(tmp_path / "a.bmp")
    expected = np.asarray(picture.convert("RGB" if mode in ("P", "RGB") else "L"))
    np.testing.assert_array_equal(read_bitmap((tmp_path / "a.bmp").read_bytes()), expected)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.99])
@pytest.mark.parametrize("bits", [8, 24])
def test_a_cut_off_bitmap_is_refused(share, bits):
    values = RNG.integers(0, 16, (60, WIDTH), np.uint8)
    body = run_lengths(values, 8, absolute=False) if bits == 8 else bytes(64 * 60)
    content = bitmap(body, bits, packing=int(bits == 8), palette=PALETTE if bits == 8 else (), height=60)
    with pytest.raises(ReadError, match=r"cut off"):
        read_bitmap(content[: int(len(content) * share)])


def test_a_run_of_few_bytes_does_not_promise_gigabytes():
    content = bytearray(bitmap(b"\0\1", 8, packing=1, palette=PALETTE))
    struct.pack_into("<2i", content, 18, 20_000, 20_000)
    with pytest.raises(ReadError, match="promises 400 MB, the file has 2 bytes"):
        read_bitmap(bytes(content))


@pytest.mark.parametrize(
    ("header", "packing", "word"), [(40, 4, "JPEG"), (40, 5, "PNG"), (64, 3, "Huffman"), (64, 4, "RLE24")]
)
def test_packings_that_are_not_read_are_named(header, packing, word):
    with pytest.raises(UnsupportedFormatError, match=word):
        read_bitmap(bitmap(bytes(600), 24, header=header, packing=packing))


def test_numbers_beyond_the_palette_are_refused():
    values = np.full((HEIGHT, WIDTH), 16, np.uint8)
    with pytest.raises(ReadError, match="palette"):
        read_bitmap(bitmap(rows(values, 8), 8, palette=PALETTE))


@pytest.mark.parametrize("change", [{"height": 0}, {"bits": 7}, {"header": 8}])
def test_headers_that_make_no_sense_are_refused(change):
    with pytest.raises(ReadError, match="header is damaged"):
        read_bitmap(bitmap(bytes(600), **{"bits": 24, **change}))
