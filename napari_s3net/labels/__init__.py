"""Tools on label arrays: measurements, metrics, clean-up. numpy, scipy and scikit-image only."""

from __future__ import annotations

from napari_s3net.labels.edit import (
    assign_part,
    fill_holes,
    grow,
    keep_largest,
    merge,
    remove_small,
    smooth,
    split_between,
    split_parts,
    swap,
)

__all__ = [
    "assign_part",
    "fill_holes",
    "grow",
    "keep_largest",
    "merge",
    "remove_small",
    "smooth",
    "split_between",
    "split_parts",
    "swap",
]
