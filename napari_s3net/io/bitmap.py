"""Bitmaps of Windows and OS/2 (BMP), of every depth, with palettes, masks of bits and run lengths.

Pillow takes a bitmap of eight bits whose palette is black and white for one of a single bit, fills what a cut-off one
in run lengths lacks, and refuses most masks of bits. The format is that of Microsoft's `BITMAPINFOHEADER` and its
followers, and of IBM's OS/2 bitmaps.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.io.validation.limits import DEFLATE_RATIO, LARGE, check_memory, check_promise

#: Bytes of the header of the file, in which the pixels' place is told; of the oldest and of OS/2's header behind it.
_FILE_HEADER, _CORE, _OS2 = 14, 12, 64
#: Ways of packing: none, run lengths, masks of bits, and masks with one for transparency.
_PLAIN, _RUNS = (0, 3, 6), {1: 8, 2: 4}
_MASKS = {16: (0x7C00, 0x3E0, 0x1F), 32: (0xFF0000, 0xFF00, 0xFF)}
_OTHERS = {3: "Huffman", 4: "JPEG", 5: "PNG"}


class Bitmap(NamedTuple):
    """What the header of a bitmap says.

    Parameters
    ----------
    width, height, bits : int
        Of the picture, and of a pixel.
    upside_down : bool
        Whether the lowest row comes first, as in most.
    packing : int
        0 and 3: none; 1 and 2: run lengths of 8 and of 4 bits.
    masks : tuple of int
        The bits of red, green and blue in a pixel of 16 or 32 bits.
    palette : numpy.ndarray
        (n, 3) uint8: red, green and blue of each value; of none for pixels that are colours themselves.
    start : int
        The first byte of the pixels.
    """

    width: int
    height: int
    bits: int
    upside_down: bool
    packing: int
    masks: tuple[int, ...]
    palette: NDArray[np.uint8]
    start: int


def read_bitmap(content: bytes) -> NDArray[Any]:
    """The pixels of a bitmap, without transparency.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    numpy.ndarray
        (H, W) uint8 for black and white (0 and 255), and for a palette of grey in which each number stands for itself;
        else (H, W, 3) uint8, or uint16 where a colour has more than eight bits.

    Raises
    ------
    ReadError
        If it is cut off, or its header makes no sense.
    UnsupportedFormatError
        If its pixels are packed in a way that is not read here.
    """
    header = _header(content)
    grey = header.bits <= 8 and _is_grey(header.palette)
    packed = len(content) if header.packing in _RUNS else None
    check_memory((header.height, header.width, 1 if grey else 3), 1, packed)
    if header.packing in _RUNS:
        values = _unpacked(header, memoryview(content)[header.start :])
    else:
        values = _rows(header, content)
    return values if header.bits > 8 else _by_palette(values, header.palette)


def _header(content: bytes) -> Bitmap:
    """What stands before the pixels."""
    start, size = struct.unpack_from("<II", content, 10) if len(content) >= 18 else (0, 0)
    if not _CORE <= size <= len(content) - _FILE_HEADER:
        raise ReadError("its header is damaged, or it was cut off while copying.")
    header = content[_FILE_HEADER : _FILE_HEADER + size]
    behind = _FILE_HEADER + size
    if size == _CORE:
        width, height, _, bits = struct.unpack_from("<4H", header, 4)
        packing = colours = 0
    else:
        width, height, _, bits, packing, _, _, _, colours = struct.unpack_from("<2i2H5I", header.ljust(40, b"\0"), 4)
    named = {**_OTHERS, 4: "RLE24"} if size == _OS2 else _OTHERS
    if packing not in (*_PLAIN, *_RUNS) or (size == _OS2 and packing == 3):
        kind = named.get(packing, f"number {packing}")
        raise UnsupportedFormatError(f"its pixels are packed in a way that is rare in BMP ({kind}) and not read here.")
    if width < 1 or not height or bits not in (1, 2, 4, 8, 16, 24, 32) or bits != _RUNS.get(packing, bits):
        raise ReadError("its header is damaged: its sizes are not those of an image.")
    masks = _MASKS.get(bits, ())
    if packing in (3, 6) and masks:
        masks = struct.unpack_from("<3I", content.ljust(66, b"\0"), _FILE_HEADER + 40)
        behind += (12 if packing == 3 else 16) if size == 40 else 0
    entry = 3 if size == _CORE else 4
    entries = min(colours or 1 << bits, 1 << bits, max(0, start - behind) // entry) if bits <= 8 else 0
    table = np.frombuffer(content, np.uint8, entries * entry, behind).reshape(entries, entry)[:, 2::-1]
    return Bitmap(width, abs(height), bits, height > 0, packing, masks, table, start)


def _rows(header: Bitmap, content: bytes) -> NDArray[Any]:
    """Values, or red, green and blue, of pixels that are not packed; each row ends at a multiple of four bytes."""
    width, height, bits = header.width, header.height, header.bits
    row, used = (width * bits + 31) // 32 * 4, (width * bits + 7) // 8
    check_promise(row * (height - 1) + used, len(content) - header.start)
    end = header.start + row * height  # the last row may lack what fills it to four bytes
    rows = np.frombuffer(content.ljust(end, b"\0"), np.uint8, row * height, header.start)
    rows = rows.reshape(height, row)[:: -1 if header.upside_down else 1]
    if bits < 8:
        places = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
        return (rows[..., None] >> places & ((1 << bits) - 1)).reshape(height, -1)[:, :width]
    if bits == 8:
        return rows[:, :width]
    if bits == 24:
        stored, colours = rows[:, : 3 * width].reshape(height, width, 3), np.empty((height, width, 3), np.uint8)
        for channel in range(3):  # several times faster than one copy of all three in reverse
            colours[..., channel] = stored[..., 2 - channel]
        return colours
    pixels = np.ascontiguousarray(rows).view(f"<u{bits // 8}")[:, :width]
    most = [mask // (mask & -mask) if mask else 1 for mask in header.masks]
    dtype = np.uint8 if max(most) <= 255 else np.uint16
    full = np.iinfo(dtype).max
    colours = np.empty((height, width, 3), dtype)
    for place, (mask, largest) in enumerate(zip(header.masks, most, strict=True)):
        colours[..., place] = (pixels & mask) // max(1, mask & -mask) * np.uint64(full) // np.uint64(largest)
    return colours


def _unpacked(header: Bitmap, content: memoryview) -> NDArray[np.uint8]:
    """Values of pixels in run lengths; those that are skipped are 0."""
    width, height, per_byte = header.width, header.height, 8 // header.bits
    if (promised := width * height) > LARGE:
        check_promise(promised, len(content), DEFLATE_RATIO)
    values = np.zeros((height, width), np.uint8)
    place = x = y = 0
    while y < height:
        if place + 2 > len(content):
            raise ReadError("the file ends within its pixels. It was probably cut off while copying.")
        count, value = content[place], content[place + 1]
        place += 2
        if count:
            run = (value,) if per_byte == 1 else (value >> 4, value & 15)
            for offset, number in enumerate(run):  # clipped where a row ends
                values[y, x + offset : x + count : per_byte] = number
            x += count
        elif value == 0:
            x, y = 0, y + 1
        elif value == 1:
            break
        elif value == 2:
            right, down = bytes(content[place : place + 2]).ljust(2, b"\0")
            x, y, place = x + right, y + down, place + 2
        else:
            numbers = np.frombuffer(content[place : place + -(-value // per_byte)], np.uint8)
            numbers = numbers if per_byte == 1 else np.stack([numbers >> 4, numbers & 15], axis=1).ravel()
            numbers = numbers[: min(value, max(0, width - x))]
            values[y, x : x + len(numbers)] = numbers
            x, place = x + value, place + -(-value // per_byte // 2) * 2
    return values[:: -1 if header.upside_down else 1]


def _by_palette(values: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey or colours of the numbers of a palette."""
    if values.max(initial=0) >= len(palette):
        raise ReadError("its header is damaged: its palette has fewer colours than its pixels name.")
    return palette[:, 0][values] if _is_grey(palette) else palette[values]


def _is_grey(palette: NDArray[np.uint8]) -> bool:
    """Whether a palette is black and white, or grey in which each number stands for itself."""
    grey = palette[:, 0]
    plain = set(grey.tolist()) <= {0, 255} or bool((grey == np.arange(len(palette))).all())
    return plain and bool((palette == palette[:, :1]).all())
