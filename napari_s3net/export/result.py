"""Write one result as files: labels, mask, what is known about them, and a picture to look at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_s3net import io
from napari_s3net.errors import WriteError
from napari_s3net.export.formats import mask_segment, segments_of
from napari_s3net.export.overlay import draw_overlay, fullest_plane
from napari_s3net.image import Image
from napari_s3net.labels.measure import measure_clusters
from napari_s3net.provenance import PROGRAM
from napari_s3net.result import Segmentation


def write_result(
    directory: Path,
    stem: str,
    image: Image,
    result: Segmentation,
    *,
    overlay: bool = False,
) -> list[Path]:
    """Write `<stem>_labels`, `<stem>_mask` and `<stem>.json`, and `<stem>_overlay.png` where asked for.

    Photographs get PNG with a mask of 0 and 255; whatever has a spacing, slices or Hounsfield units gets NIfTI with the
    image's geometry and a mask of 0 and 1. The JSON is written last: where it is, the rest is whole.

    Parameters
    ----------
    directory : Path
        Made where missing.
    stem : str
        Of every file.
    image : Image
        What was segmented.
    result : Segmentation
        Of the same shape; its provenance and what is known about its labels go into the JSON.
    overlay : bool
        Also draw the object's outline on the image; of a stack, on the slice that shows most of the object.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    WriteError
        If that is not possible; then none of these files is left. If other files, or the result of another image by its
        check sum, would be replaced; these stay.
    InvalidImageError
        If result and image do not fit together.
    """
    suffix, json_path = label_suffix(image), directory / f"{stem}.json"
    labels, mask, picture = (
        directory / f"{stem}_{name}" for name in (f"labels{suffix}", f"mask{suffix}", "overlay.png")
    )
    _check_ours((labels, mask), json_path, result.provenance.input_digest)
    metadata = result_metadata(image, result)
    json_path.unlink(missing_ok=True)
    with _whole_or_nothing(labels, mask):
        io.write_labels(labels, result.labels, image.geometry, segments=segments_of(result))
        io.write_labels(mask, result.mask, image.geometry, mask=True, segments=[mask_segment(result.object_name)])
        if overlay:
            io.write_png(picture, draw_overlay(*fullest_plane(image, result.mask), settings=result.settings))
        io.write_json(json_path, metadata, ascii_only=not _is_text(metadata["source"]))
    return [labels, mask, *([picture] if overlay else []), json_path]


@contextmanager
def _whole_or_nothing(*paths: Path) -> Iterator[None]:
    """Take away what was written if the rest cannot be: without its JSON it would be taken for somebody else's."""
    try:
        yield
    except BaseException:
        for path in paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def _check_ours(paths: Iterable[Path], note: Path, digest: str) -> None:
    """Refuse to replace what is no earlier result of the image: masks drawn by hand, and results of another image."""
    before = ""
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        ours, before = known.get("program") == PROGRAM, known.get("input_digest")
    except FileNotFoundError:
        ours = not any(path.exists() for path in paths)
    except (OSError, ValueError, AttributeError):
        ours = False
    if ours and digest and before not in ("", None, digest):
        raise WriteError(
            f"Will not replace {note.stem}_labels, _mask or .json in {note.parent}: they are the result of another "
            "image of this name, or the image has changed since. Choose another folder, or move them away."
        )
    if not ours:
        raise WriteError(
            f"Will not replace {note.stem}_labels, _mask or .json in {note.parent}: they are no earlier result of "
            f"{PROGRAM}. Choose another folder, or move them away."
        )


def label_suffix(image: Image) -> str:
    """Say in which format the labels of an image are written.

    Parameters
    ----------
    image : Image
        What was segmented.

    Returns
    -------
    str
        ".png" for a photograph; ".nii.gz" for what has a spacing in mm, slices, or is CT or MR.
    """
    photograph = image.kind in ("rgb", "grey") and image.geometry.unit == "pixel" and not image.is_stack
    return ".png" if photograph else ".nii.gz"


def result_metadata(image: Image, result: Segmentation) -> dict[str, Any]:
    """Collect what the JSON beside a result holds; no patient data.

    Parameters
    ----------
    image : Image
        What was segmented.
    result : Segmentation
        Of the same shape.

    Returns
    -------
    dict of str to Any
        `Segmentation.metadata`, with a name for each cluster and, as "clusters", the fields of each `Cluster`.

    Raises
    ------
    InvalidImageError
        If the labels do not have the image's shape.
    """
    clusters = measure_clusters(result.labels, image, foreground=result.foreground, names=result.names)
    return {
        **result.metadata(),
        "names": {cluster.id: cluster.name for cluster in clusters},
        "clusters": [asdict(cluster) for cluster in clusters],
    }


def _is_text(name: str) -> bool:
    """Whether a file's name can be written as UTF-8; on Linux names are bytes, which need not be text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
