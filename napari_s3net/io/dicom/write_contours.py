"""Labels → a DICOM structure set (RTSTRUCT): contours on the series, by plastimatch (extra `rtstruct`)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import WriteError
from napari_s3net.image import Geometry
from napari_s3net.io.dicom.write_segmentation import slices_of
from napari_s3net.io.geometry import Grid, to_file_grid
from napari_s3net.io.validation.limits import shown
from napari_s3net.io.write import replacing
from napari_s3net.segments import GREY, Segment

#: Plastimatch takes one bit of a voxel for each structure.
MOST_STRUCTURES = 32
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
    if len(segments) > MOST_STRUCTURES:
        raise WriteError(
            f"Cannot write {shown(path)}: a structure set takes at most {MOST_STRUCTURES} labels; got {len(segments)}. "
            "Merge some, or save a DICOM segmentation."
        )
    array, grid = to_file_grid(labels, geometry)
    datasets, _ = slices_of(path, source, grid, array.shape)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _link([Path(dataset.filename) for dataset in datasets], folder / "series")
        _write_bits(folder, array, grid, segments)
        command: list[str | Path] = [program, "convert", "--input-ss-img", "bits.nrrd", "--input-ss-list", "list.txt"]
        _run([*command, "--referenced-ct", "series", "--output-dicom", "out"], folder, path)
        made = next(iter(sorted((folder / "out").glob("*"))), None)
        if made is None:
            raise WriteError(f"Cannot write {shown(path)}: plastimatch found nothing to outline in these labels.")
        with replacing(path, ".dcm") as place:
            _complete(made).save_as(place)


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


def _link(files: Iterable[Path], folder: Path) -> None:
    """The slices of the series alone in a folder; copies where links are not allowed."""
    folder.mkdir()
    for n, file in enumerate(files):
        try:
            (folder / f"{n}.dcm").symlink_to(file.absolute())
        except OSError:
            shutil.copyfile(file, folder / f"{n}.dcm")


def _write_bits(folder: Path, array: NDArray[Any], grid: Grid, segments: Sequence[Segment]) -> None:
    """A volume in which bit n stands for segment n, and the list of their colours and names."""
    import SimpleITK as sitk

    bits = np.zeros(1 + max([int(array.max(initial=0)), *(segment.label for segment in segments)]), np.uint32)
    bits[[segment.label for segment in segments]] = 1 << np.arange(len(segments), dtype=np.uint32)
    image = sitk.GetImageFromArray(bits[array])
    image.SetSpacing(grid.spacing.tolist())
    image.SetOrigin(grid.origin.tolist())
    image.SetDirection(grid.direction.ravel().tolist())
    sitk.WriteImage(image, str(folder / "bits.nrrd"))
    lines = []
    for n, segment in enumerate(segments):
        name = (
            segment.name.replace("|", "/").encode("ascii", "replace").decode()[:64].strip() or f"Label {segment.label}"
        )
        lines.append(f"{n}|{' '.join(map(str, segment.colour or GREY))}|{name}\n")
    (folder / "list.txt").write_text("".join(lines), encoding="ascii")


def _complete(made: Path) -> Any:
    """The structure set with what the standard asks for and plastimatch leaves out, and with a name for lists."""
    import pydicom

    structures = pydicom.dcmread(made)
    structures.FrameOfReferenceUID = structures.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID
    structures.PositionReferenceIndicator, structures.OperatorsName = "", ""
    structures.SeriesDescription, structures.StructureSetLabel = "S3-Net contours", "S3-Net"
    return structures


def _run(command: Sequence[str | Path], folder: Path, path: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WriteError(f"Cannot write {shown(path)}: plastimatch did not run: {type(error).__name__}.") from error
    if done.returncode:
        raise WriteError(f"Cannot write {shown(path)}: plastimatch ended with code {done.returncode}.")
