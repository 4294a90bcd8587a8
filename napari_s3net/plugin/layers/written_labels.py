"""Labels written to a layer, as one step of its undo or past it; and the steps that its own history has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.layers.packed import PackedPlane
from napari_s3net.plugin.layers.plane_key import Index, PlaneKey

#: Back, or back again.
Way = Literal["undo", "redo"]


def write_unrecorded(layer: Labels, index: Index, plane: NDArray[Any]) -> None:
    """Write a plane that undo knows nothing of: for previews and for going back.

    Parameters
    ----------
    layer : napari.layers.Labels
        Is written to.
    index : tuple
        The plane in the layer's array, from `PlaneKey.index`.
    plane : numpy.ndarray
        (H, W), the labels.
    """
    layer.data[index] = plane
    layer.refresh(extent=False)


def write_undoable(layer: Labels, index: Index, plane: NDArray[Any]) -> None:
    """Write a plane as one step that undo takes back.

    Parameters
    ----------
    layer : napari.layers.Labels
        Is written to, where the labels differ.
    index : tuple
        The plane in the layer's array, from `PlaneKey.index`.
    plane : numpy.ndarray
        (H, W), the labels.
    """
    changed = np.nonzero(layer.data[index] != plane)
    axes = iter(axis.astype(np.int32) for axis in changed)
    where = tuple(next(axes) if isinstance(i, slice) else np.full(len(changed[0]), i, np.int32) for i in index)
    with layer.block_history():
        layer.data_setitem(where, plane[changed].astype(layer.data.dtype))
    layer.refresh(extent=False)


def write_planes_undoable(layer: Labels, planes: Mapping[PlaneKey, NDArray[Any]]) -> dict[PlaneKey, PackedPlane]:
    """Write several planes as one step that undo takes back; the step keeps them compressed.

    Parameters
    ----------
    layer : napari.layers.Labels
        Is written to.
    planes : mapping of PlaneKey to numpy.ndarray
        New labels (H, W) of each plane.

    Returns
    -------
    dict of PlaneKey to PackedPlane
        The planes as they were written.
    """
    before = {key: PackedPlane.of(layer.data[key.index]) for key in planes}
    for key, plane in planes.items():
        layer.data[key.index] = plane
    after = {key: PackedPlane.of(layer.data[key.index]) for key in planes}
    record_planes(layer, before, after)
    layer.refresh(extent=False)
    return after


def record_planes(layer: Labels, before: Mapping[PlaneKey, PackedPlane], after: Mapping[PlaneKey, PackedPlane]) -> None:
    """Make one step of undo of planes that are written already.

    Parameters
    ----------
    layer : napari.layers.Labels
        Holds the planes.
    before, after : mapping of PlaneKey to PackedPlane
        What each plane had, and what it has now.
    """
    with layer.block_history():
        for key, plane in after.items():
            # A step is index, earlier and later values; that of napari's `data_setitem` has an index of each pixel.
            layer._save_history((key.index, before[key], plane))  # noqa: SLF001


def planes_of_step(layer: Labels, what: Way) -> dict[PlaneKey, int]:
    """Find the planes that an undo or redo will write as a whole; see `record_planes`.

    Parameters
    ----------
    layer : napari.layers.Labels
        Holds the planes.
    what : {"undo", "redo"}
        What will be done.

    Returns
    -------
    dict of PlaneKey to int
        Check sums of the labels that each will have; empty where the step is one of napari's own.
    """
    steps = steps_left(layer, what)
    found = {}
    for atom in steps[-1] if steps else ():
        if isinstance(atom[1], PackedPlane):  # what a brush has painted is kept in another way
            index, before, after = atom
            key = PlaneKey(tuple(None if isinstance(i, slice) else i for i in index))
            found[key] = (before if what == "undo" else after).check_sum
    return found


def steps_left(layer: Labels, what: Way) -> Sequence[Any]:
    """The steps that a layer's own history can take back or do again.

    Parameters
    ----------
    layer : napari.layers.Labels
        Any label layer.
    what : {"undo", "redo"}
        Which of the two.

    Returns
    -------
    sequence
        The next one last; empty where the history was cleared, or gone through.
    """
    history: Sequence[Any] = layer._undo_history if what == "undo" else layer._redo_history  # noqa: SLF001 - no public way
    return history
