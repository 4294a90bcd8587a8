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

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from napari_s3net.io.validation.headers import is_plain

#: Set once SimpleITK has failed in this process: its heap may be in pieces, though another decoder read the file.
STUMBLED = Event()
Decoder = Literal["GDCMImageIO", "MetaImageIO", "NrrdImageIO", "PNGImageIO", "TIFFImageIO"]


def open_reader(path: Path, decoder: Decoder) -> sitk.ImageFileReader:
    """Open a file and read its header alone.

    Parameters
    ----------
    path : Path
        A file whose name C++ can take; see `plain_path`.
    decoder : str
        SimpleITK's name of the decoder; no other is tried.

    Returns
    -------
    SimpleITK.ImageFileReader
        Knows size and type; its `Execute` decodes the pixels.

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
    """Decode the pixels of a file alone, without spacing or orientation.

    Parameters
    ----------
    path : Path
        A file whose name C++ can take; see `plain_path`.
    decoder : str
        SimpleITK's name of the decoder; no other is tried.

    Returns
    -------
    numpy.ndarray
        In array order (z, y, x), several values a voxel in a last axis.

    Raises
    ------
    RuntimeError
        From SimpleITK, where the file is damaged; `STUMBLED` is set then.
    """
    try:
        return array_of(sitk.ReadImage(str(path), imageIO=decoder))
    except RuntimeError:
        STUMBLED.set()
        raise


class _Memory:
    """The pixels of a SimpleITK image for numpy to look at; the image lives as long as an array does."""

    def __init__(self, image: sitk.Image) -> None:
        self._image = image
        interface = sitk.GetArrayViewFromImage(image).__array_interface__  # nobody else's: it has made itself unique
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def array_of(image: sitk.Image) -> NDArray[Any]:
    """Return the pixels of an image without a copy.

    Parameters
    ----------
    image : SimpleITK.Image
        It must not be changed any more.

    Returns
    -------
    numpy.ndarray
        In array order (z, y, x), several values a voxel in a last axis.
    """
    return np.asarray(_Memory(image))


def value_bytes(reader: sitk.ImageFileReader) -> int:
    """Return how many bytes one value takes.

    Parameters
    ----------
    reader : SimpleITK.ImageFileReader
        That has read its header.

    Returns
    -------
    int
        From SimpleITK's name of the type, such as "vector of 16-bit signed integer"; 8 where that tells no number.
    """
    bits = re.search(r"(\d+)-bit", sitk.GetPixelIDValueAsString(reader.GetPixelID()))
    return int(bits[1]) // 8 if bits else 8


@contextmanager
def plain_path(path: Path) -> Iterator[Path]:
    """Give a file or folder a name that can be handed to C++ while it is in use.

    Parameters
    ----------
    path : Path
        The file or folder.

    Yields
    ------
    Path
        `path` itself where its name is valid UTF-8, else a link or copy under another name; gone after the body.
    """
    if is_plain(path):
        yield path
        return
    name = "folder" if path.is_dir() else "image" + "".join(path.suffixes[-2:]).encode("ascii", "ignore").decode()
    with alias(path, name) as other:
        yield other


@contextmanager
def alias(path: Path, name: str) -> Iterator[Path]:
    """Give a file or folder another name while it is in use.

    Parameters
    ----------
    path : Path
        The file or folder.
    name : str
        The other name, without a folder.

    Yields
    ------
    Path
        A link in a temporary folder, or a copy of the file where links are not allowed; gone after the body.
    """
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder, name)
        try:
            other.symlink_to(path)
        except OSError:
            shutil.copyfile(path, other)
        yield other
