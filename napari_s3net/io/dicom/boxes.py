"""Which planes of a series make one volume: alike, one at each place, evenly spaced, and not shifted sideways.

A series is not always a box. What belongs together is sorted out, the largest part is opened, and what was left out is
named. Shifted planes (a tilted gantry) and planes at slightly uneven distances are resampled, with a word.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io.dicom.dimensions import split_by_dimensions
from napari_s3net.io.dicom.header import numbers, words
from napari_s3net.io.dicom.planes import TELLS, DicomPlane
from napari_s3net.io.validation.limits import shown

#: Planes nearer than this lie at one place, in mm, or than this share of a pixel or slice where these are tiny.
SAME_PLACE, SAME_SHARE = 0.01, 0.1
#: Gaps that differ by less than this share of a step, or less than two places that are one, are equal: headers round.
EVEN = 0.01
#: Gaps that differ by no more than this share of a step can be resampled; beyond it planes are missing.
RESAMPLED = 0.5
#: Sideways shifts below this share of a pixel are none.
SHIFT = 0.25
#: How far a direction cosine or a spacing may differ between planes that are alike; headers round to 3 decimals.
ALIKE = 2e-3
#: Modalities that take slices: without positions their numbers tell the order.
SLICES = ("CT", "MR", "PT", "NM")


@dataclass(frozen=True, eq=False)
class Box:
    """Planes that make one volume.

    Parameters
    ----------
    planes : list of DicomPlane
        In the order of space, or of their numbers where they have no place.
    step : float or None
        Distance from plane to plane in mm; None where no element tells.
    heights : numpy.ndarray or None
        (n,) places along the normal in mm, where they are not even and have to be resampled.
    shifts : numpy.ndarray or None
        (n, 2) places along a column and along a row, in mm, where planes are shifted sideways.
    """

    planes: list[DicomPlane]
    step: float | None = None
    heights: NDArray[np.float64] | None = None
    shifts: NDArray[np.float64] | None = None


def main_box(planes: Sequence[DicomPlane]) -> Box:
    """Find the planes that make a volume; where a series holds several volumes, the one with most planes.

    Parameters
    ----------
    planes : sequence of DicomPlane
        Of one series, in the order of files and frames.

    Returns
    -------
    Box
        Planes of one size, orientation and spacing, one at each place, in the order of space; a single plane is a box
        too.

    Raises
    ------
    ReadError
        If they make no volume: several at one place that nothing tells apart, or at odd distances, or without places.

    Warns
    -----
    ReadWarning
        If planes are left out (other sizes or orientations, a localizer, other echoes or times, beyond a gap), if they
        have to be resampled, or if they name several frames of reference.
    """
    parts = _alike(planes)
    main = max(parts, key=len)
    _tell_left_out([plane for part in parts if part is not main for plane in part], _difference(main, parts))
    if len(main) == 1:
        return Box(main)
    if any(plane.place is None for plane in main):
        return _without_places(main)
    main = _one_at_each_place(main)
    if len(set(_named(main, "FrameOfReferenceUID"))) > 1:
        text = "its slices name several frames of reference: whether they lie together is not certain. Check them."
        warnings.warn(text, ReadWarning, stacklevel=2)
    return _even_box(sorted(main, key=_height)) if len(main) > 1 else Box(main)


def _alike(planes: Sequence[DicomPlane]) -> list[list[DicomPlane]]:
    """Planes of one size, spacing, orientation and purpose together, in their order."""
    parts: list[list[DicomPlane]] = []
    for plane in planes:
        part = next((part for part in parts if _are_alike(part[0], plane)), None)
        if part is None:
            parts.append([plane])
        else:
            part.append(plane)
    return parts


def _are_alike(one: DicomPlane, other: DicomPlane) -> bool:
    """Whether two planes could be slices of one volume."""
    if one.header is not other.header and one.header.shape[1:] != other.header.shape[1:]:
        return False
    if one.is_localizer != other.is_localizer or _is_of_another(one, other):
        return False
    angles = [None if plane.place is None else plane.place.axes for plane in (one, other)]
    return _near(*angles) and _near(one.spacing, other.spacing)


def _is_of_another(one: DicomPlane, other: DicomPlane) -> bool:
    """Whether two planes are of different patients or studies, which have got the same series UID by a mistake."""
    if one.header is other.header:
        return False
    told = ([words(plane.header.dataset, key) for plane in (one, other)] for key in ("PatientID", "StudyInstanceUID"))
    return any(first != second for first, second in told if any(first) and any(second))


def _named(planes: Sequence[DicomPlane], keyword: str) -> list[str]:
    """What the files of planes say, those left out that say nothing."""
    headers = dict.fromkeys(plane.header for plane in planes)
    return [text for header in headers if (text := "".join(words(header.dataset, keyword)))]


def _near(one: ArrayLike | None, other: ArrayLike | None) -> bool:
    """Whether two elements say the same, as far as headers are exact."""
    if one is None or other is None:
        return one is other
    difference = np.abs(np.asarray(one, float) - np.asarray(other, float))
    return bool((difference <= ALIKE * (1 + np.abs(other))).all())


def _difference(main: list[DicomPlane], parts: list[list[DicomPlane]]) -> str:
    """In what the planes that are left out differ."""
    others = [part[0] for part in parts if part is not main]
    if any(plane.is_localizer and not main[0].is_localizer for plane in others):
        return "a localizer"
    if any(_is_of_another(plane, main[0]) for plane in others):
        return "of another patient or study"
    if any(plane.header.shape[1:] != main[0].header.shape[1:] for plane in others):
        return "of another size"
    return "of another orientation or spacing"


def _tell_left_out(planes: list[DicomPlane], why: str) -> None:
    """Name what is not opened."""
    if planes:
        n = len(planes)
        text = f"{n} of its images {'is' if n == 1 else 'are'} left out ({why}): {file_names(planes)}."
        warnings.warn(text, ReadWarning, stacklevel=3)


def file_names(planes: Sequence[DicomPlane]) -> str:
    """Name the files of planes, three at most; frames by their numbers where all are of one file.

    Parameters
    ----------
    planes : sequence of DicomPlane
        At least one.

    Returns
    -------
    str
        "IM001, IM002, IM003 and 4 more", without folders.
    """
    if len({plane.header.path for plane in planes}) == 1 and planes[0].header.frames > 1:
        names = [f"frame {plane.frame + 1}" for plane in planes]
    else:
        names = list(dict.fromkeys(shown(plane.header.path) for plane in planes))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _without_places(planes: list[DicomPlane]) -> Box:
    """Frames of one file in their order; slices of several files by their numbers."""
    if len({plane.header.path for plane in planes}) == 1:
        size = f", each {planes[0].spacing[0]:.4g} × {planes[0].spacing[1]:.4g} mm" if planes[0].spacing else ""
        warnings.warn(
            f"its {len(planes)} frames do not tell how far apart they lie (as in a film): sizes are in pixels{size}.",
            ReadWarning,
            stacklevel=3,
        )
        return Box(planes)
    order = [numbers(plane.header.dataset, "InstanceNumber") for plane in planes]
    if planes[0].header.modality not in SLICES or None in order or len(set(order)) < len(planes):
        raise ReadError(
            f"its {len(planes)} images do not tell where they lie, so they make no volume. Open them one by one."
        )
    text = "its images do not tell where they lie: they are in the order of their numbers, and sizes are in pixels."
    warnings.warn(text, ReadWarning, stacklevel=3)
    return Box([plane for _, plane in sorted(zip(order, planes, strict=True), key=lambda pair: pair[0] or ())])


def _one_at_each_place(planes: list[DicomPlane]) -> list[DicomPlane]:
    """Of several echoes, times or kinds at the same places the first."""
    places = _distinct(planes)
    if places == len(planes):
        return planes
    if copies := [plane for plane in planes if plane is not _first_of(planes, plane)]:
        _tell_left_out(copies, "copies of others")
        return _one_at_each_place([plane for plane in planes if plane is _first_of(planes, plane)])
    told = ((name, _split(planes, keyword)) for keyword, name in TELLS.items())
    for name, parts in chain(told, split_by_dimensions(planes)):
        first = max(parts, key=_distinct)
        if len(parts) > 1 and _distinct(first) == places:
            _tell_left_out([plane for part in parts if part is not first for plane in part], f"other {name}")
            return _one_at_each_place(first)
    if first := _first_of_each_beat(planes):
        _tell_left_out([plane for plane in planes if plane not in first], "other times")
        return first
    low, high = _nearest_pair(planes)
    raise ReadError(
        "two of its images lie at the same place, and nothing tells them apart: "
        f"{file_names([low])} and {file_names([high])}. "
        "Remove one of them, or open them one by one."
    )


def _first_of_each_beat(planes: list[DicomPlane]) -> list[DicomPlane]:
    """The earliest at each place where all have as many, told apart by times of their own after the heart's beat."""
    times = [numbers(plane.header.dataset, "TriggerTime") for plane in planes]
    order = np.argsort([_height(plane) for plane in planes], kind="stable")
    gaps = np.diff([_height(planes[at]) for at in order])
    parts = [part.tolist() for part in np.split(order, np.flatnonzero(gaps > _same_place(planes[0])) + 1)]
    if None in times or any({len(part), len({times[at] for at in part})} != {len(parts[0])} for part in parts):
        return []
    return [planes[min(part, key=lambda at: times[at] or ())] for part in parts]


def _first_of(planes: list[DicomPlane], plane: DicomPlane) -> DicomPlane:
    """The first plane that is the same image at the same place: one file that lies there twice."""
    identity = _identity(plane)
    same = (
        other
        for other in planes
        if identity and other.frame == plane.frame and _identity(other) == identity
        if abs(_height(other) - _height(plane)) <= _same_place(plane)
    )
    return next(same, plane)


def _identity(plane: DicomPlane) -> str:
    """The id of a plane's file, which no other image should have; by a mistake all slices may have one."""
    return str(plane.header.dataset.get("SOPInstanceUID", ""))


def _split(planes: list[DicomPlane], keyword: str) -> list[list[DicomPlane]]:
    """Planes of which an element says the same together."""
    parts: dict[str, list[DicomPlane]] = {}
    for plane in planes:
        parts.setdefault(plane.tell(keyword), []).append(plane)
    return list(parts.values())


def _height(plane: DicomPlane) -> float:
    """Where a plane lies along its normal, in mm."""
    return plane.place.height if plane.place else 0.0


def _distinct(planes: list[DicomPlane]) -> int:
    """At how many different places planes lie."""
    heights = np.sort([_height(plane) for plane in planes])
    return 1 + int(np.count_nonzero(np.diff(heights) > _same_place(planes[0])))


def _same_place(plane: DicomPlane) -> float:
    """Up to which distance two planes lie at one place, in mm: less than usual in a micro-CT."""
    sizes: tuple[float, ...] = (*(plane.spacing or ()), plane.thickness)
    return min(SAME_PLACE, SAME_SHARE * min(sizes))


def _nearest_pair(planes: list[DicomPlane]) -> tuple[DicomPlane, DicomPlane]:
    """The two planes that are nearest to each other."""
    ordered = sorted(planes, key=_height)
    gaps = np.diff([_height(plane) for plane in ordered])
    at = int(np.argmin(gaps))
    return ordered[at], ordered[at + 1]


def _even_box(planes: list[DicomPlane]) -> Box:
    """The longest run of planes at even distances; all of them where the distances differ but little."""
    heights = np.array([_height(plane) for plane in planes])
    gaps = np.diff(heights)
    near = 2 * _same_place(planes[0])
    step = _usual(gaps, near)
    even = np.abs(gaps - step) <= max(near, EVEN * step)
    said = f"its slices are unevenly spaced, {gaps.min():.4g} to {gaps.max():.4g} mm"
    if even.all():
        return Box(planes, float(np.mean(gaps)), shifts=_shifts(planes))
    if np.abs(gaps - (median := float(np.median(gaps)))).max() <= RESAMPLED * median and np.mean(even) < 0.75:
        warnings.warn(f"{said}: they are resampled to {median:.4g} mm.", ReadWarning, stacklevel=3)
        return Box(planes, median, heights, _shifts(planes))
    start, end = _longest_run(even)
    kept = planes[start : end + 1]
    if 2 * len(kept) < len(planes) or len(kept) < 2:
        raise ReadError(f"{said}, and make no volume.")
    warnings.warn(f"{said}: some may be missing. The {len(kept)} that are even are opened.", ReadWarning, stacklevel=3)
    _tell_left_out([plane for plane in planes if plane not in kept], "beyond a gap")
    return Box(kept, float(np.mean(gaps[start:end])), shifts=_shifts(kept))


def _usual(gaps: NDArray[np.float64], near: float) -> float:
    """The gap that most of the others equal."""
    equal = np.abs(gaps[:, np.newaxis] - gaps) <= np.maximum(near, EVEN * gaps)
    return float(gaps[np.argmax(equal.sum(1))])


def _longest_run(even: NDArray[np.bool_]) -> tuple[int, int]:
    """First and last plane of the longest run of even gaps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], even, [False]])))
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def _shifts(planes: list[DicomPlane]) -> NDArray[np.float64] | None:
    """How far each plane is shifted sideways, in mm along a column and along a row; None where none is."""
    first, places = planes[0], [plane.place for plane in planes if plane.place]
    away = np.array([place.position for place in places]) - places[0].position
    shifts = np.stack([away @ places[0].axes[1], away @ places[0].axes[0]], axis=1)
    spacing = np.array(first.spacing or (1.0, 1.0))
    if (np.abs(shifts) <= SHIFT * spacing).all():
        return None
    size = spacing * first.header.shape[1:3]
    if (np.ptp(shifts, axis=0) > size / 2).any() or first.header.shape[3] > 1:
        raise ReadError(f"its slices are shifted sideways by up to {np.abs(shifts).max():.4g} mm, and make no volume.")
    heights = [place.height for place in places]
    lines = [np.polyfit(heights, shift, 1) for shift in shifts.T]
    straight = np.stack([np.polyval(line, heights) for line in lines], axis=1)
    angle = np.degrees(np.arctan(np.hypot(*(line[0] for line in lines))))
    why = (
        f"its slices are tilted by {angle:.3g}° against their stack (a tilted gantry)"
        if (np.abs(shifts - straight) <= SHIFT * spacing).all()
        else f"its slices are shifted sideways by up to {np.abs(shifts).max():.4g} mm"
    )
    warnings.warn(f"{why}: they are moved to where they lie, and resampled.", ReadWarning, stacklevel=3)
    return shifts


def resample(array: NDArray[Any], box: Box) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Move shifted planes to where they lie and bring uneven ones to even distances, by linear interpolation.

    Parameters
    ----------
    array : numpy.ndarray
        (n, rows, columns), the planes of the box.
    box : Box
        Whose `shifts`, `heights` and `step` say where the planes lie; what is None is left as it is.

    Returns
    -------
    array : numpy.ndarray
        (m, rows', columns') of the same type; what no plane covers gets the least value.
    offset : numpy.ndarray
        (2,), by how much the first pixel has moved along a column and along a row, in mm.
    """
    from scipy import ndimage

    offset, dtype = np.zeros(2), array.dtype
    if box.shifts is not None:
        spacing = np.array(box.planes[0].spacing or (1.0, 1.0))
        offset = box.shifts.min(0)
        moves = (box.shifts - offset) / spacing
        margin = np.ceil(moves.max(0)).astype(int)
        low = array.min()
        padded = np.pad(array, ((0, 0), (0, margin[0]), (0, margin[1])), constant_values=low)
        moved = [
            _as_type(ndimage.shift(plane.astype(float), move, order=1, mode="constant", cval=float(low)), dtype)
            for plane, move in zip(padded, moves, strict=True)
        ]
        array = np.stack(moved)
    if box.heights is not None and box.step:
        n = 1 + round(float(np.ptp(box.heights)) / box.step)
        wanted = np.interp(box.heights[0] + box.step * np.arange(n), box.heights, np.arange(len(array)))
        below = np.minimum(wanted.astype(int), len(array) - 2)
        share = (wanted - below).reshape(-1, 1, 1)
        array = _as_type(array[below] * (1 - share) + array[below + 1] * share, dtype)
    return array, offset


def _as_type(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Rounded where the type is one of whole numbers."""
    return np.rint(array).astype(dtype) if dtype.kind in "iu" else array.astype(dtype)
