"""Colours of clusters: the object in one accent family, everything else muted; an id always has the same colour.

Told apart by lightness as well as hue, so that they stay apart for colour-blind people: the object is blue to cyan,
which neither skin nor grey images contain, the rest are sands and greys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

Colour = tuple[float, float, float, float]

OBJECT = ("#19c3f2", "#0a84d8", "#8ee6ff", "#0a5fb4", "#4fa8ee", "#00a3a8", "#b5ecfa", "#3f73d9")
OTHER = ("#c9b48a", "#8d8d94", "#e3ddcc", "#6f6a5e", "#aca1b5", "#b0895c", "#d4d4da", "#7c7489")
#: Opacity of the others beside the object, so that the image shows through them.
MUTED = 0.45
CLEAR: Colour = (0.0, 0.0, 0.0, 0.0)
#: The outline of the cluster under the mouse, and how much of the other outlines is left.
OUTLINE: Colour = (1.0, 0.9, 0.2, 1.0)
BEHIND = 0.35
#: The mask has one label.
MASK = {None: CLEAR, 0: CLEAR, 1: OBJECT[0]}


def hex_colour(label: int, *, is_object: bool) -> str:
    """The colour of a cluster as "#rrggbb", as in the table."""
    family = OBJECT if is_object else OTHER
    return family[(label - 1) % len(family)]


def colour(label: int, *, is_object: bool) -> Colour:
    """The colour of a cluster in the view, red, green, blue and opacity from 0 to 1."""
    red, green, blue = (int(hex_colour(label, is_object=is_object)[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0 if is_object else MUTED


def colour_table(
    ids: Iterable[int],
    foreground: Collection[int],
    *,
    object_only: bool = False,
    outlined: int | None = None,
) -> dict[int | None, Colour]:
    """Colours by id for a label layer; None stands for ids that are not listed.

    Parameters
    ----------
    ids : iterable of int
        Every id in use; 0 is always clear.
    foreground : collection of int
        The ids of the object.
    object_only : bool
        Everything else is clear.
    outlined : int, optional
        The cluster that stands out while the others step back.
    """
    table: dict[int | None, Colour] = {None: CLEAR if object_only else colour(2, is_object=False)}
    for label in ids:
        is_object = label in foreground
        table[label] = CLEAR if object_only and not is_object else colour(label, is_object=is_object)
    if outlined is not None:
        table = {label: (*rgb, alpha * BEHIND) for label, (*rgb, alpha) in table.items()}
        table[outlined] = OUTLINE
    table[0] = CLEAR
    return table
