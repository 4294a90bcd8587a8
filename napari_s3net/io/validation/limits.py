"""What an image may cost, and how sizes and files are said to a person."""

from __future__ import annotations

import os
from collections.abc import Iterable
from math import prod
from pathlib import Path

from napari_s3net.errors import ReadError

#: Where the system does not tell how much memory it has (Windows), this much is taken for granted.
ASSUMED_MEMORY = 16 * 10**9
#: The decoder's buffer, the turned copy, and the array that is handed over.
COPIES = 3
#: Deflate never packs tighter than this, so a header that promises more than this times the file is wrong.
DEFLATE_RATIO = 1032


def physical_memory() -> int:
    """Bytes of memory in this machine."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return ASSUMED_MEMORY


def check_memory(shape: Iterable[int], item_bytes: int) -> None:
    """Refuse an image that this machine cannot hold, before anything is allocated.

    Parameters
    ----------
    shape : iterable of int
        Every axis, colours and volumes included.
    item_bytes : int
        Bytes of one value.

    Raises
    ------
    ReadError
        With the size that the header claims and the memory of this machine.
    """
    shape = tuple(int(n) for n in shape)
    needed = prod(shape) * item_bytes * COPIES
    if needed > physical_memory():
        claimed = " × ".join(str(n) for n in shape if n > 1)
        raise ReadError(
            f"the header claims {claimed} values; opening that takes {in_words(needed)} of memory "
            f"and this computer has {in_words(physical_memory())}."
        )


def check_promise(promised: int, present: int, ratio: int = 1) -> None:
    """Refuse a file that holds fewer bytes of pixels than its header promises, packed at most `ratio` to one.

    Raises
    ------
    ReadError
        With both figures.
    """
    if promised > present * ratio:
        more, less = in_words(promised), in_words(present)
        if more == less:
            more, less = f"{promised} bytes", f"{present} bytes"
        raise ReadError(f"the header promises {more}, the file has {less}. It was probably cut off while copying.")


def in_words(n: float) -> str:
    """Bytes for a person: "3 kB", "412 MB", "1.5 GB"."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if n < 1000 or unit == "PB":
            break
        n /= 1000
    return f"{n:.1f} {unit}" if n < 10 and unit in ("GB", "TB", "PB") else f"{n:.0f} {unit}"


def shown(path: Path) -> str:
    """The name of a file for a message of one line."""
    return "".join(c if c.isprintable() else "?" for c in path.name) or str(path)
