"""Labels → a DICOM structure set (RTSTRUCT): contours on the series, by plastimatch (extra `rtstruct`)."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import WriteError
from napari_s3net.image import Geometry
from napari_s3net.io.dicom.sources import numbered, slices_of, text_for_dicom, untold
from napari_s3net.io.geometry import Grid, to_file_grid
from napari_s3net.io.validation.limits import shown
from napari_s3net.io.write import replacing
from napari_s3net.segments import GREY, Segment

#: Plastimatch takes one bit of a voxel for each structure.
MOST_STRUCTURES = 32
#: What the structures have in common with their series.
_OF_THE_STUDY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
#: Detached study management, the class by which structures refer to a study.
_STUDY = "1.2.840.10008.3.1.2.3.1"
#: Seconds after which plastimatch is given up.
PATIENCE = 600


def write_dicom_contours(
    path: Path, labels: NDArray[Any], geometry: Geometry, segments: Sequence[Segment], source: Path
) -> None:
    """Write labels as a DICOM structure set: closed contours in each slice, a structure for each label.

    Parameters
    ----------
    path : Path
        The file; its folder is made where missing.
    labels : numpy.ndarray
        (Z, H, W) whole numbers from 0 on.
    geometry : Geometry
        That of the image.
    segments : sequence of Segment
        One for each label that is to be a structure, at most 32. A hole is a contour inside a contour, as plastimatch
        writes and most systems read it: what lies in an even number of contours is outside.
    source : Path
        The series that was segmented: its folder, or one of its files. The structures refer to its slices and take
        patient and study from them.

    Raises
    ------
    WriteError
        If plastimatch is not installed, there are too many labels, the source is no DICOM series on the labels' grid,
        or the place cannot be written.
    """
    path = Path(path).absolute()
    program = _plastimatch()
    if not 0 < len(segments) <= MOST_STRUCTURES:
        raise WriteError(
            f"Cannot write {shown(path)}: a structure set takes 1 to {MOST_STRUCTURES} labels; got {len(segments)}. "
            "Merge some, or save a DICOM segmentation."
        )
    array, grid = to_file_grid(labels, geometry)
    with untold(), tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        datasets, _ = slices_of(path, array, grid, segments, source)
        _write_bits(folder, array, grid, segments)
        command: list[str | Path] = [program, "convert", "--input-ss-img", "bits.nrrd", "--input-ss-list", "list.txt"]
        _run([*command, "--output-dicom", "out"], folder, path)
        made = next(iter(sorted((folder / "out").glob("*"))), None)
        structures = None if made is None else _complete(made, datasets, segments)
        if structures is None:
            raise WriteError(f"Cannot write {shown(path)}: there is nothing to outline in these labels.")
        with replacing(path, ".dcm") as place:
            structures.save_as(place)


def _plastimatch() -> Path:
    """The program that the package `plastimatch` brings."""
    try:
        files = distribution("plastimatch").files or []
    except PackageNotFoundError as error:
        raise WriteError(
            "Writing DICOM structure sets takes plastimatch, which is not installed: pip install "
            "'napari-s3net[rtstruct]'."
        ) from error
    return next(
        Path(str(file.locate())) for file in files if file.parent.name == "bin" and file.stem == "plastimatch"
    ).resolve()


def _write_bits(folder: Path, array: NDArray[Any], grid: Grid, segments: Sequence[Segment]) -> None:
    """A volume in which bit n stands for segment n, and the list of their colours and names."""
    import SimpleITK as sitk

    bits = np.concatenate([[0], 1 << np.arange(len(segments), dtype=np.uint32)]).astype(np.uint32)
    image = sitk.GetImageFromArray(bits[numbered(array, segments)])
    image.SetSpacing(grid.spacing.tolist())
    image.SetOrigin(grid.origin.tolist())
    image.SetDirection(grid.direction.ravel().tolist())
    sitk.WriteImage(image, str(folder / "bits.nrrd"))
    lines = [f"{n}|{' '.join(map(str, segment.colour or GREY))}|{n}\n" for n, segment in enumerate(segments)]
    (folder / "list.txt").write_text("".join(lines), encoding="ascii")


def _complete(made: Path, datasets: Sequence[Any], segments: Sequence[Segment]) -> Any:
    """The structure set with names, patient, study and slices, which plastimatch is not told; None without contours."""
    import pydicom

    structures = pydicom.dcmread(made)
    if not structures.get("StructureSetROISequence"):
        return None
    structures.SpecificCharacterSet = "ISO_IR 192"
    for name in _OF_THE_STUDY:
        structures[name] = datasets[0][name]
    for roi in structures.StructureSetROISequence:
        roi.ROIName = text_for_dicom(segments[int(roi.ROIName)])
        roi.ReferencedFrameOfReferenceUID = datasets[0].FrameOfReferenceUID
    normal, heights = _heights(datasets)
    for contours in structures.ROIContourSequence:
        for contour in contours.get("ContourSequence", []):
            height = float(np.asarray(contour.ContourData[:3], float) @ normal)
            contour.ContourImageSequence = [_reference(datasets[int(np.argmin(np.abs(heights - height)))])]
    structures.FrameOfReferenceUID = datasets[0].FrameOfReferenceUID
    structures.ReferencedFrameOfReferenceSequence = [_frame_of_reference(datasets)]
    structures.PositionReferenceIndicator, structures.OperatorsName = "", ""
    structures.SeriesDescription, structures.StructureSetLabel = "S3-Net contours", "S3-Net"
    return structures


def _heights(datasets: Sequence[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The normal of the slices, and how far along it each lies, in mm."""
    angles = np.asarray(datasets[0].ImageOrientationPatient, float)
    normal = np.cross(angles[:3], angles[3:])
    return normal, np.array([np.asarray(dataset.ImagePositionPatient, float) @ normal for dataset in datasets])


def _frame_of_reference(datasets: Sequence[Any]) -> Any:
    """The series, and each slice of it, as structures refer to them (DICOM PS3.3, C.8.8.5)."""
    first = datasets[0]
    series = _item(
        SeriesInstanceUID=first.SeriesInstanceUID, ContourImageSequence=[_reference(one) for one in datasets]
    )
    study = _item(
        ReferencedSOPClassUID=_STUDY,
        ReferencedSOPInstanceUID=first.StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )
    return _item(FrameOfReferenceUID=first.FrameOfReferenceUID, RTReferencedStudySequence=[study])


def _reference(dataset: Any) -> Any:
    """A reference to one slice."""
    return _item(ReferencedSOPClassUID=dataset.SOPClassUID, ReferencedSOPInstanceUID=dataset.SOPInstanceUID)


def _item(**elements: Any) -> Any:
    """An item of a sequence."""
    from pydicom.dataset import Dataset

    item = Dataset()
    for name, value in elements.items():
        setattr(item, name, value)
    return item


def _run(command: Sequence[str | Path], folder: Path, path: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WriteError(f"Cannot write {shown(path)}: plastimatch did not run: {type(error).__name__}.") from error
    if done.returncode:
        raise WriteError(f"Cannot write {shown(path)}: plastimatch ended with code {done.returncode}.")
