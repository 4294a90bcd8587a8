"""A DICOM file up to its pixels: parsed once, by pydicom, and handed on."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from napari_s3net.errors import ReadError, ReadWarning

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

DIRECTORY = "1.2.840.10008.1.3.10"
SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
#: Segmentation, and label map segmentation.
LABELS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")


@dataclass(frozen=True, eq=False)
class Header:
    """What stands before the pixels of a DICOM file.

    Parameters
    ----------
    path : Path
        The file.
    dataset : pydicom.Dataset
        Its elements, those with pixels left out.
    start : int or None
        The byte at which the element with the pixels begins; None where the file has none.
    """

    path: Path
    dataset: Dataset
    start: int | None

    @cached_property
    def syntax(self) -> UID:
        """The transfer syntax: how elements and pixels are packed; guessed where the file does not name it."""
        named = self.dataset.file_meta.get("TransferSyntaxUID")
        if named:
            return UID(str(named))
        implicit, little = self.dataset.original_encoding
        return pydicom.uid.ImplicitVRLittleEndian if implicit else _EXPLICIT[bool(little)]

    @cached_property
    def object_id(self) -> str:
        """The kind of object, as its UID."""
        return str(self.dataset.get("SOPClassUID") or self.dataset.file_meta.get("MediaStorageSOPClassUID") or "")

    @cached_property
    def frames(self) -> int:
        """How many planes the file holds."""
        return max(1, _count(self.dataset, "NumberOfFrames", 1))

    @cached_property
    def shape(self) -> tuple[int, int, int, int]:
        """Frames, rows, columns and values a pixel; `ReadError` where the file does not tell its rows and columns."""
        rows, columns = (_count(self.dataset, key, 0) for key in ("Rows", "Columns"))
        if min(rows, columns) < 1:
            raise ReadError("its header is damaged: it does not say how many rows and columns it has.")
        return self.frames, rows, columns, max(1, _count(self.dataset, "SamplesPerPixel", 1))

    @cached_property
    def bits(self) -> int:
        """Bits that each value takes in the file."""
        return max(1, _count(self.dataset, "BitsAllocated", 8))

    @cached_property
    def modality(self) -> str:
        """Two letters or more, such as "CT"; empty for anything that could be free text."""
        return code(self.dataset, "Modality")


#: Among these first bytes a file names its transfer syntax.
_META_BYTES = 4096
#: Numbers that are no text; everything else is, with backslashes between values.
_BINARY = ("US", "SS", "US or SS", "UL", "SL", "FL", "FD")
_EXPLICIT = {True: pydicom.uid.ExplicitVRLittleEndian, False: pydicom.uid.ExplicitVRBigEndian}


def read_header(path: Path) -> Header:
    """Parse a file up to its pixels.

    Parameters
    ----------
    path : Path
        A DICOM file, with or without the preamble of 128 bytes.

    Returns
    -------
    Header
        Its elements and where its pixels begin; no pixel is read.

    Raises
    ------
    ReadError
        If it is no DICOM file, or damaged so that no element can be understood.
    """
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        except MemoryError:
            file.seek(0)
            if DeflatedExplicitVRLittleEndian.encode() not in file.read(_META_BYTES):
                raise
            raise ReadError(
                "its data set is deflated as a whole and takes too much memory to unpack. Save it in another transfer "
                "syntax, such as Explicit VR Little Endian."
            ) from None
        except OSError:
            raise
        except Exception as error:
            raise ReadError("its DICOM header is damaged.") from error
        start = file.tell()
        ended = not file.read(1)
        deflated = dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
    if not len(dataset):
        raise ReadError("its DICOM header is damaged, or it was cut off while copying.")
    return Header(path, dataset, None if ended and not deflated else start)


def why_no_image(header: Header) -> str:
    """Say why a file cannot be opened as an image.

    Parameters
    ----------
    header : Header
        Of a DICOM file.

    Returns
    -------
    str
        A sentence that names the kind of object, or that the file was cut off; empty where it holds an image.
    """
    kind = header.object_id
    if header.start is not None and "Rows" in header.dataset:
        return "it is a tiled microscope slide, which is not read here." if kind == SLIDE and header.frames > 1 else ""
    name = UID(kind).name.removesuffix(" Storage") if kind else ""
    if "Rows" in header.dataset or "Image" in name:
        return "the file ends before its pixels begin. It was probably cut off while copying."
    named = f": {name}" if name and name != kind else ""
    return f"it is a DICOM object that is no image{named}."


@cache
def _tag(keyword: str) -> BaseTag:
    """The tag of an element; to look it up takes longer than all else that is done with it."""
    return Tag(keyword)


def words(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of an element as they are written.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file, or an item of a sequence.
    keyword : str
        DICOM's name of the element, such as "ImageType".

    Returns
    -------
    list of str
        Each value without padding; empty where the element is missing. It may be free text with a patient's name in it.
    """
    tag = _tag(keyword)
    element = dataset.get_item(tag) if tag in dataset else None
    if element is None or element.value is None:
        return []
    value: Any = element.value
    if isinstance(value, bytes) and (element.VR or dictionary_VR(tag)) in _BINARY:
        value = dataset[tag].value
    if isinstance(value, bytes):
        value = value.decode("latin1")
    if isinstance(value, str):
        value = value.split("\\")
    values = value if isinstance(value, list | tuple | pydicom.multival.MultiValue) else [value]
    return [str(getattr(v, "original_string", v)).strip("\0 ") for v in values]


def numbers(dataset: Dataset, keyword: str, n: int = 1) -> tuple[float, ...] | None:
    """Return the first numbers of an element.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file, or an item of a sequence.
    keyword : str
        DICOM's name of the element, such as "PixelSpacing".
    n : int
        How many numbers are wanted.

    Returns
    -------
    tuple of float or None
        `n` numbers; None where there are fewer, or where one is no number or 1e12 and more.

    Warns
    -----
    ReadWarning
        If they are written with decimal commas, which DICOM does not know.
    """
    texts = words(dataset, keyword)[:n]
    if any("," in text for text in texts):
        warnings.warn("its numbers have decimal commas, which are taken as points.", ReadWarning, stacklevel=2)
    try:
        values = tuple(float(text.replace(",", ".")) for text in texts)
    except ValueError:
        return None
    return values if len(values) == n and all(abs(value) < 1e12 for value in values) else None


def code(dataset: Dataset, keyword: str) -> str:
    """Return the first value of an element where it cannot be free text, which may hold a patient's name.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file, or an item of a sequence.
    keyword : str
        DICOM's name of the element, such as "Modality".

    Returns
    -------
    str
        2 to 4 capital letters, or a number of up to 16 characters; empty for anything else.
    """
    text = next(iter(words(dataset, keyword)), "")
    return text if re.fullmatch(r"[A-Z]{2,4}|[-+.\d]{1,16}", text) else ""


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the data sets in a sequence.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file, or an item of another sequence.
    keyword : str
        DICOM's name of the sequence, such as "SegmentSequence".

    Returns
    -------
    list of pydicom.Dataset
        Empty where there is no such sequence, or where it is damaged.
    """
    tag = _tag(keyword)
    if tag not in dataset:
        return []
    try:
        return list(dataset[tag].value or [])
    except (ValueError, TypeError, AttributeError, KeyError):
        return []


def groups(dataset: Dataset, frame: int) -> Iterator[Dataset]:
    """Go through the places where an element that describes a frame may stand, the nearest first.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    frame : int
        Which frame of the file, from 0.

    Yields
    ------
    pydicom.Dataset
        The frame's own functional groups, those that all frames share, and the file itself.
    """
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    if frame < len(own):
        yield own[frame]
    yield from items(dataset, "SharedFunctionalGroupsSequence")[:1]
    yield dataset


def _count(dataset: Dataset, keyword: str, default: int) -> int:
    """A whole number of an element."""
    found = numbers(dataset, keyword)
    return int(found[0]) if found else default


def frame_numbers(dataset: Dataset, frame: int, sequence: str, keyword: str, n: int = 1) -> tuple[float, ...] | None:
    """Numbers that stand in a functional group of a frame, or in the file itself.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Of the file.
    frame : int
        From 0.
    sequence, keyword : str
        Group and element.
    n : int
        How many numbers the element has.

    Returns
    -------
    tuple of float or None
        None where neither has so many.
    """
    for group in groups(dataset, frame):
        for place in items(group, sequence)[:1] or ([dataset] if group is dataset else []):
            if found := numbers(place, keyword, n):
                return found
    return None
