"""What tells the frames of an enhanced file apart where it only numbers them (DICOM part 3, C.7.6.17)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydicom.datadict import keyword_for_tag

from napari_s3net.io.dicom.header import items
from napari_s3net.io.dicom.planes import TELLS, DicomPlane

#: Dimensions along which frames lie at places of their own: such frames at one place contradict each other.
_SPATIAL = (
    "InStackPositionNumber", "ImagePositionPatient", "PlanePositionSequence", "ImageOrientationPatient",
    "ImagePositionVolume", "SliceLocation",
)  # fmt: skip


def split_by_dimensions(planes: Sequence[DicomPlane]) -> Iterator[tuple[str, list[list[DicomPlane]]]]:
    """Go through the dimensions by which the frames of a file are numbered, but for those of space.

    Parameters
    ----------
    planes : sequence of DicomPlane
        Nothing comes of planes of several files, or where one of them is not numbered along each dimension.

    Yields
    ------
    name : str
        What frames with another number are called.
    parts : list of list of DicomPlane
        Frames of one number together, the lowest number first.
    """
    dimensions = items(planes[0].header.dataset, "DimensionIndexSequence")
    numbered = [plane.tell("DimensionIndexValues").split("\\") for plane in planes]
    if len({plane.header for plane in planes}) > 1 or not all(
        len(values) == len(dimensions) and all(value.isdigit() for value in values) for values in numbered
    ):
        return
    for place, dimension in enumerate(dimensions):
        element = keyword_for_tag(dimension.get("DimensionIndexPointer", 0))
        if element in _SPATIAL:
            continue
        parts: dict[int, list[DicomPlane]] = {}
        for plane, values in zip(planes, numbered, strict=True):
            parts.setdefault(int(values[place]), []).append(plane)
        yield TELLS.get(element, "kinds of frame"), [parts[number] for number in sorted(parts)]
