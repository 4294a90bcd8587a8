"""Labels → a DICOM segmentation that refers to the series it was made of, by highdicom (extra `dicom`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_s3net import __version__
from napari_s3net.errors import WriteError
from napari_s3net.image import Geometry
from napari_s3net.io.dicom.sources import numbered, slices_of, text_for_dicom, untold
from napari_s3net.io.geometry import to_file_grid
from napari_s3net.io.validation.limits import shown
from napari_s3net.io.write import replacing
from napari_s3net.segments import GREY, Segment

#: Segments of a file are numbered by 16 bits.
MOST_SEGMENTS = 65535


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
        import highdicom  # noqa: F401
    except ImportError as error:
        raise WriteError(
            "Writing DICOM segmentations takes highdicom, which is not installed: pip install 'napari-s3net[dicom]'."
        ) from error
    path = Path(path).absolute()
    if not 0 < len(segments) <= MOST_SEGMENTS:
        raise WriteError(
            f"Cannot write {shown(path)}: a segmentation takes 1 to {MOST_SEGMENTS} segments; got {len(segments)}."
        )
    array, grid = to_file_grid(labels, geometry)
    with untold():
        datasets, rows = slices_of(path, array, grid, segments, source)
        made = _segmentation(path, numbered(array, segments)[rows], segments, datasets, source)
        with replacing(path, ".dcm") as temporary:
            made.save_as(temporary)


def _segmentation(
    path: Path, numbers: NDArray[Any], segments: Sequence[Segment], datasets: Sequence[Any], source: Path
) -> Any:
    """The segmentation of slices; what highdicom says against it is not quoted, for it may hold a name."""
    import highdicom

    now = datetime.now(tz=UTC).astimezone()
    try:
        made = highdicom.seg.Segmentation(
            source_images=datasets,
            pixel_array=numbers,
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
            f"Cannot write {shown(path)}: the headers of {source.name} lack something that a segmentation refers to, "
            f"or have it in a form that DICOM does not know ({type(error).__name__}). Save NIfTI or .seg.nrrd."
        ) from None
    made.SpecificCharacterSet = "ISO_IR 192"
    return made


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
        segment_label=text_for_dicom(segment),
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        display_color=CIELabColor.from_rgb(*(segment.colour or GREY)),
    )
    made.SegmentDescription = made.SegmentLabel
    return made
