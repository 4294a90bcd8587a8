"""One model for the whole folder: fitted before the first file, kept in the output, used for every file."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.folder import inside
from napari_s3net.batch.items import Item, input_digest
from napari_s3net.batch.plan import FileJob
from napari_s3net.errors import InvalidImageError, S3NetError
from napari_s3net.image import Image
from napari_s3net.io.write import replacing
from napari_s3net.progress import Step
from napari_s3net.result import Segmentation
from napari_s3net.settings import preset_settings
from napari_s3net.training.sampling import evenly_spaced

#: What stands for the fitting where others have a file's name.
FITTING = "(one model for all)"


def choose(digest: str, items: Sequence[Item]) -> tuple[list[Item], str, str]:
    """Choose the images to fit one model on, and say where it lies.

    Parameters
    ----------
    digest : str
        The plan's digest of its settings.
    items : sequence of Item
        All items of the folder.

    Returns
    -------
    chosen : list of Item
        Images spread evenly over the folder.
    name : str
        Path of the model below the output folder.
    model_digest : str
        Twelve hexadecimal digits for results made with it: other settings or other images give others.
    """
    chosen = evenly_spaced(items)
    name = model_name(digest, chosen)
    return chosen, name, name.removeprefix("settings/folder-").removesuffix(".safetensors")


def model_name(digest: str, items: Sequence[Item]) -> str:
    """Return where the model lies below the output folder.

    Parameters
    ----------
    digest : str
        The plan's digest of its settings.
    items : sequence of Item
        The images to fit on; those that cannot be read are left out.

    Returns
    -------
    str
        Another name for other settings, and for images with other content.
    """
    total = hashlib.sha256(digest.encode())
    for item in items:
        try:
            total.update(input_digest(item.path, item.files).encode())
        except OSError:
            continue  # it has a row of its own that tells why
    return f"settings/folder-{total.hexdigest()[:12]}.safetensors"


def fit(job: FileJob) -> FileRow:
    """Fit one model on the images of a job, and write it below the job's output folder.

    Parameters
    ----------
    job : FileJob
        Its `fit_on` names the images, its `model` the file to write. Of a stack the middle slice is used; images that
        cannot be read or segmented are left out.

    Returns
    -------
    FileRow
        "done", with the preset that was used in its metadata.

    Raises
    ------
    InvalidImageError
        If none of the images can be read.
    S3NetError
        If the images are not fit for a common model, or the model cannot be written.
    """
    from napari_s3net.preprocessing.suggest import suggest_preset
    from napari_s3net.training.folder import fit_folder

    planes = _planes(job)
    first = next(planes, None)
    if first is None:
        raise InvalidImageError("None of the images can be read, so there is nothing to fit on.")
    name = suggest_preset(first) if job.preset == "auto" else job.preset
    settings = preset_settings(name).replace(**job.changes)
    model = fit_folder(_chain(first, planes), settings)
    with replacing(inside(Path(job.output), job.model).absolute()) as temporary:
        model.save(temporary)
    return FileRow(file=job.file, status="done", metadata={"preset": name})


def _chain(first: Image, rest: Iterator[Image]) -> Iterator[Image]:
    yield first
    yield from rest


def _planes(job: FileJob) -> Iterator[Image]:
    """The images that can be fitted on: of a stack the middle slice; what cannot be read is left out."""
    from napari_s3net.io import read_image
    from napari_s3net.preprocessing.check import check_plane

    for path, series, files in job.fit_on:
        try:
            image = read_image(path, series=series, files=files)
            image = image.slice(len(image.array) // 2) if image.is_stack else image
            check_plane(image)
        except S3NetError:
            continue
        yield image


def iter_fitted(image: Image, path: Path) -> Generator[Step, bool | None, Segmentation]:
    """Segment a plane, or a stack slice by slice, with a model that was fitted before.

    Parameters
    ----------
    image : Image
        A plane or a stack.
    path : Path
        The model's file.

    Yields
    ------
    Step
        One for each plane; `send(True)` stops and keeps what there is.

    Returns
    -------
    Segmentation
        Of the whole image.

    Raises
    ------
    ReadError
        If the file is no model of a folder.
    """
    from napari_s3net.training.folder import load_folder_model
    from napari_s3net.volume.slices import iter_planes

    model = load_folder_model(path)

    def iter_plane(plane: Image) -> Generator[Step, bool | None, Segmentation]:
        result = model.segment(plane)
        yield Step(1, 1, {}, len(result.names))
        return result

    return (yield from iter_planes(image, iter_plane))
