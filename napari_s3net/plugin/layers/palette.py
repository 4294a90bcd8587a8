"""Colours of clusters: the object in one accent family, everything else muted; an id always has the same colour.

The object is blue to cyan, which neither skin nor grey images contain; the rest are sands and browns. Blue and yellow
are told apart by nearly everybody, and neighbours in a family differ in lightness.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

Colour = tuple[float, float, float, float]

OBJECT = ("#19c3f2", "#0a74d8", "#7ad6ff", "#0a4a9c", "#3f93e0", "#0891b5")
OTHER = ("#c9b48a", "#8a857c", "#efe6cc", "#6a5d48", "#b8a28a", "#a9814f", "#d2c9b6")
#: Opacity of the others beside the object, so that the image shows through them.
MUTED = 0.45
CLEAR: Colour = (0.0, 0.0, 0.0, 0.0)
#: The mask has one label.
MASK = {None: CLEAR, 0: CLEAR, 1: OBJECT[0]}


def hex_colour(label: int, *, is_object: bool) -> str:
    """The colour of a cluster in the table.

    Parameters
    ----------
    label : int
        The cluster's id, from 1 on. Colours come again after 6 ids of the object, or 7 of the others.
    is_object : bool
        Whether it belongs to the object.

    Returns
    -------
    str
        "#rrggbb".
    """
    family = OBJECT if is_object else OTHER
    return family[(label - 1) % len(family)]


def colour(label: int, *, is_object: bool) -> Colour:
    """The colour of a cluster in the view.

    Parameters
    ----------
    label : int
        The cluster's id, from 1 on.
    is_object : bool
        Whether it belongs to the object; others are half transparent.

    Returns
    -------
    tuple of float
        Red, green, blue and opacity, 0 to 1.
    """
    red, green, blue = (int(hex_colour(label, is_object=is_object)[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0 if is_object else MUTED


def colour_table(
    ids: Iterable[int],
    foreground: Collection[int],
    *,
    object_only: bool = False,
) -> dict[int | None, Colour]:
    """Colours by id for a label layer.

    Parameters
    ----------
    ids : iterable of int
        Every id in use; 0 is always clear.
    foreground : collection of int
        The ids of the object.
    object_only : bool
        Everything else is clear.

    Returns
    -------
    dict of int or None to tuple of float
        Red, green, blue and opacity, 0 to 1; None stands for ids that are not listed.
    """
    table: dict[int | None, Colour] = {None: CLEAR if object_only else colour(2, is_object=False)}
    for label in ids:
        is_object = label in foreground
        table[label] = CLEAR if object_only and not is_object else colour(label, is_object=is_object)
    table[0] = CLEAR
    return table
