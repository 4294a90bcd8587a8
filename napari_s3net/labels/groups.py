"""The few groups in which the labels of a result are shown; the labels themselves stay as they are."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from napari_s3net.labels.measure import Cluster
from napari_s3net.segments import Meaning

#: More than four colours are a map that has to be read; four are seen.
MOST = 4
#: What is left when there are more names than groups.
OTHER = "Other"
#: Labels that are called like the object, but were unticked.
BACKGROUND = "background"


@dataclass(frozen=True)
class Group:
    """Labels that are shown as one.

    Parameters
    ----------
    name : str
        For the screen.
    ids : tuple of int
        Its labels, ascending.
    is_object : bool
        Whether they belong to the object.
    """

    name: str
    ids: tuple[int, ...]
    is_object: bool


def group_labels(
    names: Mapping[int, str],
    meanings: Mapping[int, Sequence[object]],
    foreground: Collection[int],
    object_name: str = "",
) -> tuple[Group, ...]:
    """Sort the labels of a result into a few groups by what they are.

    The proposed object's labels are told apart by their shade, all others by tissue alone. Where that gives too many
    groups, the object becomes one, and the names with the fewest labels become "Other".

    Parameters
    ----------
    names : mapping of int to str
        Of every label; a name that a user has given makes a group of its own.
    meanings : mapping of int to sequence
        What labels are, in the values of a `Meaning`; some may lack one.
    foreground : collection of int
        The labels of the object.
    object_name : str, optional
        What was proposed, such as "Lesion"; labels of another tissue that were ticked since have no shades.

    Returns
    -------
    tuple of Group
        The object's first, then the others, those of the most labels first. Every label is in exactly one, and no two
        have one name.
    """
    ids = sorted({*names, *foreground})
    tissues = {i: _called(names.get(i, ""), meanings.get(i)) for i in ids}
    shades = {i: _called(names.get(i, ""), meanings.get(i), object_name) for i in ids if i in foreground}
    others = _by_name({i: name for i, name in tissues.items() if i not in foreground}, is_object=False)
    objects = sorted(_by_name(shades, is_object=True), key=lambda group: group.name != object_name)
    if len(objects) + len(others) > MOST:
        objects = _fewer(_by_name({i: tissues[i] for i in shades}, is_object=True), max(1, MOST - len(others)))
    return (*objects, *_told_apart(_fewer(others, MOST - len(objects)), objects))


def join_clusters(clusters: Iterable[Cluster], group: Group) -> Cluster | None:
    """Measure a group, from what was measured of its labels.

    Parameters
    ----------
    clusters : iterable of Cluster
        Of a plane.
    group : Group
        Says which of them.

    Returns
    -------
    Cluster or None
        Under the id of the group's largest label in the plane; None where the plane has none of them.
    """
    parts = [one for one in clusters if one.id in group.ids]
    if not parts:
        return None
    pixels = sum(part.pixels for part in parts)
    mean = sum(part.pixels * part.mean for part in parts) / pixels
    square = sum(part.pixels * (part.sd**2 + (part.mean - mean) ** 2) for part in parts) / pixels
    return replace(
        max(parts, key=lambda part: part.pixels),
        name=group.name,
        is_object=group.is_object,
        pixels=pixels,
        share=sum(part.share for part in parts),
        area=sum(part.area for part in parts),
        mean=mean,
        sd=math.sqrt(square),
        colour=None,
    )


def _called(name: str, meaning: Sequence[object] | None, shaded: str = "") -> str:
    """What a label is called in its group: as the user named it, else its tissue; of one tissue with the shade."""
    if meaning is not None:
        known = Meaning(*meaning)  # type: ignore[arg-type]  # from JSON
        if name in ("", known.name):
            return known._replace(rank=0).name if known.tissue == shaded else known.tissue
    return name


def _by_name(names: Mapping[int, str], *, is_object: bool) -> list[Group]:
    """One group a name; labels without a name, painted by hand, are each their own."""
    found: dict[str, list[int]] = defaultdict(list)
    for i, name in names.items():
        found[name or f"Cluster {i}"].append(i)
    groups = [Group(name, tuple(members), is_object) for name, members in found.items()]
    return sorted(groups, key=lambda group: -len(group.ids))


def _told_apart(others: list[Group], objects: list[Group]) -> list[Group]:
    """Labels that are called like a part of the object, but are none: they say so."""
    taken = {group.name for group in objects}
    return [replace(one, name=f"{one.name}, {BACKGROUND}") if one.name in taken else one for one in others]


def _fewer(groups: list[Group], most: int) -> list[Group]:
    """Join the last ones until there are no more than so many."""
    if len(groups) <= most:
        return groups
    kept, rest = groups[: most - 1], groups[most - 1 :]
    name = rest[0].name if rest[0].is_object else OTHER
    return [*kept, Group(name, tuple(sorted(i for group in rest for i in group.ids)), rest[0].is_object)]
