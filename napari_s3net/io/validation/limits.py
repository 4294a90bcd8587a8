"""What an image may cost, and how sizes and files are said to a person."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from pathlib import Path

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.runtime.machine import physical_memory

#: The decoder's buffer, the turned copy, and the array that is handed over.
COPIES = 3
#: Deflate never packs tighter than this, so a header that promises more than this times the file is wrong.
DEFLATE_RATIO = 1032
#: A packed image that promises more bytes than this has to hold a plausible share of them; a small blank one need not.
LARGE = 1 << 28
#: An image is blank in effect where a byte of the file stands for more bytes of pixels than this: photographs and scans
#: pack far less tightly.
BLANK_RATIO = 200
#: A blank image may take so many bytes: a photograph of 20,000 × 20,000 pixels is opened, plain as it may be.
MOST_BLANK = 1_250_000_000
#: Some programs end a file as they end a line of text.
_LINE_END = 2
#: Time that reading may take: a start, and more for every byte of a file, as over a slow network, and of its pixels.
BASE_SECONDS, BYTES_PER_SECOND, PIXEL_BYTES_PER_SECOND = 20.0, 5e5, 5e6

#: Takes the bytes of pixels that a header promises, and the bytes of memory that decoding them needs.
OnPromise = Callable[[int, int], None]
_on_promise: ContextVar[OnPromise | None] = ContextVar("on_promise", default=None)


@contextmanager
def on_promise(act: OnPromise) -> Iterator[None]:
    """Have a function called in the body once a header was checked, before any pixel is decoded.

    Parameters
    ----------
    act : callable
        Takes the bytes of pixels that a header promises, and the bytes of memory that decoding them needs.

    Yields
    ------
    None
        `act` holds for this thread or task alone, and until the body ends.
    """
    token = _on_promise.set(act)
    try:
        yield
    finally:
        _on_promise.reset(token)


def reading_seconds(path: Path, promised: int = 0) -> float:
    """Return the seconds that reading a file, or the files of a folder, may take.

    Parameters
    ----------
    path : Path
        The file or folder.
    promised : int
        Bytes of pixels that its header promises, once that is known.

    Returns
    -------
    float
        20 s, and more for every byte of the files and of the pixels.

    Raises
    ------
    OSError
        If there is nothing to read.
    """
    packed = path.stat().st_size
    if path.is_dir():
        with os.scandir(path) as entries:
            packed = sum(entry.stat().st_size for entry in entries if entry.is_file())
    return BASE_SECONDS + packed / BYTES_PER_SECOND + promised / PIXEL_BYTES_PER_SECOND


def check_memory(shape: Iterable[int], item_bytes: int, present: int | None = None) -> None:
    """Refuse an image that this machine cannot hold, before anything is allocated; tell others of its size.

    A large image that is packed as tightly as only a blank one can be is refused as well: a file of a megabyte is not
    to take gigabytes of memory.

    Parameters
    ----------
    shape : iterable of int
        Every axis, colours and volumes included.
    item_bytes : int
        Bytes of one value.
    present : int, optional
        Bytes of the file, where its pixels are packed.

    Raises
    ------
    ReadError
        With the size that the header claims and the memory of this machine, or with both sizes of a blank image.
    """
    shape = tuple(int(n) for n in shape)
    promised = prod(shape) * item_bytes
    if present is not None and promised > max(MOST_BLANK, BLANK_RATIO * present):
        raise ReadError(
            f"to unpack its {in_words(present)} takes {in_words(promised)} of memory, and nearly all of its pixels "
            "must be blank. Save the part of it that shows something, or save it without packing."
        )
    needed = promised * COPIES
    if needed > physical_memory():
        claimed = " × ".join(str(n) for n in shape if n > 1)
        raise ReadError(
            f"the header claims {claimed} values; opening that takes {in_words(needed)} of memory "
            f"and this computer has {in_words(physical_memory())}."
        )
    if (act := _on_promise.get()) is not None:
        act(promised, needed)


def check_promise(promised: int, present: int, ratio: int = 1) -> None:
    """Refuse a file that holds fewer bytes of pixels than its header promises.

    Parameters
    ----------
    promised, present : int
        Bytes by the header, and in the file.
    ratio : int
        How many bytes one byte of the file can hold at most: 1 where it is not packed.

    Raises
    ------
    ReadError
        With both figures.
    """
    if promised > present * ratio:
        more, less = _told_apart(promised, present)
        raise ReadError(f"the header promises {more}, the file has {less}. It was probably cut off while copying.")


def tell_surplus(promised: int, present: int) -> None:
    """Say that a file holds more pixels than its header promises: slices may be missing, or it begins elsewhere.

    Parameters
    ----------
    promised, present : int
        Bytes by the header, and in the file.

    Warns
    -----
    ReadWarning
        With both figures.
    """
    if present > promised + _LINE_END:
        less, more = _told_apart(promised, present)
        text = f"its header promises {less} of pixels, its file has {more}; the first {less} are opened. Check them."
        warnings.warn(text, ReadWarning, stacklevel=3)


def _told_apart(one: int, other: int) -> tuple[str, str]:
    """Two sizes in words; in bytes where they sound alike."""
    words = in_words(one), in_words(other)
    return words if words[0] != words[1] else (f"{one} bytes", f"{other} bytes")


def in_words(n: float) -> str:
    """Say a number of bytes to a person.

    Parameters
    ----------
    n : float
        Bytes.

    Returns
    -------
    str
        In steps of 1000: "3 kB", "412 MB", "1.5 GB".
    """
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if n < 1000 or unit == "PB":
            break
        n /= 1000
    return f"{n:.1f} {unit}" if n < 10 and unit in ("GB", "TB", "PB") else f"{n:.0f} {unit}"


def shown(path: Path) -> str:
    """Return the name of a file for a message of one line.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        Its name without the folder, characters that cannot be printed as "?"; the whole path where there is no name.
    """
    return "".join(c if c.isprintable() else "?" for c in path.name) or str(path)
