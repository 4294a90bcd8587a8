"""SimpleITK's readers, asked for by name, and names for files that C++ can take."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Literal

import SimpleITK as sitk
from numpy.typing import NDArray

from napari_s3net.io.validation.headers import is_plain

#: Set once SimpleITK has failed in this process: its heap may be in pieces, though another decoder read the file.
STUMBLED = Event()
Decoder = Literal["GDCMImageIO", "MetaImageIO", "NrrdImageIO", "PNGImageIO", "TIFFImageIO"]


def open_reader(path: Path, decoder: Decoder) -> sitk.ImageFileReader:
    """A reader that has read the header alone.

    Raises
    ------
    RuntimeError
        From SimpleITK, where the file is damaged.
    """
    reader = sitk.ImageFileReader()
    reader.SetImageIO(decoder)
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return reader


def decode_pixels(path: Path, decoder: Decoder) -> NDArray[Any]:
    """The pixels of a file alone, in array order; raises as `open_reader` does, and remembers that in `STUMBLED`."""
    try:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO=decoder))  # type: ignore[no-any-return]
    except RuntimeError:
        STUMBLED.set()
        raise


def value_bytes(reader: sitk.ImageFileReader) -> int:
    """Bytes of one value, from names such as "vector of 16-bit signed integer"."""
    bits = re.search(r"(\d+)-bit", sitk.GetPixelIDValueAsString(reader.GetPixelID()))
    return int(bits[1]) // 8 if bits else 8


@contextmanager
def plain_path(path: Path) -> Iterator[Path]:
    """The file or folder itself, or another name for it where its own cannot be handed to C++."""
    if is_plain(path):
        yield path
        return
    name = "folder" if path.is_dir() else "image" + "".join(path.suffixes[-2:]).encode("ascii", "ignore").decode()
    with alias(path, name) as other:
        yield other


@contextmanager
def alias(path: Path, name: str) -> Iterator[Path]:
    """Another name for a file or folder while it is in use; a copy of the file where links are not allowed."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder, name)
        try:
            other.symlink_to(path)
        except OSError:
            shutil.copyfile(path, other)
        yield other
