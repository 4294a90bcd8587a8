"""What a result layer knows about itself: plain values in `layer.metadata`, and functions on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.source import Source
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation

Metadata = dict[str, Any]
#: What is known of each id by itself.
BY_ID = ("names", "meanings", "colours", "codes")


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

    Returns
    -------
    dict
        As `Segmentation.metadata`, with "kind" and "geometry"; "axis", "slice" and "time" tell the plane.
    """
    key = source.key
    made = result.with_provenance(source=source.name, axis=key.axis, slice=key.position, time=key.time, preset=preset)
    return {**made.metadata(), "kind": source.kind, "geometry": geometry}


def with_slice(old: Metadata, new: Metadata) -> Metadata:
    """Add one more slice to the metadata of a stack.

    Parameters
    ----------
    old : dict
        The stack's metadata; empty for the first slice.
    new : dict
        That of the slice, with the stack's ids; see `numbered_as_stack`.

    Returns
    -------
    dict
        As `new`, with the names, meanings and object ids of both; what both know is the new one's. "slices" tells of
        each slice how it was made.
    """
    return with_slices(old, new, (replace(Provenance.from_dict(new), slices=()),))


def with_slices(old: Metadata, new: Metadata, parts: Sequence[Provenance]) -> Metadata:
    """Add several slices to the metadata of a stack, as `with_slice` adds one.

    Parameters
    ----------
    old : dict
        The stack's metadata; empty for the first slices.
    new : dict
        That of a run on the slices, with the stack's ids.
    parts : sequence of Provenance
        How each of them was made.

    Returns
    -------
    dict
        As from `with_slice`.
    """
    foreground = [i for i in old.get("foreground", ()) if i not in new["names"]] + new["foreground"]
    places = {_place(part) for part in parts}
    before = Provenance.from_dict(old).slices if "settings" in old else ()
    others = (part for part in before if _place(part) not in places)
    span = old.get("span") or old.get("earlier_span")
    return {
        **new,
        **({} if span is None else {"earlier_span": span}),
        **replace(Provenance.from_dict(new), slices=(*others, *parts)).to_dict(),
        "foreground": sorted(foreground),
        **{entry: {**old.get(entry, {}), **new.get(entry, {})} for entry in BY_ID},
    }


def made_in_view(metadata: Metadata, key: PlaneKey) -> Metadata | None:
    """Say how the plane in view was made: of a stack, by a run of its own or by one on several slices.

    Parameters
    ----------
    metadata : dict
        Of the layer.
    key : PlaneKey
        The plane in view.

    Returns
    -------
    dict or None
        As `metadata`; with "span" (first slice, last slice, number of slices) where it was made with others. None where
        no run has made it.
    """
    parts = Provenance.from_dict(metadata).slices
    if not parts:
        return metadata
    own = next((part for part in parts if _place(part) == (key.axis, key.position, key.time)), None)
    if own is None:
        return None
    first, last, _ = metadata.get("span", (1, 0, 0))
    if key.position is not None and first <= key.position <= last:
        return metadata
    made = {**metadata, **own.to_dict()}
    made.pop("span", None)
    # The record of a slice that was made with others has no losses: they stand with all of them.
    return made if own.losses or "earlier_span" not in metadata else {**made, "span": metadata["earlier_span"]}


def with_tick(metadata: Metadata, label: int, *, is_object: bool) -> Metadata:
    """Make a cluster object or background.

    Parameters
    ----------
    metadata : dict
        Stays as it is.
    label : int
        The cluster's id.
    is_object : bool
        Whether it belongs to the object from now on.

    Returns
    -------
    dict
        A changed copy; the object's ids in ascending order.
    """
    others = [i for i in metadata["foreground"] if i != label]
    return {**metadata, "foreground": sorted([*others, label] if is_object else others)}


def with_name(metadata: Metadata, label: int, name: str) -> Metadata:
    """Rename a cluster.

    Parameters
    ----------
    metadata : dict
        Stays as it is.
    label : int
        The cluster's id.
    name : str
        Its new name.

    Returns
    -------
    dict
        A changed copy.
    """
    return {**metadata, "names": {**metadata["names"], label: name}}


def with_new_ids(metadata: Metadata, ids: Iterable[int]) -> Metadata:
    """Add ids that the user has painted, without names.

    Parameters
    ----------
    metadata : dict
        Stays as it is.
    ids : iterable of int
        The ids in the labels; 0 and those that are known are skipped.

    Returns
    -------
    dict
        A changed copy; `metadata` itself where no id is new.
    """
    new = [int(i) for i in ids if i > 0 and i not in metadata["names"]]
    return {**metadata, "names": {**metadata["names"], **dict.fromkeys(new, "")}} if new else metadata


def restored(metadata: Metadata, earlier: Metadata | None) -> Metadata:
    """The metadata after an undo or redo brought earlier labels back.

    Parameters
    ----------
    metadata : dict
        What the layer has now.
    earlier : dict or None
        What it had with these labels; None where that is not remembered.

    Returns
    -------
    dict
        Names and object as they were then, under the image's present name and geometry; of a stack only those of the
        slice change. `metadata` itself where nothing changes.
    """
    # The image may have been renamed meanwhile, or have got a pixel size.
    present: Metadata = {name: metadata[name] for name in ("source", "geometry") if name in metadata}
    if earlier is None or {**earlier, **present} == metadata:  # as at every step through a volume
        return metadata
    back = earlier if metadata["slice"] is None else {**metadata, **with_slice(metadata, earlier)}
    back = {**back, **present}
    return metadata if back == metadata else back


def mask_of_layer(labels: NDArray[np.integer[Any]], metadata: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Make the mask of the object.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers from 0 on, of any shape.
    metadata : mapping
        Its "foreground" lists the object's ids; 0 is never the object.

    Returns
    -------
    numpy.ndarray
        uint8, of the labels' shape: 1 where the label belongs to the object, 0 elsewhere.
    """
    ids = [i for i in metadata["foreground"] if i > 0]
    lut = np.zeros(max([int(labels.max(initial=0)), *ids]) + 1, np.uint8)
    lut[ids] = 1
    mask: NDArray[np.uint8] = lut[labels]
    return mask


def _place(made: Provenance) -> tuple[int | None, ...]:
    """Which plane of a stack a part of it is."""
    return made.axis, made.slice, made.time
