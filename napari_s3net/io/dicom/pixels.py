"""The pixels of a DICOM file as they are stored: decoded by GDCM, and by pydicom where GDCM is wrong or gives up.

GDCM sees a file that was written for it and holds nothing but the packed pixels and their sizes. So no header of
another's can confuse it, and slope, intercept and photometric interpretation are applied here, where each plane has
its own.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import get_expected_length, pixel_array
from pydicom.uid import UID

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.dicom.header import Header, code, items, numbers, words
from napari_s3net.io.dicom.jpeg_colours import photometric_of
from napari_s3net.io.dicom.value_scale import stored_range
from napari_s3net.io.validation.dicom import PixelElement, check_frame, find_pixels, other_size, read_fragments
from napari_s3net.io.validation.limits import DEFLATE_RATIO, check_memory, check_promise

#: Secondary capture of one frame, and of several.
_CAPTURE, _CAPTURES = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.7.2"
#: Packed files that promise more bytes than this have to hold a plausible share of them; small blank ones need not. On
#: 64 MB of nonsense the slowest decoder takes 15 s.
LARGE = 1 << 26
_SIZES = (
    "SamplesPerPixel", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation",
)  # fmt: skip
#: Run lengths pack 128 equal bytes into two at best (PS3.5, annex G.3).
_RUN_LENGTH_RATIO = 64
_GDCM = (
    uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless,
    uid.JPEGLSNearLossless, uid.JPEG2000Lossless, uid.JPEG2000,
)  # fmt: skip
_LOSSY_JPEG = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit)
_JPEG_2000 = (uid.JPEG2000Lossless, uid.JPEG2000)
#: Colours of three values that the decoders turn into red, green and blue; a header may also forget to name them.
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT", "")
_OTHER_COLOURS = ("ARGB", "CMYK", "HSV", "YBR_PARTIAL_420", "YBR_PARTIAL_422", "MONOCHROME1", "MONOCHROME2")
_EXTRA = "Install the decoders for it with: pip install 'napari-s3net[dicom]'."


def decode_frames(header: Header) -> NDArray[Any]:
    """Decode all frames of a file.

    Parameters
    ----------
    header : Header
        Of a file that holds an image.

    Returns
    -------
    numpy.ndarray
        (frames, rows, columns), or with a last axis of 3 for colours, palettes included. Numbers are as they are
        stored, before slope and intercept; a modality lookup table is applied.

    Raises
    ------
    ReadError
        If the file holds fewer pixels than its header promises, or something else came out than was promised.
    UnsupportedFormatError
        If nothing here decodes its packing.
    """
    frames, rows, columns, samples = header.shape
    packed = header.path.stat().st_size if header.syntax.is_compressed else None
    check_memory((frames, rows, columns, samples), max(1, header.bits // 8), packed)
    _check_colours(header)
    array = _stored_pixels(header)
    array = array.reshape(array.shape[array.ndim - 2 - (samples > 1) :]) if frames == 1 else array
    array = array[np.newaxis] if frames == 1 else array
    promised = (frames, rows, columns, samples)[: 3 + (samples > 1)]
    if array.shape != promised:
        raise ReadError(other_size(promised, array.shape))
    array = _without_unused_bits(array, header) if array.dtype.kind in "iu" and samples == 1 else array
    if words(header.dataset, "PhotometricInterpretation") == ["PALETTE COLOR"]:
        return _palette_colours(array, header.dataset)
    if samples == 1 and items(header.dataset, "ModalityLUTSequence"):
        return apply_modality_lut(array, header.dataset)
    return array[..., :3] if samples > 1 else array


def _stored_pixels(header: Header) -> NDArray[Any]:
    """Stored pixels, colours as red, green and blue."""
    syntax = header.syntax
    if syntax.is_deflated:
        content = pydicom.dcmread(header.path, force=True).get_item("PixelData").value
        return _by_pydicom(header, content, header.frames)
    if header.start is None:
        raise ReadError("it holds no pixels.")
    implicit, little = header.dataset.original_encoding
    place = find_pixels(header.path, header.start, implicit=bool(implicit), little=bool(little))
    if place.length is not None:
        if (dtype := _plain_dtype(header, place)) is not None:
            return _as_they_are(header, place.first, place.length, dtype)
        with header.path.open("rb") as file:
            file.seek(place.first)
            return _by_pydicom(header, file.read(place.length), header.frames, "OW" if place.words else "OB")
    if not syntax.is_compressed:
        raise ReadError("its header is damaged: its pixels are packed, and it does not say how.")
    return _packed_pixels(header, place.first)


def _packed_pixels(header: Header, first: int) -> NDArray[Any]:
    """Stored pixels that are packed, frame by frame; `first` is where they begin."""
    syntax, (_, rows, columns, samples) = header.syntax, header.shape
    frames = _frames(header, first)
    frame_bytes = rows * columns * samples * max(1, header.bits // 8)
    if syntax == uid.RLELossless or header.frames * frame_bytes > LARGE:
        ratio = _RUN_LENGTH_RATIO if syntax == uid.RLELossless else DEFLATE_RATIO
        check_promise(header.frames * frame_bytes, sum(map(len, frames)), ratio)
    for frame in frames:
        check_frame(frame, rows, columns, frame_bytes)
    if syntax in _JPEG_2000:
        check_memory((rows, columns, samples), 4)  # its decoder unpacks each value into four bytes, a frame at a time
    together = max(1, LARGE // frame_bytes)  # frames of a large file are decoded in groups, for decoders make copies
    if len(frames) <= together:
        return _decoded_frames(header, frames)
    array: NDArray[Any] | None = None
    for start in range(0, len(frames), together):
        group = frames[start : start + together]
        part = _decoded_frames(header, group)
        part = part if len(group) > 1 else part.reshape(part.shape[part.ndim - 2 - (samples > 1) :])[np.newaxis]
        array = np.empty((len(frames), *part.shape[1:]), part.dtype) if array is None else array
        if part.shape != (len(group), *array.shape[1:]) or part.dtype != array.dtype:
            raise ReadError("its header is damaged: its packed frames are not of one size and type.")
        array[start : start + together] = part
    assert array is not None  # noqa: S101 - there is a group
    return array


def _decoded_frames(header: Header, frames: list[bytes]) -> NDArray[Any]:
    """Stored pixels of some of the packed frames."""
    if header.syntax in _GDCM:  # run lengths pydicom unpacks right where GDCM does not, and several times faster
        return _by_gdcm(header, frames)
    return _by_pydicom(header, encapsulate(frames), len(frames))


def _plain_dtype(header: Header, place: PixelElement) -> np.dtype[Any] | None:
    """The type of grey whole numbers that need no decoder; None for everything else."""
    little = bool(header.dataset.original_encoding[1])
    if header.shape[3] != 1 or header.bits not in (8, 16, 32) or header.syntax.is_compressed or not place.integers:
        return None
    if header.bits == 8 and place.words and not little:
        return None
    signed = words(header.dataset, "PixelRepresentation") == ["1"]
    return np.dtype(f"{'<' if little else '>'}{'i' if signed else 'u'}{header.bits // 8}")


def _as_they_are(header: Header, first: int, length: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Grey whole numbers that are not packed."""
    frames, rows, columns, _ = header.shape
    values = frames * rows * columns
    check_promise(values * dtype.itemsize, length)
    _tell_more(length // (rows * columns * dtype.itemsize), frames)
    array = np.fromfile(header.path, dtype, values, offset=first)
    return array.reshape((frames, rows, columns)[1 if frames == 1 else 0 :]).astype(dtype.newbyteorder("="), copy=False)


def _check_colours(header: Header) -> None:
    """Refuse colours that nothing here turns into red, green and blue."""
    samples = header.shape[3]
    named = next(iter(words(header.dataset, "PhotometricInterpretation")), "")
    if samples == 1 or (samples == 3 and named in _COLOURS):
        return
    kind = named if named in (*_COLOURS, *_OTHER_COLOURS) else "of an unknown kind"
    raise UnsupportedFormatError(f"its colours ({kind}, {samples} values a pixel) are not read here.")


def _tell_more(present: int, promised: int) -> None:
    """Say that a file holds more frames than its header promises."""
    if present > promised:
        text = f"it holds {present} frames, and its header promises {promised}; as many are opened."
        warnings.warn(text, ReadWarning, stacklevel=4)


def _frames(header: Header, first: int) -> list[bytes]:
    """The packed frames, each in one piece."""
    table, fragments = read_fragments(header.path, first)
    _tell_more(len(table) // 4, header.frames)
    if len(fragments) == header.frames:
        return fragments
    if len(fragments) < header.frames:
        raise ReadError(f"its header promises {header.frames} frames, the file has {len(fragments)}.")
    if header.frames == 1:
        return [b"".join(fragments)]
    pieces = encapsulate(fragments, has_bot=False)[8:]
    whole = b"\xfe\xff\x00\xe0" + len(table).to_bytes(4, "little") + table + pieces
    return list(generate_frames(whole, number_of_frames=header.frames))


def _by_gdcm(header: Header, frames: list[bytes]) -> NDArray[Any]:
    """Decode with GDCM, from a file that holds nothing else."""
    from napari_s3net.io.itk import decode_pixels

    dataset = _sizes_alone(header, len(frames))
    if header.shape[3] == 3 and header.syntax in _LOSSY_JPEG:
        dataset.PhotometricInterpretation = photometric_of(header, frames[0])
    dataset.SOPInstanceUID = "1.2.3"
    dataset.SOPClassUID = _CAPTURES if len(frames) > 1 else _CAPTURE
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    descriptor, name = tempfile.mkstemp(".dcm")
    try:
        with os.fdopen(descriptor, "wb") as file:
            dataset.save_as(file, enforce_file_format=True)
        return decode_pixels(Path(name), "GDCMImageIO")
    except RuntimeError:
        with suppress(UnsupportedFormatError):
            return _by_pydicom(header, encapsulate(frames), len(frames))
        raise
    finally:
        Path(name).unlink()


def _by_pydicom(header: Header, content: bytes, frames: int, kind: str = "OB") -> NDArray[Any]:
    """Decode with pydicom: whatever is not packed, and what its own decoders and those of the extra can do."""
    syntax, dataset = header.syntax, _sizes_alone(header, frames)
    if syntax.is_deflated:
        dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    if not dataset.file_meta.TransferSyntaxUID.is_compressed:
        check_promise(get_expected_length(dataset), len(content))
    keyword = _pixel_keyword(header)
    setattr(dataset, keyword, content)
    if keyword == "PixelData":
        dataset[keyword].VR = kind
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pixel_array(dataset)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        if syntax.is_compressed and not _can_decode(syntax):
            raise UnsupportedFormatError(f"its pixels are packed as {syntax.name}. {_EXTRA}") from error
        raise ReadError("its packed pixels are damaged, or packed in a rare way.") from error


def _can_decode(syntax: UID) -> bool:
    """Whether pydicom has a decoder that is installed."""
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _pixel_keyword(header: Header) -> str:
    """Which of the three elements the pixels are in, by its tag."""
    if header.syntax.is_deflated:
        return "PixelData"
    order: Literal["little", "big"] = "little" if header.dataset.original_encoding[1] else "big"
    with header.path.open("rb") as file:
        file.seek(header.start or 0)
        group, element = (int.from_bytes(file.read(2), order) for _ in range(2))
    return pydicom.datadict.keyword_for_tag(group << 16 | element)


def _sizes_alone(header: Header, frames: int) -> Dataset:
    """A data set of sizes and colours and nothing else."""
    dataset = Dataset()
    for keyword in _SIZES:
        if found := numbers(header.dataset, keyword):
            setattr(dataset, keyword, int(found[0]))
    if "NumberOfFrames" in dataset:
        dataset.NumberOfFrames = frames
    dataset.SamplesPerPixel = header.shape[3]
    dataset.BitsAllocated = header.bits
    photometric = next(iter(words(header.dataset, "PhotometricInterpretation")), "")
    grey = header.shape[3] == 1
    dataset.PhotometricInterpretation = "MONOCHROME2" if grey else photometric or "RGB"
    if not grey and "PlanarConfiguration" not in dataset:
        dataset.PlanarConfiguration = 0
    for keyword, default in (("BitsStored", header.bits), ("PixelRepresentation", 0)):
        if keyword not in dataset:
            setattr(dataset, keyword, default)
    if "HighBit" not in dataset:
        dataset.HighBit = dataset.BitsStored - 1
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = header.syntax
    return dataset


def _without_unused_bits(array: NDArray[Any], header: Header) -> NDArray[Any]:
    """The stored bits alone: old files keep drawings (overlays) in the others."""
    low, high = stored_range(header)
    stored = (high - low + 1).bit_length() - 1
    high_bit = int(code(header.dataset, "HighBit") or stored - 1)
    lowest = high_bit == stored - 1
    if array.itemsize * 8 != header.bits or (lowest and array.min() >= low and array.max() <= high):
        return array
    if lowest and not _keeps_overlays(header.dataset):
        unused = array.view(f"u{array.itemsize}") >> stored
        if ((unused != 0) & ((array < low) | (array > high))).any():  # unused bits are zero, or repeat the sign
            text = (
                f"some of its numbers take more than the {stored} bits that its header tells; the others are left out."
            )
            warnings.warn(f"{text} Check its values.", ReadWarning, stacklevel=3)
    left = max(0, header.bits - 1 - high_bit)
    return (array << left) >> (header.bits - stored)


def _keeps_overlays(dataset: Dataset) -> bool:
    """Whether drawings are kept in the bits that pixels leave unused."""
    places = (tag for tag in dataset.keys() if tag.group & 0xFF00 == 0x6000 and tag.element == 0x0102)  # noqa: SIM118
    return any(dataset[tag].value for tag in places)


def _palette_colours(array: NDArray[Any], dataset: Dataset) -> NDArray[np.uint8]:
    """Colours of a palette in eight bits; its entries have 16, or 8 in 16 whatever their descriptor says."""
    colours = apply_color_lut(array, dataset)
    if colours.dtype == np.uint8:
        return colours
    n, first = numbers(dataset, "RedPaletteColorLookupTableDescriptor", 2) or (0, 0)
    entries = apply_color_lut(np.arange(int(first), int(first) + int(n or 1 << 16)), dataset)
    return np.asarray(colours if entries.max() <= 255 else colours >> 8, np.uint8)
