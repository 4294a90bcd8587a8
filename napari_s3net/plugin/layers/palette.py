"""Colours of clusters: the object in one accent family, everything else muted; no two clusters have the same one.

The object is blue to cyan, which neither skin nor grey images contain; the rest are sands and browns. Blue and yellow
are told apart by nearly everybody, and neighbours in a family differ in lightness.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from napari.utils.colormaps import DirectLabelColormap

from napari_s3net.labels.groups import Group

Colour = tuple[float, float, float, float]

OBJECT = ("#19c3f2", "#0a74d8", "#7ad6ff", "#0a4a9c", "#3f93e0", "#0891b5")
OTHER = ("#c9b48a", "#8a857c", "#efe6cc", "#6a5d48", "#b8a28a", "#a9814f", "#d2c9b6")
#: Classes that have names of their own, as in learning: the object's first colour, then those of Okabe and Ito (2008).
CLASSES = (OBJECT[0], "#e69f00", "#009e73", "#0072b2", "#cc79a7", "#f0e442", "#d55e00")
#: Opacity of the others beside the object, so that the image shows through them.
MUTED = 0.45
#: Opacity of the object where it is shown alone, inside its outline.
LIGHT = 0.25
CLEAR: Colour = (0.0, 0.0, 0.0, 0.0)
#: Without numba napari gives labels up to this one a colour of their own, and refuses more.
LARGEST_WITH_COLOUR = 2**16
#: The mask has one label.
MASK = {None: CLEAR, 0: CLEAR, 1: OBJECT[0]}


def colormap_of(colours: Mapping[int | None, Any]) -> DirectLabelColormap:
    """Make napari's colour map of single colours.

    Parameters
    ----------
    colours : mapping of int or None to colour
        By label; None for all others. Labels that napari gives no colour of their own are left to those.

    Returns
    -------
    napari.utils.colormaps.DirectLabelColormap
        Of the other labels.
    """
    return DirectLabelColormap(
        color_dict={i: one for i, one in colours.items() if i is None or 0 <= i <= LARGEST_WITH_COLOUR}
    )


def hex_colour(label: int, *, is_object: bool) -> str:
    """The colour of a cluster.

    Parameters
    ----------
    label : int
        The cluster's id, from 1 on.
    is_object : bool
        Whether it belongs to the object.

    Returns
    -------
    str
        "#rrggbb". Where the family ends it begins again in other tints: the first 50 ids all differ.
    """
    return _of_family(label, OBJECT if is_object else OTHER)


def class_colour(number: int) -> str:
    """The colour of a class beside other classes.

    Parameters
    ----------
    number : int
        From 1 on, in the order in which classes are shown.

    Returns
    -------
    str
        "#rrggbb": for the first seven, hues that are told apart by nearly everybody.
    """
    return _of_family(number, CLASSES)


def _of_family(number: int, family: Sequence[str]) -> str:
    """A colour of a family; where it ends it begins again in other tints."""
    turn, place = divmod(number - 1, len(family))
    if not turn:
        return family[place]
    towards = 255 if turn % 2 else 0
    share = min(0.15 * ((turn + 1) // 2), 0.9)
    red, green, blue = (round(255 * value) for value in _rgb(family[place]))
    return "#" + "".join(f"{round(value + share * (towards - value)):02x}" for value in (red, green, blue))


def group_colours(groups: Sequence[Group]) -> dict[int, str]:
    """The colours of labels that are shown in groups.

    Parameters
    ----------
    groups : sequence of Group
        The object's first.

    Returns
    -------
    dict of int to str
        "#rrggbb" by label: one colour a group.
    """
    colours: dict[int, str] = {}
    for is_object in (True, False):
        side = [group for group in groups if group.is_object == is_object]
        for n, group in enumerate(side, start=1):
            colours |= dict.fromkeys(group.ids, hex_colour(n, is_object=is_object))
    return colours


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
    return (*_rgb(hex_colour(label, is_object=is_object)), 1.0 if is_object else MUTED)


def colour_table(
    ids: Iterable[int], foreground: Collection[int], groups: Sequence[Group] = ()
) -> dict[int | None, Colour]:
    """Colours by id for a label layer.

    Parameters
    ----------
    ids : iterable of int
        Every id in use; 0 is always clear.
    foreground : collection of int
        The ids of the object.
    groups : sequence of Group, optional
        Gives the labels of a group one colour.

    Returns
    -------
    dict of int or None to tuple of float
        Red, green, blue and opacity, 0 to 1; None stands for ids that are not listed.
    """
    of_group = group_colours(groups)
    table: dict[int | None, Colour] = {None: colour(2, is_object=False)}
    for label in ids:
        is_object = label in foreground
        opacity = 1.0 if is_object else MUTED
        shared = of_group.get(label)
        table[label] = colour(label, is_object=is_object) if shared is None else (*_rgb(shared), opacity)
    table[0] = CLEAR
    return table


def object_table(ids: Iterable[int], foreground: Collection[int], painted: Collection[int]) -> dict[int | None, Colour]:
    """Colours for a label layer of which the object alone is shown: one light fill.

    Parameters
    ----------
    ids : iterable of int
        Every id in use.
    foreground : collection of int
        The ids of the object.
    painted : collection of int
        Ids that the user has painted: they are shown too, for nobody paints what is not seen.

    Returns
    -------
    dict of int or None to tuple of float
        As from `colour_table`.
    """
    table: dict[int | None, Colour] = {None: colour(2, is_object=False)}
    for label in ids:
        table[label] = colour(label, is_object=False) if label in painted else CLEAR
        if label in foreground:
            table[label] = (*_rgb(OBJECT[0]), LIGHT)
    table[0] = CLEAR
    return table


def _rgb(text: str) -> tuple[float, float, float]:
    return int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255
