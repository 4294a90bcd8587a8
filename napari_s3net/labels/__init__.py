"""Tools on label arrays: editing, matching of ids, measurements, metrics. numpy, scipy and scikit-image only."""

from __future__ import annotations

from napari_s3net.labels.edit import (
    assign_component,
    dilate,
    fill_holes,
    keep_largest,
    merge,
    remove_small,
    smooth,
    split_between,
    split_components,
    swap,
)

__all__ = [
    "assign_component",
    "dilate",
    "fill_holes",
    "keep_largest",
    "merge",
    "remove_small",
    "smooth",
    "split_between",
    "split_components",
    "swap",
]
