"""What a result layer knows about itself: plain values in its metadata, and functions on them. No window needed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.image import Geometry, Meaning, Segmentation
from napari_s3net.labels.matching import match_to_previous, match_to_stack, renumber
from napari_s3net.plugin.layers.source import Index, Source
from napari_s3net.preprocessing.window import to_unit
from napari_s3net.provenance import Provenance
from napari_s3net.volume import cluster_meanings

Metadata = dict[str, Any]


def make_metadata(result: Segmentation, source: Source, geometry: Geometry, preset: str) -> Metadata:
    """Everything that tells how a result was made, for `layer.metadata`.

    The file's path is not among it: a folder's name may be a patient's, and the metadata goes where the layer goes.

    Parameters
    ----------
    result : Segmentation
        Of the plane.
    source : Source
        What was segmented.
    geometry : Geometry
        Of the whole layer.
    preset : str
        The name of the preset that the settings started from.
    """
    made = result.with_provenance(source=source.name, axis=source.axis, slice=source.position, preset=preset)
    return {**made.metadata(), "kind": source.kind, "geometry": geometry}


def with_slice(old: Metadata, new: Metadata) -> Metadata:
    """The note of a stack of which one more slice is done: the new one's, which also knows the old one's ids."""
    ids = set(new["names"])
    foreground = [i for i in old.get("foreground", ()) if i not in ids] + new["foreground"]
    made = Provenance.from_dict(new)
    others = (
        [part for part in Provenance.from_dict(old).slices if part.slice != made.slice] if "settings" in old else []
    )
    slices = (*others, replace(made, slices=()))
    return {
        **new,
        **replace(made, slices=slices).to_dict(),
        "foreground": sorted(foreground),
        "names": {**old.get("names", {}), **new["names"]},
        "meanings": {**old.get("meanings", {}), **new["meanings"]},
    }


def numbered_as_stack(result: Segmentation, known: Metadata, beside: NDArray[Any] | None) -> Segmentation:
    """Number the clusters of a slice so that an id means the same in the whole stack; see `match_to_stack`.

    Parameters
    ----------
    result : Segmentation
        Of the slice.
    known : dict
        The stack's note, as yet without the slice.
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


def numbered_as_before(
    result: Segmentation, known: Metadata, before: NDArray[Any], note: Metadata
) -> tuple[NDArray[np.int32], Metadata]:
    """Another run on the same plane: clusters that were there keep id, name and tick; see `match_to_previous`.

    Parameters
    ----------
    result : Segmentation
        Of the new run.
    known : dict
        The note of the earlier result.
    before : numpy.ndarray
        Its labels.
    note : dict
        The new result's note, as yet with its own numbers.
    """
    features = None if result.image is None else to_unit(result.image, result.settings)
    ids = match_to_previous(result.labels, before, features)
    stayed = set(np.unique(before).tolist()) & set(known["names"])
    names = {i: known["names"][i] if i in stayed else result.names.get(old, "") for old, i in ids.items()}
    ticked = [i for old, i in ids.items() if (i in known["foreground"] if i in stayed else old in result.foreground)]
    meant = known.get("meanings", {})
    new = {i: list(meaning) for old, i in ids.items() if (meaning := result.meanings.get(old)) is not None}
    meanings = {i: meant[i] if i in stayed and i in meant else new.get(i) for i in names}
    about = {"names": names, "meanings": {i: m for i, m in meanings.items() if m}, "foreground": sorted(ticked)}
    return renumber(result.labels, ids), {**note, **about}


def with_tick(note: Metadata, label: int, *, is_object: bool) -> Metadata:
    """The note after a cluster was made object or background."""
    others = [i for i in note["foreground"] if i != label]
    return {**note, "foreground": sorted([*others, label] if is_object else others)}


def with_name(note: Metadata, label: int, name: str) -> Metadata:
    """The note after a cluster was renamed."""
    return {**note, "names": {**note["names"], label: name}}


def with_new_ids(note: Metadata, ids: Iterable[int]) -> Metadata:
    """The note, which also knows ids that the user has painted."""
    new = [int(i) for i in ids if i > 0 and i not in note["names"]]
    return {**note, "names": {**note["names"], **dict.fromkeys(new, "")}} if new else note


def restored(note: Metadata, earlier: Metadata | None) -> Metadata:
    """The note after an undo brought back labels of which the note is remembered."""
    if earlier is None:
        return note
    back = earlier if note["slice"] is None else {**note, **with_slice(note, earlier)}
    back = {**back, "source": note["source"]}  # the image may have been renamed meanwhile
    return note if back == note else back


def object_mask(labels: NDArray[np.integer[Any]], note: Mapping[str, Any]) -> NDArray[np.uint8]:
    """1 where the label belongs to the object, 0 elsewhere; of the labels' shape."""
    ids = [i for i in note["foreground"] if i > 0]
    lut = np.zeros(max([int(labels.max(initial=0)), *ids]) + 1, np.uint8)
    lut[ids] = 1
    return lut[labels]


class MetadataHistory:
    """Which note belonged to which labels, so that an undo brings back the names and the object as well."""

    def __init__(self, limit: int = 32) -> None:
        self._notes: dict[tuple[Index, int], Metadata] = {}
        self._limit = limit

    def remember(self, index: Index, plane: NDArray[Any], note: Metadata) -> None:
        """Keep the note of a plane; the oldest goes when there are too many."""
        key = self._key(index, plane)
        self._notes.pop(key, None)
        self._notes[key] = note
        while len(self._notes) > self._limit:
            del self._notes[next(iter(self._notes))]

    def recall(self, index: Index, plane: NDArray[Any]) -> Metadata | None:
        """The note that a plane with these very labels had."""
        return self._notes.get(self._key(index, plane))

    @staticmethod
    def _key(index: Index, plane: NDArray[Any]) -> tuple[Index, int]:
        return tuple(i if isinstance(i, int) else -1 for i in index), zlib.crc32(np.ascontiguousarray(plane))
