"""What each tool does to the labels, the object and the names of one plane. No window needed.

Locked labels stay as they are, bit for bit; locked parts are the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_s3net import labels as edit
from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.edit import keep_locked
from napari_s3net.labels.ids import ids_in

#: What a tool acts on: the object as one region; every label, one after the other; or these labels.
Scope = Literal["object", "all"] | int | Sequence[int]


@dataclass(frozen=True, eq=False)
class Plane:
    """Labels of a plane with what is known about them.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W).
    foreground : tuple of int
        The object's labels; of labels made elsewhere all above 0.
    names : mapping of int to str
        Of each label, for the screen.
    highest : int
        The highest number that labels of the layer have in other planes; new ones come above.
    """

    labels: NDArray[Any]
    foreground: tuple[int, ...]
    names: Mapping[int, str]
    highest: int = 0

    def regions(self, scope: Scope) -> list[tuple[int, ...]]:
        """The regions that a tool acts on, one after the other.

        Parameters
        ----------
        scope : str, int or tuple of int
            The object, the selected label, or each label.

        Returns
        -------
        list of tuple of int
            The labels that each region is made of; empty for "object" where there is none.
        """
        if scope == "object":
            return [self.foreground] if self.foreground else []
        if scope == "all":
            return [(i,) for i in ids_in(self.labels)]
        return [(scope,)] if isinstance(scope, int) else [(int(i),) for i in scope]

    def name_of(self, label: int) -> str:
        """The name of a label, for the screen.

        Parameters
        ----------
        label : int
            The label's number.

        Returns
        -------
        str
            "Cluster 3" where it has none.
        """
        return self.names.get(label) or f"Cluster {label}"


def reshape(
    plane: Plane, scope: Scope, locked: Collection[int], change: Callable[[NDArray[Any], Collection[int]], NDArray[Any]]
) -> Plane:
    """Change the shape of regions.

    Parameters
    ----------
    plane : Plane
        The labels before.
    scope : "object", "all", int or sequence of int
        Which regions.
    locked : collection of int
        Labels that stay.
    change : callable
        Takes labels (H, W) and the labels of one region, and returns new labels; as in `napari_s3net.labels`.

    Returns
    -------
    Plane
        The labels after; object and names are the same.

    Raises
    ------
    InvalidImageError
        If there is no such region.
    """
    regions = plane.regions(scope)
    if not regions:
        raise InvalidImageError("There is nothing to act on: select a label in the list, or tick one as object.")
    labels = plane.labels
    for ids in regions:
        labels = change(labels, ids)
    return replace(plane, labels=keep_locked(plane.labels, labels, locked))


def merge(plane: Plane, ids: Sequence[int], locked: Collection[int]) -> Plane:
    """Make one label of several: that of the lowest number.

    Parameters
    ----------
    plane : Plane
        The labels before.
    ids : sequence of int
        Two labels or more.
    locked : collection of int
        Labels that stay, and that get no pixel.

    Returns
    -------
    Plane
        The labels after; object and names are the same.

    Raises
    ------
    InvalidImageError
        If fewer than two labels are given.
    """
    if len(ids) < 2:
        raise InvalidImageError("Select two or more labels in the list to merge them.")
    into = min(ids)
    labels = keep_locked(plane.labels, edit.merge(plane.labels, ids, into), locked)
    return replace(plane, labels=labels)


def split_parts(plane: Plane, ids: Sequence[int], locked: Collection[int]) -> Plane:
    """Give each connected part of labels an id of its own; the largest part keeps the label.

    Parameters
    ----------
    plane : Plane
        The labels before.
    ids : sequence of int
        Which labels; those that are locked are skipped.
    locked : collection of int
        Labels that stay.

    Returns
    -------
    Plane
        New ids are object where their label was, and named after it: "Lesion 2".

    Raises
    ------
    InvalidImageError
        If no label is given.
    """
    if not ids:
        raise InvalidImageError("Select a label in the list to split it.")
    labels, foreground, names = plane.labels, list(plane.foreground), dict(plane.names)
    for label in (i for i in ids if i not in locked):
        used = max(plane.highest, *names, 0)
        labels, given = edit.split_components(labels, label, used=used)
        for n, i in enumerate(given, 2):
            names[i] = f"{plane.name_of(label)} {n}"
        foreground += given if label in foreground else []
    return replace(plane, labels=labels, foreground=tuple(sorted(foreground)), names=names)


def split_between(plane: Plane, first: tuple[int, int], second: tuple[int, int], locked: Collection[int]) -> Plane:
    """Cut a part in two where it is narrowest between two clicks; see `labels.edit.split_between`.

    Parameters
    ----------
    plane : Plane
        The labels before.
    first, second : tuple of int
        Row and column of the clicks; the half of the first keeps the label.
    locked : collection of int
        Labels that stay.

    Returns
    -------
    Plane
        The other half has a new id, is object where the label was, and is named after it: "Lesion 2".

    Raises
    ------
    InvalidImageError
        If the clicks are not two places of one part, or its label is locked.
    """
    label = int(plane.labels[first])
    _refuse(label, locked)
    labels, given = edit.split_between(plane.labels, first, second, used=max(plane.highest, *plane.names, 0))
    foreground = (*plane.foreground, given) if label in plane.foreground else plane.foreground
    names = {**plane.names, given: f"{plane.name_of(label)} 2"}
    return replace(plane, labels=labels, foreground=tuple(sorted(foreground)), names=names)


def assign(plane: Plane, point: tuple[int, int], to: int, locked: Collection[int]) -> Plane:
    """Give the connected part under a click to another label.

    Parameters
    ----------
    plane : Plane
        The labels before.
    point : tuple of int
        Row and column of the click.
    to : int
        The label that gets the part.
    locked : collection of int
        Labels that stay, and that get no pixel.

    Returns
    -------
    Plane
        The labels after; object and names are the same.

    Raises
    ------
    InvalidImageError
        If one of the two labels is locked.
    """
    _refuse(int(plane.labels[point]), locked)
    _refuse(to, locked)
    return replace(plane, labels=edit.assign_component(plane.labels, point, to))


def swap_sides(plane: Plane, locked: Collection[int]) -> Plane:
    """What was object becomes background, and the other way round.

    Numbers, and with them names, colours and codes, stay; pixels without a label stay background. Only where there is
    no label beside the object's, as in a mask, its labels become 0, and 0 becomes the first of them.

    Parameters
    ----------
    plane : Plane
        The labels before.
    locked : collection of int
        Labels that must not change.

    Returns
    -------
    Plane
        With the other labels as the object; of a volume in every slice.

    Raises
    ------
    InvalidImageError
        If a label of the plane is locked.
    """
    ids = set(ids_in(plane.labels))
    if not ids.isdisjoint(locked):
        raise InvalidImageError("Unlock the labels before swapping object and background.")
    inside = set(plane.foreground)
    if ids - inside:
        return replace(plane, foreground=tuple(sorted({*plane.names, *ids} - {0, *inside})))
    first = min(ids, default=1)
    labels = np.where(plane.labels == 0, first, 0).astype(plane.labels.dtype)
    return replace(plane, labels=labels, foreground=plane.foreground or (first,))


def _refuse(label: int, locked: Collection[int]) -> None:
    if label in locked:
        raise InvalidImageError(f"Label {label} is locked. Unlock it first.")
