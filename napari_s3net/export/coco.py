"""Labels as COCO annotations: one run-length code for each label of each plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.segments import GREY, Segment


def coco_annotations(
    labels: NDArray[Any], segments: Sequence[Segment], name: str, *, first: int | None = None, axis: int = 0
) -> dict[str, Any]:
    """Make a COCO data set of one result.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) or (Z, H, W) whole numbers from 0 on; each plane is an image of the data set, numbered from 1.
    segments : sequence of Segment
        The categories.
    name : str
        Of the image.
    first : int, optional
        Which slice of the image the first plane is, from 0. Where it is left out, that of a stack is slice 0, and a
        single plane is the image.
    axis : int
        Of the image: along which its slices are counted.

    Returns
    -------
    dict of str to Any
        "images", "annotations" and "categories"; a segmentation is {"size": [H, W], "counts": [...]}, uncompressed RLE.
        Areas are in pixels, boxes are x, y, width, height.
    """
    planes = labels[None] if labels.ndim == 2 else labels
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    if first is None and labels.ndim == 3:
        first = 0
    along = f" along axis {axis}" if axis else ""
    for index, plane in enumerate(planes, start=1):
        H, W = plane.shape
        file = name if first is None else f"{name}, slice {first + index - 1}{along}"
        images.append({"id": index, "file_name": file, "height": H, "width": W})
        for segment in segments:
            mask = plane == segment.label
            if not mask.any():
                continue
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            box = [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": index,
                    "category_id": segment.label,
                    "segmentation": {"size": [H, W], "counts": run_lengths(mask)},
                    "area": int(mask.sum()),
                    "bbox": [int(value) for value in box],
                    "iscrowd": 1,
                }
            )
    categories = [
        {
            "id": s.label,
            "name": s.name,
            "supercategory": "object" if s.is_object else "background",
            "color": list(s.colour or GREY),
        }
        for s in segments
    ]
    return {"images": images, "annotations": annotations, "categories": categories}


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Count how long a mask stays as it is, down its columns, beginning with what is outside.

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) bool.

    Returns
    -------
    list of int
        Outside, inside, outside, …; the first is 0 where the first pixel is inside.
    """
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(np.concatenate([[0], edges, [flat.size]]))
    return [*([0] if flat.size and flat[0] else []), *lengths.tolist()]
