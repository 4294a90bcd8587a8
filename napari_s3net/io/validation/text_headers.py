"""Check the text header of a MetaImage or NRRD file against what the file holds.

These checks are cheap and strict, so that SimpleITK, which trusts a header, only sees files that keep their promise:
what a cut-off file lacks it fills with zeros, and some wrong sizes corrupt its heap.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import BinaryIO, NamedTuple

from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.io.validation.headers import GZIP
from napari_s3net.io.validation.limits import DEFLATE_RATIO, check_memory, check_promise, tell_surplus

#: SimpleITK knows no more axes; more of them overrun its tables.
MAX_AXES = 5
#: A text header longer than this is not one.
TEXT_BYTES = 1 << 16
_META_BYTES = {
    "CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "LONG": 4, "ULONG": 4,
    "LONG_LONG": 8, "ULONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8,
}  # fmt: skip


class TextHeader(NamedTuple):
    """The header of a MetaImage or an NRRD file that has been checked.

    Parameters
    ----------
    text : bytes
        As it stands in the file, up to the pixels.
    fields : dict of str to str
        What it says.
    values, item_bytes : int
        How many numbers its pixels are, and bytes of one.
    pixels : Path
        The file with the pixels: itself, or one beside it.
    start : int
        The byte of that file at which they begin.
    """

    text: bytes
    fields: dict[str, str]
    values: int
    item_bytes: int
    pixels: Path
    start: int


def check_meta(path: Path) -> TextHeader:
    """Check a .mha, or a .mhd together with the file that it names.

    Parameters
    ----------
    path : Path
        The file with the header.

    Returns
    -------
    TextHeader
        Its fields, and where its pixels lie.

    Raises
    ------
    ReadError
        If the header makes no sense, or the file is too short for it.
    """
    text, fields, sizes = _text_header(path, rb"=", rb"(?m)^\s*ElementDataFile\s*=.*\n?", ("DimSize", "NDims"))
    if fields.get("ObjectType", "Image") != "Image":
        raise UnsupportedFormatError("it holds a MetaIO object that is not an image.")
    kind = fields.get("ElementType", "").removeprefix("MET_").removesuffix("_ARRAY")
    item = _known(_META_BYTES.get(kind, 0))
    channels = fields.get("ElementNumberOfChannels", "1")
    if not channels.isdigit():
        raise ReadError("its header is damaged: the number of channels is not a number.")
    promised = prod(sizes) * int(channels) * item
    target = fields.get("ElementDataFile", "")
    pixels, start = _pixel_file(path, len(text), "" if target.upper() == "LOCAL" else target)
    present = pixels.stat().st_size - start
    is_compressed = is_true(fields.get("CompressedData", ""))
    check_memory((*sizes[:3], int(channels)), item, present if is_compressed else None)
    if is_compressed:
        packed = fields.get("CompressedDataSize", "0")
        check_promise(int(packed) if packed.isdigit() else 0, present)
        check_promise(promised, present, DEFLATE_RATIO)
        _check_packing(pixels, start, promised)
    elif is_true(fields.get("BinaryData", "true")):
        _check_plain(promised, present, fields.get("HeaderSize", "0"))
    else:
        check_promise(promised // item, present)
    return TextHeader(text, fields, promised // item, item, pixels, start)


def check_nrrd(path: Path) -> TextHeader:
    """Check a .nrrd, or a .nhdr together with the file that it names; raises as `check_meta` does.

    Parameters
    ----------
    path : Path
        The file with the header.

    Returns
    -------
    TextHeader
        Its fields, and where its pixels lie.
    """
    text, fields, sizes = _text_header(path, rb":", rb"\r?\n\r?\n|\Z", ("sizes", "dimension"))
    bits = re.search(r"int(8|16|32|64)", kind := fields.get("type", "").lower())
    item = _known(int(bits[1]) // 8 if bits else next((n for word, n in _NRRD_WORDS if word in kind), 0))
    pixels, start = _pixel_file(path, len(text), fields.get("data file", fields.get("datafile", "")))
    present = pixels.stat().st_size - start
    encoding = fields.get("encoding", "raw").lower()
    is_compressed = encoding not in ("raw", "ascii", "text", "txt", "hex")
    check_memory(sizes, item, present if is_compressed else None)
    ratio = {"raw": 1, "gzip": DEFLATE_RATIO, "gz": DEFLATE_RATIO}.get(encoding)
    check_promise(prod(sizes) * item if ratio else prod(sizes), present, ratio or DEFLATE_RATIO)
    if fields.get("line skip", "0") == "0":
        skipped = fields.get("byte skip", "0")
        if encoding == "raw":
            _check_plain(prod(sizes) * item, present, skipped)
        elif ratio:
            _check_packing(pixels, start, prod(sizes) * item + (int(skipped) if skipped.isdigit() else 0))
    return TextHeader(text, fields, prod(sizes), item, pixels, start)


#: NRRD's names of types, the longer ones first: "unsigned long long int" holds "long" and "int" too.
_NRRD_WORDS = (("char", 1), ("short", 2), ("long", 8), ("double", 8), ("float", 4), ("int", 4))


def _text_header(
    path: Path, separator: bytes, end: bytes, shape: tuple[str, str]
) -> tuple[bytes, dict[str, str], tuple[int, ...]]:
    """A text header, its fields, and the sizes in it.

    `shape` names the fields that hold the sizes and how many there are.
    """
    with path.open("rb") as file:
        text = file.read(TEXT_BYTES)
    found = re.search(end, text)
    if found is None:
        raise ReadError("its header does not end. It was probably cut off while copying.")
    lines = (line.partition(separator) for line in text[: found.end()].splitlines())
    fields = {_decoded(key): _decoded(value) for key, mark, value in lines if mark}
    return text[: found.end()], fields, _sizes(*(fields.get(name, "") for name in shape))


def _decoded(content: bytes) -> str:
    """Text of a header, which is UTF-8 today and was Latin-1 before."""
    try:
        return content.strip().decode()
    except UnicodeDecodeError:
        return content.strip().decode("latin1")


def _sizes(text: str, axes: str) -> tuple[int, ...]:
    """The sizes of a text header, as many as it has axes."""
    words = text.split()
    if len(words) == 1 and axes == "1":
        raise UnsupportedFormatError("it has a single axis and is no image.")
    if (
        not 1 < len(words) <= MAX_AXES
        or not all(word.isdigit() and int(word) for word in words)
        or not axes.isdigit()
        or len(words) != int(axes)
    ):
        raise ReadError("its header is damaged: its sizes are not those of an image.")
    return tuple(map(int, words))


def _known(item_bytes: int) -> int:
    """The bytes of one value; refuses a type that has none."""
    if not item_bytes:
        raise UnsupportedFormatError("its pixels are of a type that is not read here.")
    return item_bytes


def _pixel_file(header: Path, start: int, target: str) -> tuple[Path, int]:
    """The file that holds the pixels, and where they begin: behind the header, or in the file that it names."""
    if not target:
        return header, start
    if target.upper().startswith("LIST") or "%" in target:
        raise UnsupportedFormatError("its pixels are spread over several files, which is not read here.")
    target = target.removeprefix("./")
    if re.search(r"[/\\:]", target) or target == "..":
        raise ReadError("its header names a file outside its own folder, which is not opened.")
    if not (header.parent / target).is_file():
        raise ReadError("its pixels are missing: the file that the header names should be in the same folder.")
    return header.parent / target, 0


def is_true(word: str) -> bool:
    """Whether a field of a MetaImage says yes, as MetaIO understands it.

    Parameters
    ----------
    word : str
        Its value, such as "True" or "1".

    Returns
    -------
    bool
        By the first letter.
    """
    return word[:1] in ("T", "t", "1")


def _check_plain(promised: int, present: int, skipped: str) -> None:
    """Refuse pixels that are fewer than promised, and say where they are more; `skipped` bytes stand before them."""
    if not re.fullmatch(r"-1|\d+", skipped):
        raise ReadError("its header is damaged: it does not say where the pixels begin.")
    skipped_bytes = int(skipped)
    check_promise(promised, present - max(0, skipped_bytes))
    if skipped_bytes >= 0:  # else they are the last ones of the file
        tell_surplus(promised, present - skipped_bytes)


def _check_packing(path: Path, start: int, promised: int) -> None:
    """Unpack once to look for damage, to the end, where the checksum is.

    SimpleITK hands out whatever is in memory where unpacking fails, and looks at no checksum behind the last pixel.
    """
    state = (0, False)
    with path.open("rb") as file:
        file.seek(start)
        try:
            for state in _unpacked_so_far(file):
                if state[0] > promised:
                    break
        except zlib.error:
            raise ReadError("its packed pixels are damaged.") from None
    present, ended = state
    check_promise(promised, present if ended or present > promised else min(present, promised - 1))
    tell_surplus(promised, present)


def _unpacked_so_far(file: BinaryIO) -> Iterator[tuple[int, bool]]:
    """How many bytes come of a packed file, and whether its packing has ended, of which it may hold several pieces."""
    unpacker, present = zlib.decompressobj(47), 0
    while block := file.read(1 << 16):
        while block:
            if unpacker.eof and not block.startswith(GZIP):
                return
            unpacker = zlib.decompressobj(47) if unpacker.eof else unpacker
            present += len(unpacker.decompress(block, 1 << 20))
            block = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            yield present, unpacker.eof
