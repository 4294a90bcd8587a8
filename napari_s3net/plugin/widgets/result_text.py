"""What the Segment dock says of a result: what was found, how certain that is, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_s3net.foreground.constants import VotingConstants
from napari_s3net.foreground.proposal import SURE
from napari_s3net.plugin.widgets.device_text import device_label
from napari_s3net.plugin.widgets.text import NARROW, plural, seconds_text, share_text

#: Below this expected Dice nothing is proposed.
LEAST = VotingConstants.least_confidence


def outcome_text(about: Mapping[str, Any], share: float, area: str) -> str:
    """The line that says what was found.

    Parameters
    ----------
    about : mapping
        The result's metadata; see `layers.metadata.make_metadata`.
    share : float
        Of the object in the plane in view, 0 to 1.
    area : str
        Its area, as from `area_text`.

    Returns
    -------
    str
        "Lesion 38.2 mm² (21 % of the image) · sure"; the last word where the result has one.
    """
    certainty = about.get("certainty", "")
    if not about["foreground"]:
        return "No clear object" if certainty else "No object proposed"
    is_stack = about["slice"] is not None or ("geometry" in about and about["geometry"].ndim == 3)
    where = "slice" if is_stack else "image"
    percent = share_text(share) if share < 0.1 else f"{100 * share:.0f}{NARROW}%"
    whole = f"({percent} of the {where})" + (f" · {certainty}" if certainty else "")
    # Where there is no room for a line, it breaks before the bracket.
    return f"{about.get('object_name', 'Object')} {area} {whole.replace(' ', NARROW)}"


def certainty_tip(about: Mapping[str, Any]) -> str:
    """What stands behind the word for how certain a result is.

    Parameters
    ----------
    about : mapping
        The result's metadata.

    Returns
    -------
    str
        Two sentences with the number; empty where the result has none.
    """
    confidence = about.get("confidence")
    if not about.get("certainty") or confidence is None or not 0 <= confidence <= 1:
        return ""
    return (
        f"Expected overlap (Dice) with an outline drawn by hand: {confidence:.2f} of 1, as far as the network knows "
        f"itself. sure: {SURE:g} or more; look: check the outline first; no clear object: below {LEAST:g}."
    )


def effort_text(about: Mapping[str, Any]) -> str:
    """How a result was made, in a line.

    Parameters
    ----------
    about : mapping
        The result's metadata.

    Returns
    -------
    str
        "40 iterations · 1.9 s · CPU", and the run's note where it has one; a model that is applied takes no iterations.
    """
    n = about["iterations"]
    stopped = f"stopped after {n}" if n else "stopped"
    done = stopped if about["stopped"] else plural(n, "iteration") if n else ""
    line = " · ".join(filter(None, (done, seconds_text(about["seconds"]), device_label(about["device"]))))
    return f"{line}. {about['note']}" if about.get("note") else line
