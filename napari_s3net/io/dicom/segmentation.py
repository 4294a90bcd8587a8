"""DICOM segmentations: frames of segments → one label array on an even grid."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.image import Geometry
from napari_s3net.io.dicom.boxes import SAME_PLACE
from napari_s3net.io.dicom.header import LABELS, Header, groups, items, numbers, read_header, why_no_image, words
from napari_s3net.io.dicom.pixels import decode_frames
from napari_s3net.io.dicom.planes import DicomPlane, planes_of
from napari_s3net.io.geometry import Grid, to_upright
from napari_s3net.io.validation.limits import check_memory
from napari_s3net.segments import Code, Colour, Segment

#: A segment of shares (FRACTIONAL) covers what has at least this part of the largest share.
HALF = 0.5
#: Distances between frames may differ by this share of a step from a whole number of steps.
UNEVEN = 0.1


def read_segmentation(path: Path) -> tuple[NDArray[Any], Geometry, list[Segment]]:
    """Read a DICOM segmentation: binary, of shares (fractional), or a label map.

    Parameters
    ----------
    path : Path
        A DICOM file.

    Returns
    -------
    labels : numpy.ndarray
        (Z, H, W), or (H, W) of one plane; whole numbers, 0 where nothing is labelled. On the grid of the frames that
        are stored (a slice without any segment has no frame), upright. Of shares, at least half of the largest share
        counts as inside; where segments overlap, the higher number stays.
    geometry : Geometry
        Where they lie.
    segments : list of Segment
        Names, colours and codes, as far as the file tells them.

    Raises
    ------
    UnsupportedFormatError
        If the file is no segmentation, or its frames do not tell where they lie.
    ReadError
        If it is damaged, or its frames lie on no even grid.

    Warns
    -----
    ReadWarning
        If segments overlap.
    """
    header = read_header(path)
    if header.object_id not in LABELS:
        raise UnsupportedFormatError("it is a DICOM file, but no segmentation.")
    if reason := why_no_image(header):
        raise ReadError(reason)
    planes = planes_of(header)
    first = planes[0]
    if first.place is None or first.spacing is None:
        raise UnsupportedFormatError("its frames do not tell where they lie.")
    rows_of, step = _rows(planes, first)
    _, rows, columns, _ = header.shape
    check_memory((max(rows_of) + 1, rows, columns), 2)
    labels = _joined(header, rows_of)
    lowest = planes[rows_of.index(0)].place or first.place
    axes = np.stack([*first.place.axes, first.place.normal], axis=1)
    grid = Grid(np.array([first.spacing[1], first.spacing[0], step]), lowest.position, axes)
    array, geometry = to_upright(labels, grid)
    return array, geometry, _segments(header)


def _rows(planes: list[DicomPlane], first: DicomPlane) -> tuple[list[int], float]:
    """The slice of each frame, from 0, and the distance between slices."""
    heights = np.array([plane.place.height if plane.place else 0.0 for plane in planes])
    heights -= heights.min()
    order = np.argsort(heights, kind="stable")
    gaps = np.diff(heights[order], prepend=0.0)
    apart = gaps[gaps > SAME_PLACE]
    if not apart.size:
        return [0] * len(planes), first.thickness
    told = _told_step(first)
    # A slice without any segment has no frame: the usual distance is told, or else the least between frames.
    step = told if told and _are_multiples(apart, told) else float(apart.min())
    if not _are_multiples(apart, step):
        raise ReadError("its frames do not lie on an even grid.")
    rows = np.empty(len(planes), int)
    rows[order] = np.cumsum(np.where(gaps > SAME_PLACE, np.round(gaps / step), 0))
    return rows.tolist(), float(heights.max() / rows.max())


def _told_step(plane: DicomPlane) -> float | None:
    """The distance between slices in mm, as the file tells it."""
    for group in groups(plane.header.dataset, plane.frame):
        for item in items(group, "PixelMeasuresSequence")[:1]:
            if found := numbers(item, "SpacingBetweenSlices"):
                return abs(found[0]) or None
    return None


def _are_multiples(gaps: NDArray[np.float64], step: float) -> bool:
    """Whether distances are whole numbers of steps, one at least."""
    steps = gaps / step
    return bool((np.abs(steps - np.round(steps)) <= UNEVEN).all() and (np.round(steps) >= 1).all())


def _joined(header: Header, rows_of: list[int]) -> NDArray[Any]:
    """One label array of all frames."""
    frames = decode_frames(header)
    kind = next(iter(words(header.dataset, "SegmentationType")), "BINARY")
    if kind == "LABELMAP":
        labels = np.zeros((max(rows_of) + 1, *frames.shape[1:]), frames.dtype)
        for row, frame in zip(rows_of, frames, strict=True):
            labels[row] = frame
        return labels
    most = (numbers(header.dataset, "MaximumFractionalValue") or (1.0,))[0] if kind == "FRACTIONAL" else 1.0
    segments = [_segment(header, frame) for frame in range(len(frames))]
    labels = np.zeros((max(rows_of) + 1, *frames.shape[1:]), np.min_scalar_type(max(segments)))
    overlap = False
    for segment, row, frame in sorted(zip(segments, rows_of, frames, strict=True), key=lambda item: item[:2]):
        inside = frame >= HALF * most
        overlap |= bool((labels[row][inside] != 0).any())
        labels[row][inside] = segment
    if overlap:
        text = "some of its segments overlap; where they do, the one with the higher number is kept."
        warnings.warn(text, ReadWarning, stacklevel=3)
    return labels


def _segment(header: Header, frame: int) -> int:
    """The number of the segment that a frame belongs to."""
    for group in groups(header.dataset, frame):
        for item in items(group, "SegmentIdentificationSequence")[:1]:
            if (found := numbers(item, "ReferencedSegmentNumber")) and found[0] >= 1:
                return int(found[0])
    raise ReadError("its header is damaged: a frame does not say to which segment it belongs.")


def _segments(header: Header) -> list[Segment]:
    """What the file tells of its segments."""
    segments = []
    for item in items(header.dataset, "SegmentSequence"):
        if found := numbers(item, "SegmentNumber"):
            name = "".join(c for c in str(item.get("SegmentLabel", "")) if c.isprintable())
            category, kind = (_code(item, f"SegmentedProperty{what}CodeSequence") for what in ("Category", "Type"))
            known = None if category is None or kind is None else (category, kind)
            segments.append(Segment(int(found[0]), name, _colour(item), codes=known))
    return segments


def _code(item: Any, keyword: str) -> Code | None:
    """A code of a segment; None where it is not whole."""
    code: Any = next(iter(items(item, keyword)), {})
    parts = [str(code.get(name, "")) for name in ("CodeValue", "CodeMeaning", "CodingSchemeDesignator")]
    return Code(*parts) if all(parts) else None


def _colour(item: Any) -> Colour | None:
    """The colour that is recommended, from CIELab in 16 bits (DICOM PS3.3, C.10.7.1.1) to red, green and blue."""
    lab = numbers(item, "RecommendedDisplayCIELabValue", 3)
    if lab is None:
        return None
    from skimage.color import lab2rgb

    scaled = np.array([lab[0] * 100, lab[1] * 255, lab[2] * 255]) / 65535 - [0, 128, 128]
    red, green, blue = np.clip(np.rint(255 * lab2rgb(scaled)), 0, 255).astype(int).tolist()
    return red, green, blue
