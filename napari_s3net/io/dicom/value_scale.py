"""What the stored values of a DICOM file mean: slope and intercept, Hounsfield units, colours, and white as zero."""

from __future__ import annotations

import warnings

from pydicom.dataset import Dataset

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io.dicom.header import Header, frame_numbers, groups, items, numbers, words
from napari_s3net.io.values import UNSCALED, Scale

#: Modalities whose values have a unit of their own, and stay as they are where white is zero.
HAVE_UNITS = ("CT", "PT", "NM", "RTDOSE")
#: What values of CT are called that are Hounsfield units, modified or not, or of which nothing is said.
_HOUNSFIELD = {"HU", "HU_MOD", "US", ""}


def has_colours(header: Header) -> bool:
    """Whether its pixels are colours, which have no scale of values, though a header may have kept that of its source.

    Parameters
    ----------
    header : Header
        Of a file that holds an image.

    Returns
    -------
    bool
        By the values a pixel, and whether they stand for the colours of a palette.
    """
    palette = words(header.dataset, "PhotometricInterpretation") == ["PALETTE COLOR"]
    return palette or (numbers(header.dataset, "SamplesPerPixel") or (1.0,))[0] > 1


def scale_of(dataset: Dataset, frame: int) -> Scale:
    """Slope and intercept of a frame, or the scaling of a dose.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Of the file.
    frame : int
        From 0.

    Returns
    -------
    Scale
        1 and 0 where none is told.

    Warns
    -----
    ReadWarning
        If the slope is zero.
    """
    if dose := numbers(dataset, "DoseGridScaling"):
        return Scale(dose[0], 0.0)
    slope, intercept = (_told_of_values(dataset, frame, f"Rescale{what}") for what in ("Slope", "Intercept"))
    if slope == 0:
        warnings.warn("its slope is zero, which means nothing; it is taken for 1.", ReadWarning, stacklevel=3)
    return Scale(slope or 1.0, intercept or 0.0)


def _told_of_values(dataset: Dataset, frame: int, keyword: str) -> float | None:
    """Slope or intercept of a frame; None where there is none. One that cannot be understood is no 1 and no 0."""
    if found := frame_numbers(dataset, frame, "PixelValueTransformationSequence", keyword):
        return found[0]
    if any(words(dataset, keyword)):
        raise ReadError("its header is damaged: slope or intercept of its values is no number.")
    return None


def scale_told(dataset: Dataset, frame: int) -> tuple[bool, ...]:
    """Whether slope and intercept of a frame are told.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Of the file.
    frame : int
        From 0.

    Returns
    -------
    tuple of bool
        Of the slope, and of the intercept.
    """
    group = "PixelValueTransformationSequence"
    return tuple(frame_numbers(dataset, frame, group, f"Rescale{what}") is not None for what in ("Slope", "Intercept"))


def _rescale_types(dataset: Dataset) -> set[str]:
    """What the values of the first frame are called."""
    places = [
        place
        for group in groups(dataset, 0)
        for place in (group, *items(group, "PixelValueTransformationSequence")[:1])
    ]
    return {kind for place in places for kind in words(place, "RescaleType")}


def tell_missing_scale(header: Header) -> None:
    """Say that nothing makes Hounsfield units of the stored numbers of a CT.

    Parameters
    ----------
    header : Header
        Of a file that holds an image.

    Warns
    -----
    ReadWarning
        If the values of a CT may be no Hounsfield units.
    """
    told = scale_told(header.dataset, 0)
    if header.modality == "CT" and not _rescale_types(header.dataset) <= _HOUNSFIELD:
        text = "its header says that its values are no Hounsfield units (RescaleType)."
        warnings.warn(text, ReadWarning, stacklevel=3)
    missing = " and ".join(
        f"no {what}" for what, is_told in zip(("slope", "intercept"), told, strict=True) if not is_told
    )
    if header.modality == "CT" and missing and not items(header.dataset, "ModalityLUTSequence"):
        text = f"its header tells {missing}: its values may not be Hounsfield units."
        warnings.warn(text, ReadWarning, stacklevel=3)


def is_turned(header: Header) -> bool:
    """Whether white is zero and the values have no unit, so that they can be turned.

    Parameters
    ----------
    header : Header
        Of a file that holds an image.

    Returns
    -------
    bool
        Whether to turn them.

    Warns
    -----
    ReadWarning
        If white is zero.
    """
    if words(header.dataset, "PhotometricInterpretation") != ["MONOCHROME1"]:
        return False
    is_scaled = scale_of(header.dataset, 0) != UNSCALED or bool(items(header.dataset, "ModalityLUTSequence"))
    has_units = header.modality in HAVE_UNITS or is_scaled
    text = (
        "white is zero (MONOCHROME1); its values have a unit and are left as they are, so that it is shown reversed."
        if has_units
        else "white is zero (MONOCHROME1); its values are turned, so that bright is high, as it is meant to be shown."
    )
    warnings.warn(text, ReadWarning, stacklevel=3)
    return not has_units


def stored_range(header: Header) -> tuple[int, int]:
    """Return the range of the stored numbers, from how many bits are used and whether they are signed.

    Parameters
    ----------
    header : Header
        Of a file that holds an image.

    Returns
    -------
    low, high : int
        The least and the largest number that the stored bits can hold.

    Raises
    ------
    ReadError
        If no bits are stored, by the header.
    """
    bits = int(min(next(iter(numbers(header.dataset, "BitsStored") or ()), header.bits), header.bits))
    if bits < 1:
        raise ReadError(f"its header is damaged: of the {header.bits} bits of each value it stores {bits}.")
    signed = words(header.dataset, "PixelRepresentation") == ["1"]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
