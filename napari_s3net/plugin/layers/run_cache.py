"""The last run on each plane of a label layer: the network's weights, and the labels that "Revert" goes back to.

Not in the layer's metadata, which napari copies and writers see. It goes when the layer goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.layers.packed import PackedPlane
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.renewal import PerLayer
from napari_s3net.plugin.layers.slice_states import states_of


@dataclass(frozen=True, eq=False)
class CachedRun:
    """The last run on one plane.

    Parameters
    ----------
    state : mapping of str to numpy.ndarray
        The network's weights; empty for labels made elsewhere.
    made : PackedPlane
        The labels as the run, or the last re-run with strokes, made them.
    first : PackedPlane
        The labels as the run made them before anything was corrected.
    numbers : mapping of int to int or None
        The layer's number of each label by the run's own; None where that is not known, as after a session was
        reopened.
    proposed : tuple of int
        The layer's numbers of the labels that the run proposed as the object.
    """

    state: Mapping[str, NDArray[Any]]
    made: PackedPlane
    first: PackedPlane
    numbers: Mapping[int, int] | None = None
    proposed: tuple[int, ...] = ()

    @property
    def labels(self) -> NDArray[Any]:
        """As the run made them, (H, W)."""
        return self.made.labels


_runs: PerLayer[Labels, dict[PlaneKey, CachedRun]] = PerLayer()


def cache_run(
    layer: Labels,
    key: PlaneKey,
    state: Mapping[str, NDArray[Any]],
    *,
    corrects: bool = False,
    packed: PackedPlane | None = None,
    numbers: Mapping[int, int] | None = None,
    proposed: tuple[int, ...] = (),
) -> None:
    """After a run on a plane: keep its labels as they are in the layer, and the network's weights.

    Parameters
    ----------
    layer : napari.layers.Labels
        Holds the labels; what is kept goes when the layer goes.
    key : PlaneKey
        The plane.
    state : mapping of str to numpy.ndarray
        The network's weights; empty where there are none.
    corrects : bool
        Whether it was a re-run with strokes, which corrects the labels of an earlier run.
    packed : PackedPlane, optional
        These labels, where they are packed already.
    numbers, proposed : optional
        See `CachedRun`; those of the run that is corrected stay.
    """
    made = packed or PackedPlane.of(layer.data[key.index])
    before = cached_run(layer, key)
    earlier = before if corrects else None
    if earlier is None:
        states_of(layer).forget(key, None if before is None else before.first.check_sum)
        put_run(layer, key, CachedRun(state, made, made, numbers, proposed))
    else:
        put_run(layer, key, replace(earlier, state=state, made=made))


def remember_as_found(layer: Labels, key: PlaneKey) -> None:
    """Keep the labels of a plane that no run of this program has made, to go back to; what is known of it stays.

    Parameters
    ----------
    layer : napari.layers.Labels
        Holds the labels.
    key : PlaneKey
        The plane; where a run on it is known, nothing changes.
    """
    if cached_run(layer, key) is None:
        found = PackedPlane.of(layer.data[key.index])
        put_run(layer, key, CachedRun({}, found, found))


def put_run(layer: Labels, key: PlaneKey, run: CachedRun) -> None:
    """Keep a run as it was kept before, as that of a session that is reopened.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.
    key : PlaneKey
        The plane.
    run : CachedRun
        Takes the place of what was known of the plane.
    """
    _runs.setdefault(layer, {})[key] = run


def known_runs(layer: Labels) -> dict[PlaneKey, CachedRun]:
    """The last run on every plane, as it is known now.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.

    Returns
    -------
    dict of PlaneKey to CachedRun
        For `bring_back`; knows nothing of later runs.
    """
    return dict(_runs.get(layer, {}))


def bring_back(layer: Labels, runs: Mapping[PlaneKey, CachedRun]) -> None:
    """Take earlier runs for the last ones, as after an undo of what came later; planes without one have none.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.
    runs : mapping of PlaneKey to CachedRun
        From `known_runs`.
    """
    _runs[layer] = dict(runs)


def first_labels(layer: Labels) -> dict[PlaneKey, PackedPlane]:
    """The labels of every plane as the run made them, before anything was corrected.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.

    Returns
    -------
    dict of PlaneKey to PackedPlane
        Of the planes of which a run is known.
    """
    return {key: run.first for key, run in _runs.get(layer, {}).items() if cached_run(layer, key) is not None}


def compare_with_runs(layer: Labels, check_sums: Mapping[PlaneKey, int]) -> None:
    """Note of several planes whether they are corrected, as after an undo that has changed all of them.

    Parameters
    ----------
    layer : napari.layers.Labels
        Holds the labels.
    check_sums : mapping of PlaneKey to int
        Of the labels that each plane has now.
    """
    for key, check_sum in check_sums.items():
        if (run := cached_run(layer, key)) is not None:
            states_of(layer).compare(key, check_sum, run.first.check_sum)


def is_changed(layer: Labels, key: PlaneKey, check_sum: int) -> bool:
    """Whether the labels of a plane are others than the last run made: corrected, painted, or put back.

    Parameters
    ----------
    layer : napari.layers.Labels
        Holds the labels.
    key : PlaneKey
        The plane.
    check_sum : int
        Of its labels.

    Returns
    -------
    bool
        Whether they are; False where no run is known.
    """
    run = cached_run(layer, key)
    return run is not None and check_sum != run.first.check_sum


def cached_run(layer: Labels, key: PlaneKey) -> CachedRun | None:
    """The last run on a plane.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.
    key : PlaneKey
        The plane.

    Returns
    -------
    CachedRun or None
        None where there was none, or where the layer has got data of another shape since.
    """
    run = _runs.get(layer, {}).get(key)
    fits = run is not None and len(key.steps) == layer.ndim and run.made.shape == key.shape_in(layer.data.shape)
    return run if fits else None
