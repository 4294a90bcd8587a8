"""The numbers of a run's clusters in its layer: those of the stack, or of the run before on the same plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.labels.ids import ids_in
from napari_s3net.labels.matching import match_to_previous, match_to_stack, renumber
from napari_s3net.plugin.layers.metadata import Metadata
from napari_s3net.preprocessing.window import to_unit
from napari_s3net.result import Segmentation
from napari_s3net.segments import Meaning
from napari_s3net.volume.slices import cluster_meanings


def numbers_of(fresh: NDArray[Any], numbered: NDArray[Any]) -> dict[int, int]:
    """Find the number in a layer of each label of a run.

    Parameters
    ----------
    fresh, numbered : numpy.ndarray
        Of one shape: the labels of a run, and the same with the layer's numbers.

    Returns
    -------
    dict of int to int
        The layer's number by the run's own.
    """
    lut = np.zeros(int(fresh.max(initial=0)) + 1, np.int64)
    lut[fresh] = numbered
    return {i: int(number) for i, number in enumerate(lut) if number}


def numbered_as_stack(result: Segmentation, known: Metadata, beside: NDArray[Any] | None) -> Segmentation:
    """Number the clusters of a slice so that an id means the same in the whole stack; see `match_to_stack`.

    Parameters
    ----------
    result : Segmentation
        Of the slice.
    known : dict
        The stack's metadata, as yet without the slice.
    beside : numpy.ndarray or None
        Labels of a slice next to it.

    Returns
    -------
    Segmentation
        As `result`, with the stack's ids; an id that the stack knows keeps its name.
    """
    of_stack, named = known.get("meanings", {}), known.get("names", {})
    taken = {i: (i in known["foreground"], Meaning(*of_stack[i]) if i in of_stack else None) for i in named}
    meanings = cluster_meanings(result)
    ids = match_to_stack(result.labels, meanings, taken, beside)
    return replace(
        result,
        labels=renumber(result.labels, ids),
        foreground=tuple(ids[label] for label, (is_object, _) in meanings.items() if is_object),
        names={i: named.get(i) or result.names.get(label, "") for label, i in ids.items()},
        meanings={ids[label]: meaning for label, (_, meaning) in meanings.items() if meaning is not None},
    )


def ids_as_before(result: Segmentation, before: NDArray[Any]) -> dict[int, int]:
    """Match the clusters of another run on a plane to those that were there; see `match_to_previous`.

    Parameters
    ----------
    result : Segmentation
        Of the new run.
    before : numpy.ndarray
        (H, W), the earlier labels.

    Returns
    -------
    dict of int to int
        An id for each of the new clusters.
    """
    features = None if result.image is None else to_unit(result.image, result.settings)
    return match_to_previous(result.labels, before, features)


def numbered_as_before(
    result: Segmentation,
    known: Metadata,
    before: NDArray[Any],
    metadata: Metadata,
    ids: dict[int, int] | None = None,
) -> tuple[NDArray[np.int32], Metadata]:
    """Number the clusters of another run on a plane: those that were there keep id, name and tick.

    Which ones were there is decided by `ids_as_before`.

    Parameters
    ----------
    result : Segmentation
        Of the new run.
    known : dict
        The metadata of the earlier result.
    before : numpy.ndarray
        (H, W), its labels.
    metadata : dict
        The new result's metadata, as yet with its own numbers.
    ids : dict of int to int, optional
        What `ids_as_before` gave, where it was asked already.

    Returns
    -------
    labels : numpy.ndarray
        (H, W) int32, the new labels with their final ids.
    metadata : dict
        As `metadata`, with these ids.
    """
    ids = ids_as_before(result, before) if ids is None else ids
    stayed = set(ids_in(before)) & set(known["names"])
    come = [old for old, i in ids.items() if i not in stayed]
    result = _told_apart(result, {known["names"][i] for i in stayed}, come)
    names = {i: known["names"][i] if i in stayed else result.names.get(old, "") for old, i in ids.items()}
    ticked = [i for old, i in ids.items() if (i in known["foreground"] if i in stayed else old in result.foreground)]
    meant = known.get("meanings", {})
    new = {i: list(meaning) for old, i in ids.items() if (meaning := result.meanings.get(old)) is not None}
    meanings = {i: meant[i] if i in stayed and i in meant else new.get(i) for i in names}
    about = {"names": names, "meanings": {i: m for i, m in meanings.items() if m}, "foreground": sorted(ticked)}
    for entry in ("colours", "codes"):  # a run gives none: they are the user's
        about[entry] = {i: own for i, own in known.get(entry, {}).items() if i in stayed and i in names}
    return renumber(result.labels, ids), {**metadata, **about}


def _told_apart(result: Segmentation, taken: set[str], labels: Iterable[int]) -> Segmentation:
    """A result of which some labels come beside others, which have their names already."""
    names, meanings = dict(result.names), dict(result.meanings)
    for label in labels:
        if label in meanings and names.get(label) == meanings[label].name:
            meanings[label] = meanings[label].told_apart(taken)
            names[label] = meanings[label].name
            taken = taken | {names[label]}
    return replace(result, names=names, meanings=meanings)
