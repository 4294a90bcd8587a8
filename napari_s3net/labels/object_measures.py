"""What is measured of the object in one image: its size, border, symmetry and colours, or its Hounsfield units."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from napari_s3net.image import Image
from napari_s3net.labels.measure import colours_to_255, is_measured
from napari_s3net.labels.regions import measure_regions

#: The six colours that the ABCD rule of dermoscopy counts, as red, green and blue from 0 to 1. The names are those of
#: Stolz et al., Eur J Dermatol 1994; the values were set by hand and tuned on nothing.
COLOURS = {
    "white": (0.95, 0.93, 0.92),
    "red": (0.75, 0.25, 0.25),
    "light brown": (0.67, 0.47, 0.33),
    "dark brown": (0.32, 0.18, 0.12),
    "blue-grey": (0.38, 0.44, 0.52),
    "black": (0.07, 0.05, 0.05),
}
#: A colour counts from this share of the object on, and of about this many pixels.
LEAST_SHARE, SAMPLE = 0.05, 50_000
#: What is told of Hounsfield units.
PERCENTILES = (5, 50, 95)


def measure_object(labels: NDArray[Any], image: Image, foreground: Collection[int]) -> dict[str, Any]:
    """Measure the object of a plane.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) whole numbers from 0 on.
    image : Image
        What was segmented, of the same shape.
    foreground : collection of int
        The labels of the object.

    Returns
    -------
    dict of str to Any
        By names with their units: "area_px" and, where the spacing is known, "area_mm2"; "longest_diameter_mm",
        "equivalent_diameter_mm", "perimeter_mm" (or "_px"); "border_irregularity", 1 for a disc; "asymmetry", 0 for
        none; for photographs "colours"; for CT "mean_hu", "sd_hu", "p5_hu", "p50_hu", "p95_hu", for other values the
        same with "grey". Empty without an object.
    """
    mask = np.isin(labels, list(foreground)) & (labels > 0)
    if not mask.any():
        return {}
    region = measure_regions(mask.astype(np.uint8), image, foreground=(1,), asymmetry=True)[0]
    columns = region.to_columns()
    unit = "mm" if region.unit == "mm" else "px"
    wanted = ("area_px", "area_mm2", *(f"{name}_{unit}" for name in _LENGTHS))
    values = {name: columns[name] for name in wanted if name in columns}
    if region.perimeter is not None:
        values["border_irregularity"] = round(border_irregularity(region.perimeter, region.size), 3)
    if region.asymmetry is not None:
        values["asymmetry"] = round(region.asymmetry, 3)
    if image.kind == "rgb":
        return values | {"colours": ", ".join(colours_in(mask, image))}
    return values | _intensities(image.array[mask], "hu" if image.kind == "ct" else "grey")


_LENGTHS = ("longest_diameter", "equivalent_diameter", "perimeter")


def border_irregularity(perimeter: float, area: float) -> float:
    """How much longer a border is than that of a disc of the same area, squared.

    Parameters
    ----------
    perimeter, area : float
        In one unit and its square; the area is above 0.

    Returns
    -------
    float
        Perimeter² / (4 π area): 1 for a disc, 1.27 for a square.
    """
    return perimeter**2 / (4 * math.pi * area)


def colours_in(mask: NDArray[np.bool_], image: Image) -> tuple[str, ...]:
    """Name the colours of an object, as the ABCD rule of dermoscopy counts them.

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) bool: the object.
    image : Image
        A photograph in colour.

    Returns
    -------
    tuple of str
        Those of the six to which at least 5 % of the object's pixels are nearest in CIELAB, the most frequent first.
        Empty for images without colours.
    """
    colours = colours_to_255(image)
    if colours is None or not mask.any():
        return ()
    inside = colours[mask.ravel()]
    inside = inside[is_measured(inside).all(axis=1)]
    if not len(inside):
        return ()
    inside = inside[:: max(1, len(inside) // SAMPLE)] / np.float32(255)
    known = rgb2lab(np.array([list(COLOURS.values())]))[0]
    seen = rgb2lab(np.clip(inside, 0, 1)[None])[0]
    nearest = np.argmin(((seen[:, None] - known[None]) ** 2).sum(axis=2), axis=1)
    share = np.bincount(nearest, minlength=len(known)) / len(nearest)
    names = list(COLOURS)
    return tuple(names[i] for i in np.argsort(-share, kind="stable") if share[i] >= LEAST_SHARE)


def _intensities(values: NDArray[Any], name: str) -> dict[str, float]:
    """Mean, spread and percentiles of the object's values."""
    measured = values[is_measured(values)].astype(np.float64)
    if not measured.size:
        return {}
    low, middle, high = np.percentile(measured, PERCENTILES)
    found = {"mean": measured.mean(), "sd": measured.std(), "p5": low, "p50": middle, "p95": high}
    return {f"{what}_{name}": float(f"{value:.6g}") for what, value in found.items()}
