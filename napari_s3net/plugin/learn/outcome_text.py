"""What is said of work that the Learn dock has done, and of what there is to do next. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_s3net.plugin.learn.applying import Applied
from napari_s3net.plugin.widgets.text import plural

FIRST = "Choose a folder of images, and one for corrected labels."
NO_LABELS = "No labels yet. Open an image of the folder and label it; Take labels of open layers writes them here."
IMAGE_GONE = "The image was removed, so there is nothing to put labels on."
NONE_CHOSEN = "Stopped before an image without labels was looked at, so there is none to choose."
SLICES_KEPT = " Slices that you look at count as corrected and are kept; the others are not learned from."


def learned_text(record: Mapping[str, Any]) -> str:
    """Say what was learned.

    Parameters
    ----------
    record : mapping
        That of the model's card.

    Returns
    -------
    str
        From how many images, how good it is where that is known, and where it was stopped.
    """
    steps, asked, dice = record["steps"], record["steps asked"], record["dice on images set aside"]
    stopped = f"Stopped after {steps:,} of {plural(asked, 'step')}; Train goes on from there. " if steps < asked else ""
    among = f" ({len(record['set aside']):,} of them)" if record.get("set aside") else ""
    told = "" if dice is None else f" Dice on images set aside{among} {dice:.2f}."
    return f"{stopped}Learned from {plural(record['labelled images'], 'image')}.{told}"


def applied_text(applied: Applied, *, can_be_kept: bool) -> str:
    """Say what a model was applied to, and what to do with its labels.

    Parameters
    ----------
    applied : Applied
        The image and its labels.
    can_be_kept : bool
        Whether the image is one of the folder, so that its labels can be learned from.

    Returns
    -------
    str
        Sentences.
    """
    slices = f" to {applied.done:,} of {plural(applied.slices, 'slice')}" if applied.done < applied.slices else ""
    then = ", then Keep correction and Train" if can_be_kept else ""
    replaced = " Labels that were changed made room; Ctrl-Z brings them back." if applied.replaced_changes else ""
    kept = SLICES_KEPT if can_be_kept and applied.labels.data.ndim > 2 else ""
    return f"Applied{slices}. Correct what is wrong in the Correct dock{then}.{replaced}{kept}"


def next_text(name: str, left: str, *, is_stack: bool) -> str:
    """Say what to do with the image that was chosen to be corrected.

    Parameters
    ----------
    name : str
        Of its file.
    left : str
        What became of the one before.
    is_stack : bool
        Whether it has slices.

    Returns
    -------
    str
        Sentences.
    """
    return f"{name}: correct it, then Keep correction and Train.{SLICES_KEPT if is_stack else ''}{left}"
