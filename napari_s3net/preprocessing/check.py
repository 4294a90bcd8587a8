"""Whether an image can be segmented at all."""

from __future__ import annotations

import numpy as np

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image


def check_plane(image: Image) -> None:
    """Raise `InvalidImageError` unless the image is one plane of finite, varying values, at least 16 × 16."""
    array = image.array
    if image.is_stack:
        raise InvalidImageError(f"Expected one plane; got a stack of shape {array.shape}. Choose a slice first.")
    if min(image.shape) < 16:
        raise InvalidImageError(f"Expected at least 16 × 16 pixels; got {image.shape[0]} × {image.shape[1]}.")
    if array.dtype.kind not in "buif":
        raise InvalidImageError(f"Expected numbers; got {array.dtype}.")
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise InvalidImageError(f"{bad} values are NaN or infinite. Replace them, for example by the smallest value.")
    if array.min() == array.max():
        raise InvalidImageError(f"Every pixel has the value {array.flat[0]}: there is nothing to tell apart.")
