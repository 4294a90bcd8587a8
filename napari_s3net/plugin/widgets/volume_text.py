"""What the dock says of volumes: how far a run is, and how large the object is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from napari_s3net.image import Geometry
from napari_s3net.plugin.widgets.text import NARROW, plural, seconds_text
from napari_s3net.progress import Step

#: Below so many mm³ a volume is not told in millilitres, of which nothing would be left.
SMALL = 10.0


def slices_text(step: Step, left: float | None) -> str:
    """One line while a volume is segmented.

    Parameters
    ----------
    step : Step
        The newest one.
    left : float or None
        Seconds left; None where that is not known yet.

    Returns
    -------
    str
        "Looking at 79 slices", "Fitting to a few of 79 slices: 2 of 4", or "34 of 79 slices · about 20 s left".
    """
    done, slices = volume_progress(step)
    if not done and not step.iteration:
        return f"Looking at {slices} slices"
    if not done:
        return f"Fitting to a few of {slices} slices: {step.iteration} of {step.total}"
    line = f"{done} of {slices} slices"
    return line if left is None or done == slices else f"{line} · about {seconds_text(left)} left"


def amount_text(voxels: int, geometry: Geometry) -> str:
    """Say how much some voxels are.

    Parameters
    ----------
    voxels : int
        How many.
    geometry : Geometry
        Of the volume.

    Returns
    -------
    str
        "1,404 ml" or, below 10 ml, "3.2 ml"; "2.5 mm³" and "26,000 µm³" of what is smaller, as under a microscope; "512
        voxels" where the spacing is not known.
    """
    if geometry.unit != "mm" or geometry.ndim != 3:
        return f"{voxels:,} voxels"
    cubic = voxels * geometry.spacing[0] * geometry.spacing[1] * geometry.spacing[2]
    if 0 < cubic < SMALL:
        return f"{cubic:.2g}{NARROW}mm³" if cubic >= SMALL / 1000 else f"{cubic * 1e9:,.0f}{NARROW}µm³"
    millilitres = cubic / 1000
    return f"{millilitres:,.{0 if millilitres >= 10 else 1 if millilitres >= 1 else 2}f}{NARROW}ml"


def volumes_text(about: Mapping[str, Any], voxels: Mapping[int, int]) -> str:
    """Say how large the object of a volume is.

    Parameters
    ----------
    about : mapping
        The result's metadata.
    voxels : mapping of int to int
        How many each label has; empty while they are not counted.

    Returns
    -------
    str
        "Lung 4,812 ml in 79 slices", of labels that no run has made without their number; empty for a plane.
    """
    if not voxels or not about["foreground"]:
        return ""
    amount = amount_text(sum(voxels.get(i, 0) for i in about["foreground"]), about["geometry"])
    # A slice of another plane, run on its own, lies across the others and is none more.
    ways = Counter((part.get("axis"), part.get("time")) for part in about["slices"])
    where = f" in {plural(max(ways.values()), 'slice')}" if ways else ""
    return f"{about['object_name']} {amount}{where}"


def volume_progress(step: Step) -> tuple[int, int]:
    """Say how far a run is.

    Parameters
    ----------
    step : Step
        The newest one, of a plane or of a volume.

    Returns
    -------
    tuple of int
        Of a plane the iterations, of a volume the slices: how many are done, and how many there are.
    """
    if step.slices == 1:
        return step.iteration, step.total
    return step.slice + (step.iteration > 0 and not step.losses), step.slices
