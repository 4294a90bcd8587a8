"""One result and its files: labels, mask, what is known about them, and a picture to look at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net import io
from napari_s3net.errors import WriteError
from napari_s3net.image import Image, Segmentation
from napari_s3net.labels.measure import measure_clusters
from napari_s3net.preprocessing.window import to_unit
from napari_s3net.provenance import PROGRAM
from napari_s3net.settings import Settings

#: A blue that neither skin nor grey images contain, told apart from both by colour-blind people (as in the viewer).
ACCENT = (25, 195, 242)
#: Width of the outline as a share of the longer side, and at least so many pixels.
LINE, THINNEST = 0.004, 2.0


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
        If that is not possible.
    InvalidImageError
        If result and image do not fit together.
    """
    suffix, json_path = label_suffix(image), directory / f"{stem}.json"
    labels, mask, picture = (
        directory / f"{stem}_{name}" for name in (f"labels{suffix}", f"mask{suffix}", "overlay.png")
    )
    _check_ours((labels, mask), json_path)
    metadata = result_metadata(image, result)
    json_path.unlink(missing_ok=True)
    io.write_labels(labels, result.labels, image.geometry)
    io.write_labels(mask, result.mask, image.geometry, mask=True)
    if overlay:
        io.write_png(picture, draw_overlay(*fullest_plane(image, result.mask), settings=result.settings))
    io.write_json(json_path, metadata)
    return [labels, mask, *([picture] if overlay else []), json_path]


def _check_ours(paths: Iterable[Path], note: Path) -> None:
    """Refuse to replace files that are not an earlier result: masks drawn by hand have the same names."""
    try:
        ours = json.loads(note.read_text(encoding="utf-8")).get("program") == PROGRAM
    except FileNotFoundError:
        ours = not any(path.exists() for path in paths)
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        raise WriteError(
            f"Will not replace {note.stem}_labels, _mask or .json in {note.parent}: they are no earlier result of "
            f"{PROGRAM}. Choose another folder, or move them away."
        )


def label_suffix(image: Image) -> str:
    """Which format the labels of an image are written in: ".png" or ".nii.gz"."""
    photograph = image.kind in ("rgb", "grey") and image.geometry.unit == "pixel" and not image.is_stack
    return ".png" if photograph else ".nii.gz"


def result_metadata(image: Image, result: Segmentation) -> dict[str, Any]:
    """How a result was made and what is in it, as plain values without patient data: `metadata`, and each cluster."""
    clusters = measure_clusters(result.labels, image, foreground=result.foreground, names=result.names)
    return {
        **result.metadata(),
        "names": {cluster.id: cluster.name for cluster in clusters},
        "clusters": [asdict(cluster) for cluster in clusters],
    }


def draw_overlay(image: Image, mask: NDArray[np.bool_], *, settings: Settings | None = None) -> NDArray[np.uint8]:
    """Draw the outline of a region on an image.

    Parameters
    ----------
    image : Image
        One plane.
    mask : numpy.ndarray
        (H, W) bool.
    settings : Settings, optional
        Whose window is used for CT.

    Returns
    -------
    numpy.ndarray
        (H, W, 3) uint8: the image with a line in `ACCENT` along the border, its width in proportion to the image.
    """
    picture = _shown(image, settings or Settings())
    if not mask.any() or mask.all():
        return np.round(picture).astype(np.uint8)
    width = max(THINNEST, LINE * max(mask.shape))
    reach = int(width) + 2
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = tuple(slice(max(0, i[0] - reach), i[-1] + reach + 1) for i in (rows, columns))
    # At the image's edge there is no border to draw, so the region goes on beyond it.
    region = np.pad(mask[box], 1, mode="edge")
    distance = ndimage.distance_transform_edt(region) + ndimage.distance_transform_edt(~region) - 0.5
    line = np.clip(width / 2 + 0.5 - distance[1:-1, 1:-1], 0, 1)[..., None]
    picture[box] += line * (np.array(ACCENT, np.float32) - picture[box])
    return np.round(picture).astype(np.uint8)


def _shown(image: Image, settings: Settings) -> NDArray[np.float32]:
    """The image as a photograph: (H, W, 3) from 0 to 255."""
    if image.kind == "rgb" and image.array.dtype == np.uint8:
        return image.array.astype(np.float32)
    unit = to_unit(image, settings)
    return np.repeat(unit, 3, axis=2) * 255 if unit.shape[2] == 1 else unit * 255


def fullest_plane(image: Image, mask: NDArray[np.bool_]) -> tuple[Image, NDArray[np.bool_]]:
    """The plane that shows most of a region; the middle one where there is none."""
    if not image.is_stack:
        return image, mask
    sizes = mask.sum(axis=(1, 2))
    index = int(sizes.argmax()) if sizes.any() else len(sizes) // 2
    return image.slice(index), mask[index]
