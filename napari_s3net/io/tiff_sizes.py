"""How large the pixels of a TIFF are, where it says so for measuring: OME-TIFF, ImageJ, and files of microscopes.

The resolution of any other TIFF is one for printing: cameras, scanners and screens write 72, 96 or 300 dots an inch,
whatever was before them.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from typing import Any

import tifffile

from napari_s3net.geometry import LENGTHS
from napari_s3net.io.lengths import unit_named

#: Tags of the pixels a unit along a row and along a column, and OME's unit where none is named.
_RESOLUTIONS, _OME_UNIT = {"X": 282, "Y": 283}, "\N{MICRO SIGN}m"
#: Dots an inch of screens and printers, which ImageJ keeps as pixels a centimetre.
_DOTS = (72, 75, 96, 100, 120, 144, 150, 180, 192, 200, 240, 250, 300, 350, 360, 400, 600, 720, 1200, 2400, 4800)
_ROUNDED = 0.002
#: Micrometres a pixel, in the text of a scanned slide (SVS).
_SVS_SIZE = re.compile(r"\|\s*MPP\s*=\s*([\d.]+)")


def sizes_of(file: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> dict[str, float]:
    """Return how far apart pixels and slices lie.

    Parameters
    ----------
    file : tifffile.TiffFile
        The file.
    series : tifffile.TiffPageSeries
        Its image.

    Returns
    -------
    dict of str to float
        Millimetres along "X" and "Y", and along "Z" where it is told. Empty where the file does not say so for
        measuring, in a unit that is known, and of this image.
    """
    found: dict[str, float] = {}
    if series.kind == "ome" and file.ome_metadata is not None:
        found = _of_ome(file.ome_metadata, dict(zip(series.axes, series.shape, strict=True)))
    elif series.kind == "imagej":
        found = _of_imagej(file.imagej_metadata or {}, series.keyframe)
    elif series.kind == "lsm":
        told = {axis: (file.lsm_metadata or {}).get(f"VoxelSize{axis}") for axis in "XYZ"}
        found = {axis: mm for axis in "XYZ" if (mm := _millimetres(told[axis], "m"))}
    elif series.kind == "svs":
        size = _SVS_SIZE.search(str(getattr(series.keyframe, "description", "")))
        mm = _millimetres(size[1], _OME_UNIT) if size else None
        found = {axis: mm for axis in "XY" if mm}
    return found if {"X", "Y"} <= found.keys() else {}


def _of_ome(text: str, shape: dict[str, int]) -> dict[str, float]:
    """Sizes of the images of an OME-TIFF that have as many pixels; none where these differ."""
    from xml.etree import ElementTree as ET

    found: list[dict[str, float]] = []
    with suppress(ET.ParseError):
        for element in ET.fromstring(text).iter():  # noqa: S314 - as tifffile parses it
            same = element.get("SizeX") == str(shape["X"]) and element.get("SizeY") == str(shape["Y"])
            if element.tag.endswith("}Pixels") and same:
                told = {axis: element.get(f"PhysicalSize{axis}") for axis in "XYZ"}
                units = {axis: element.get(f"PhysicalSize{axis}Unit", _OME_UNIT) for axis in "XYZ"}
                found.append({axis: mm for axis in "XYZ" if (mm := _millimetres(told[axis], units[axis]))})
    return found[0] if found and all(one == found[0] for one in found) else {}


def _of_imagej(told: dict[str, Any], page: Any) -> dict[str, float]:
    """Sizes that ImageJ keeps as pixels a unit, and the distance of slices in it."""
    unit = str(told.get("unit", ""))
    if any(str(told.get(key, unit)) != unit for key in ("yunit", "zunit")):
        return {}
    found = {}
    for axis, tag in _RESOLUTIONS.items():
        ratio = page.tags[tag].value if tag in page.tags else None
        pixels, units = ratio if isinstance(ratio, tuple) and len(ratio) == 2 else (0, 0)
        if pixels > 0 and units > 0 and not (unit_named(unit) == "cm" and _is_printed(pixels / units * 2.54)):
            found[axis] = _millimetres(units / pixels, unit)
    found["Z"] = _millimetres(told.get("spacing"), unit)
    return {axis: mm for axis, mm in found.items() if mm}


def _is_printed(dots: float) -> bool:
    """Whether so many dots an inch are a resolution for printing."""
    return any(abs(dots / usual - 1) < _ROUNDED for usual in _DOTS)


def _millimetres(size: Any, unit: str) -> float | None:
    """A length in millimetres; None where it is none, or in a unit that is not known here."""
    known = unit_named(unit)
    with suppress(TypeError, ValueError):
        length = abs(float(size))
        if known is not None and math.isfinite(length) and length > 0:
            return length * LENGTHS[known]
    return None
