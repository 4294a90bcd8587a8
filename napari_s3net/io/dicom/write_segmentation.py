"""Labels → a DICOM segmentation that refers to the series it was made of, by highdicom (extra `dicom`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net import __version__
from napari_s3net.errors import WriteError
from napari_s3net.image import Geometry
from napari_s3net.io.geometry import Grid, to_file_grid
from napari_s3net.io.validation.limits import shown
from napari_s3net.io.write import replacing
from napari_s3net.segments import GREY, Segment

#: Slices of the series lie on the labels' grid if they are no further off than this, in mm.
SAME_PLACE = 0.05


def write_dicom_segmentation(
    path: Path, labels: NDArray[Any], geometry: Geometry, segments: Sequence[Segment], source: Path
) -> None:
    """Write labels as a DICOM segmentation (binary, one segment a label).

    Parameters
    ----------
    path : Path
        The file; its folder is made where missing.
    labels : numpy.ndarray
        (Z, H, W) whole numbers from 0 on.
    geometry : Geometry
        That of the image.
    segments : sequence of Segment
        One for each label that is to be a segment; they are numbered from 1 in this order.
    source : Path
        The series that was segmented: its folder, or one of its files. The segmentation refers to its slices and takes
        patient and study from them.

    Raises
    ------
    WriteError
        If highdicom is not installed, the source is no DICOM series on the labels' grid, or the place cannot be
        written.
    """
    try:
        import highdicom
    except ImportError as error:
        raise WriteError(
            "Writing DICOM segmentations takes highdicom, which is not installed: pip install 'napari-s3net[dicom]'."
        ) from error
    path = Path(path).absolute()
    array, grid = to_file_grid(labels, geometry)
    datasets, rows = slices_of(path, source, grid, array.shape)
    numbers = np.zeros(1 + max([int(array.max(initial=0)), *(segment.label for segment in segments)]), np.uint8)
    for number, segment in enumerate(segments, start=1):
        numbers[segment.label] = number
    now = datetime.now(tz=UTC).astimezone()
    try:
        made = highdicom.seg.Segmentation(
            source_images=datasets,
            pixel_array=numbers[array[rows]],
            segmentation_type="BINARY",
            segment_descriptions=[_description(segment, n) for n, segment in enumerate(segments, start=1)],
            series_instance_uid=highdicom.UID(),
            series_number=1000,
            series_description="S3-Net segmentation",
            series_date=now.date(),
            series_time=now.time(),
            sop_instance_uid=highdicom.UID(),
            instance_number=1,
            manufacturer="napari-s3net",
            manufacturer_model_name="napari-s3net",
            software_versions=__version__,
            device_serial_number="0",
            content_label="SEGMENTATION",
            content_description="Label-free segmentation",
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WriteError(
            f"Cannot write {shown(path)}: the headers of {source.name} do not suffice for a segmentation to refer to: "
            f"{type(error).__name__} {error}."
        ) from error
    with replacing(path, ".dcm") as temporary:
        made.save_as(temporary)


def _description(segment: Segment, number: int) -> Any:
    """A segment with its name, colour and codes."""
    import highdicom
    from highdicom.color import CIELabColor
    from highdicom.sr import CodedConcept

    category, kind = (CodedConcept(code.value, code.scheme, code.meaning) for code in segment.category_and_type)
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="S3-Net",
        version=__version__,
        family=CodedConcept("123110", "DCM", "Artificial Intelligence"),
    )
    made = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.name[:64] or f"Segment {number}",
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        display_color=CIELabColor.from_rgb(*(segment.colour or GREY)),
    )
    made.SegmentDescription = made.SegmentLabel
    return made


def slices_of(path: Path, source: Path, grid: Grid, shape: tuple[int, ...]) -> tuple[list[Any], list[int]]:
    """Find the slices of a series that lie on a grid of labels.

    Parameters
    ----------
    path : Path
        What is to be written, for the message.
    source : Path
        The folder of the series, or one of its files.
    grid : Grid
        That of the labels, as in a file.
    shape : tuple of int
        Of the labels on it.

    Returns
    -------
    datasets : list of pydicom.Dataset
        Their headers, in the order of the planes.
    planes : list of int
        The plane of each.

    Raises
    ------
    WriteError
        If a plane has no slice, or the slices of several series.
    """
    spacing, origin = np.asarray(grid.spacing, float), np.asarray(grid.origin, float)
    direction = np.asarray(grid.direction, float).reshape(3, 3)
    series: dict[str, dict[int, Any]] = {}
    for dataset in _datasets(source):
        place = np.linalg.solve(direction, np.asarray(dataset.ImagePositionPatient, float) - origin) / spacing
        row = round(float(place[2]))
        on_grid = np.abs(place - [0, 0, row]) @ np.abs(spacing) <= SAME_PLACE
        if on_grid and 0 <= row < shape[0] and (dataset.Rows, dataset.Columns) == shape[1:]:
            series.setdefault(str(dataset.get("SeriesInstanceUID", "")), {})[row] = dataset
    found = max(series.values(), key=len, default={})
    if len(found) == shape[0] and sum(len(one) == shape[0] for one in series.values()) > 1:
        raise WriteError(
            f"Cannot write {shown(path)}: it refers to the DICOM series that was segmented, and {source.name} holds "
            f"{len(series)} series at the place of these labels. Put that series into a folder of its own."
        )
    if len(found) != shape[0]:
        raise WriteError(
            f"Cannot write {shown(path)}: it refers to the DICOM series that was segmented. Of {shape[0]} "
            f"slices of {shape[1]} × {shape[2]} pixels, {source.name} has {len(found)} at the place of these labels."
        )
    rows = sorted(found)
    return [found[row] for row in rows], rows


def _datasets(source: Path) -> Iterable[Any]:
    """Slices in a folder, or in the folder of a file, that say where they lie."""
    import pydicom

    folder = source if source.is_dir() else source.parent
    for file in sorted(folder.iterdir()):
        if not file.is_file():
            continue
        try:
            dataset = pydicom.dcmread(file, stop_before_pixels=True)
        except (pydicom.errors.InvalidDicomError, OSError):
            continue
        if "ImagePositionPatient" in dataset and "Rows" in dataset:
            for name in ("SOPClassUID", "SOPInstanceUID"):  # some series say these in the files' own header only
                if not dataset.get(name):
                    setattr(dataset, name, dataset.file_meta.get(f"MediaStorage{name}", ""))
            yield dataset
