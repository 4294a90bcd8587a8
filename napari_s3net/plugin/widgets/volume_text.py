"""What the dock says of volumes: how far a run is, and how large the object is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_s3net.image import Step
from napari_s3net.plugin.widgets.text import NARROW, plural, seconds_text


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


def volumes_text(about: Mapping[str, Any]) -> str:
    """Say how large the object of a volume is.

    Parameters
    ----------
    about : mapping
        The result's metadata; its "volumes" hold mm³, or voxels where the spacing is not known.

    Returns
    -------
    str
        "Lung 4,812 ml in 79 slices"; empty for a plane.
    """
    if not about.get("volumes"):
        return ""
    size = sum(about["volumes"].get(i, 0.0) for i in about["foreground"])
    amount = f"{size / 1000:,.0f}{NARROW}ml" if about["geometry"].unit == "mm" else f"{size:,.0f} voxels"
    return f"{about['object_name']} {amount} in {plural(len(about['slices']), 'slice')}"


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
