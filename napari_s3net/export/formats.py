"""Further formats of a result: DICOM-SEG, RTSTRUCT, Slicer's, COCO, surfaces, slices. Names and colours go along."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_s3net import io
from napari_s3net.errors import WriteError
from napari_s3net.export.coco import coco_annotations
from napari_s3net.export.surface import write_surface
from napari_s3net.io.write_volume import NO_ONE_PLACE, lies_in_one_place
from napari_s3net.labels.surface import surface_of
from napari_s3net.result import Segmentation
from napari_s3net.segments import Segment, name_of_label

#: Formats by name, with what their files end in; of `png` the folder of its slices.
FORMATS = {
    "dicom-seg": ".seg.dcm",
    "rtstruct": ".rtstruct.dcm",
    "seg.nrrd": ".seg.nrrd",
    "coco": ".coco.json",
    "stl": ".stl",
    "ply": ".ply",
    "png": "_slices",
}
#: The object's labels, as in the viewer; and those of the rest, for colour-blind people too (Okabe and Ito 2008).
OBJECT_COLOURS = ((25, 195, 242), (120, 220, 250), (0, 130, 190), (70, 170, 255))
OTHER_COLOURS = ((230, 159, 0), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167), (150, 150, 150))


def segments_of(result: Segmentation) -> list[Segment]:
    """Say how other programs call and colour the labels of a result.

    Parameters
    ----------
    result : Segmentation
        Labels without a colour of their own get one by the side that they are on.

    Returns
    -------
    list of Segment
        One for each label that has a name, though it be empty; by label.
    """
    segments, counts = [], {True: 0, False: 0}
    for label in sorted(result.names):
        is_object = label in result.foreground
        family = OBJECT_COLOURS if is_object else OTHER_COLOURS
        colour = result.colours.get(label, family[counts[is_object] % len(family)])
        counts[is_object] += 1
        name = result.names[label] or name_of_label(label)
        segments.append(Segment(label, name, colour, is_object, result.codes.get(label)))
    return segments


def with_segments(result: Segmentation, segments: Iterable[Segment]) -> Segmentation:
    """Take over what a file tells of the labels of a result; the reverse of `segments_of`.

    Parameters
    ----------
    result : Segmentation
        What is known of its labels besides stays as it is.
    segments : iterable of Segment
        As `read_labels` gives them. What they tell comes before what the result knows.

    Returns
    -------
    Segmentation
        A copy. Names, colours and codes that it would be written with anyway are not made its own.
    """
    known = {one.label: one for one in segments_of(result)}
    names, colours, codes = dict(result.names), dict(result.colours), dict(result.codes)
    for one in segments:
        before = known.get(one.label, Segment(one.label, ""))
        names[one.label] = one.own_name or names.get(one.label, "")
        if one.colour not in (None, before.colour):
            colours[one.label] = one.colour
        named = Segment(one.label, names[one.label], codes=codes.get(one.label))
        if one.codes not in (None, named.category_and_type):
            codes[one.label] = one.codes
    return replace(result, names=names, colours=colours, codes=codes)


def mask_segment(object_name: str) -> Segment:
    """Say how other programs call and colour the mask of a result.

    Parameters
    ----------
    object_name : str
        What the object as a whole is called.

    Returns
    -------
    Segment
        The one of a mask.
    """
    return Segment(1, object_name, OBJECT_COLOURS[0])


def write_formats(
    directory: Path,
    stem: str,
    result: Segmentation,
    formats: Collection[str],
    source: Path | None = None,
) -> list[Path]:
    """Write a result in further formats.

    Parameters
    ----------
    directory : Path
        Made where missing.
    stem : str
        Of every file.
    result : Segmentation
        Surfaces are those of its object; the others hold every label.
    formats : collection of str
        Names in `FORMATS`.
    source : Path, optional
        The DICOM series that was segmented; needed for "dicom-seg" and "rtstruct" only.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    WriteError
        If there is no such format, the result does not suit it, or the place cannot be written.
    InvalidImageError
        If a surface is asked for and there is no object, or no volume.
    """
    segments, written = segments_of(result), []
    for name in formats:
        if name not in FORMATS:
            raise WriteError(f"There is no format {name!r}. Formats are: {', '.join(FORMATS)}.")
        path = directory / f"{stem}{FORMATS[name]}"
        _write(name, path, result, segments, source)
        written.append(path)
    return written


def _write(name: str, path: Path, result: Segmentation, segments: list[Segment], source: Path | None) -> None:
    if name == "seg.nrrd":
        named = np.where(np.isin(result.labels, list(result.names)), result.labels, 0)
        io.write_labels(path, named, result.geometry, segments=segments)
    elif name == "coco":
        io.write_json(path, _coco(path, result, segments))
    elif name == "png":
        first = result.provenance.slice or 0
        io.write_label_slices(path, result.labels, result.geometry, segments=segments, first=first)
    elif name in ("dicom-seg", "rtstruct"):
        if source is None:
            raise WriteError(f"Cannot write {path.name}: it refers to the DICOM series that was segmented; got none.")
        if (result.geometry.volume or result.geometry).ndim != 3:
            raise WriteError(
                f"Cannot write {path.name}: it refers to slices of a DICOM series, which have a place in space; a "
                "single picture has none."
            )
        from napari_s3net.io.dicom.write_contours import write_dicom_contours
        from napari_s3net.io.dicom.write_segmentation import write_dicom_segmentation

        write = write_dicom_segmentation if name == "dicom-seg" else write_dicom_contours
        write(path, result.labels, result.geometry, segments, source)
    else:
        if not lies_in_one_place(result.labels, result.geometry):
            raise WriteError(f"Cannot write {path.name}: {NO_ONE_PLACE}")
        colour = next((one.colour for one in segments if one.is_object and one.colour), OBJECT_COLOURS[0])
        geometry = result.geometry.in_file_unit()
        unit = geometry.file_unit if geometry.unit == "mm" else "voxels"
        write_surface(path, *surface_of(result.mask, geometry), colour=colour, unit=unit)


def _coco(path: Path, result: Segmentation, segments: list[Segment]) -> dict[str, Any]:
    """Annotations that name the image, and of a part of it which volume and which slices they are of."""
    made = result.provenance
    name = (made.source or path.stem) + ("" if made.time is None else f", volume {made.time}")
    axis = 0 if made.axis is None else made.axis - (made.time is not None)
    return coco_annotations(result.labels, segments, name, first=made.slice, axis=axis)
