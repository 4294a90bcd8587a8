"""Which slices of a label layer somebody has looked at, or corrected. Kept beside the layer, and goes with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.layers.file_of import file_of
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.renewal import PerLayer

#: A slice that is in view so long has been looked at; slices that the slider passes by have not.
SEEN_MS = 1000


class SliceState(Enum):
    """How far a person is with a slice."""

    UNSEEN = "not looked at"
    SEEN = "looked at"
    CORRECTED = "corrected"


@dataclass(eq=False)
class SliceStates:
    """Of the planes of one layer.

    Parameters
    ----------
    seen, corrected : set of PlaneKey
        Planes that somebody has looked at, and that somebody has changed.
    carried : dict of PlaneKey to int
        Check sums of labels that came from another slice: they are no correction of this one.
    earlier : dict of PlaneKey to set of int
        Check sums of what runs made and of what came from other slices before that: an undo may bring it back.
    """

    seen: set[PlaneKey] = field(default_factory=set)
    corrected: set[PlaneKey] = field(default_factory=set)
    carried: dict[PlaneKey, int] = field(default_factory=dict)
    earlier: dict[PlaneKey, set[int]] = field(default_factory=dict)

    def of(self, key: PlaneKey) -> SliceState:
        """Say how far a person is with a plane.

        Parameters
        ----------
        key : PlaneKey
            The plane.

        Returns
        -------
        SliceState
            "Not looked at" where nothing is known of it.
        """
        if key in self.corrected:
            return SliceState.CORRECTED
        return SliceState.SEEN if key in self.seen else SliceState.UNSEEN

    def copy(self) -> SliceStates:
        """Take them as they are now.

        Returns
        -------
        SliceStates
            Knows nothing of later changes.
        """
        return SliceStates(set(self.seen), set(self.corrected), dict(self.carried), dict(self.earlier))

    def forget(self, key: PlaneKey, run_check_sum: int | None = None) -> None:
        """Take a plane as not looked at: it has got other labels.

        Parameters
        ----------
        key : PlaneKey
            The plane.
        run_check_sum : int, optional
            Of the labels that the run before had made.
        """
        self.seen.discard(key)
        self.corrected.discard(key)
        before = (self.carried.pop(key, None), run_check_sum)
        self.earlier[key] = self.earlier.get(key, set()) | {number for number in before if number is not None}

    def carry(self, key: PlaneKey, check_sum: int) -> None:
        """Note that a plane has got labels from another slice, and has to be looked at.

        Parameters
        ----------
        key : PlaneKey
            The plane.
        check_sum : int
            Of these labels.
        """
        self.forget(key)
        self.carried[key] = check_sum

    def compare(self, key: PlaneKey, check_sum: int, run_check_sum: int) -> None:
        """Note whether a plane is corrected: its labels are neither those of a run nor carried from another slice.

        Parameters
        ----------
        key : PlaneKey
            The plane.
        check_sum, run_check_sum : int
            Of its labels now, and of those that the run made.
        """
        if check_sum in {run_check_sum, self.carried.get(key), *self.earlier.get(key, ())}:
            self.corrected.discard(key)
        else:
            self.corrected.add(key)


_states: PerLayer[Labels, SliceStates] = PerLayer()


def states_of(layer: Labels) -> SliceStates:
    """The states of a layer's slices, to look at and to change.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.

    Returns
    -------
    SliceStates
        The same object at each call, as long as the layer is there.
    """
    return _states.setdefault(layer, SliceStates())


def reviewed_pixels(layer: Labels, *, made: bool) -> NDArray[np.bool_]:
    """Which pixels of a label layer a person answers for.

    Parameters
    ----------
    layer : napari.layers.Labels
        Labels of a plane or of a volume.
    made : bool
        Whether a run or a model made them, and not a person.

    Returns
    -------
    numpy.ndarray
        bool, of the layer's shape: all of a plane, and of a volume that was opened from a file. Else the planes that
        somebody has looked at or corrected, along whichever axis, and slices that somebody painted. Where nothing is
        known of labels that were made, all of them.
    """
    labels, states = np.asarray(layer.data), states_of(layer)
    known = states.seen | states.corrected
    if labels.ndim < 3 or file_of(layer) is not None or (made and not known):
        return np.ones(labels.shape, np.bool_)
    reviewed = np.zeros(labels.shape, np.bool_)
    if not made:
        reviewed[:] = labels.any(axis=(-2, -1), keepdims=True)
    for key in known:
        reviewed[key.index] = True
    return reviewed
