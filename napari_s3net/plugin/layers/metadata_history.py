"""Which names and object earlier labels of a layer had, so that an undo brings them back whoever changed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.plugin.layers.metadata import Metadata
from napari_s3net.plugin.layers.packed import check_sum
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.renewal import PerLayer


class MetadataHistory:
    """Which metadata belonged to which labels, so that an undo brings back the names and the object as well.

    Of each plane it knows as well which labels were seen last: a tick or a name that was given in another slice of a
    volume holds in this one, too, as long as its labels are the same.

    Parameters
    ----------
    limit : int
        How many labels of each plane are remembered; the oldest go first.
    """

    def __init__(self, limit: int = 32) -> None:
        self._limit = limit
        #: Of each plane: metadata by the labels' check sum, the oldest first; and the check sum that was seen last.
        self._known: dict[PlaneKey, dict[int, Metadata]] = {}
        self._last: dict[PlaneKey, int] = {}

    def remember(self, key: PlaneKey, plane: NDArray[Any], metadata: Metadata) -> None:
        """Keep the metadata of a plane, under the check sum of its labels.

        Parameters
        ----------
        key : PlaneKey
            The plane.
        plane : numpy.ndarray
            (H, W), its labels.
        metadata : dict
            What belongs to them.
        """
        self.remember_planes({key: check_sum(plane)}, metadata)

    def remember_planes(self, sums: Mapping[PlaneKey, int], metadata: Metadata) -> None:
        """Keep the metadata of several planes.

        Parameters
        ----------
        sums : mapping of PlaneKey to int
            The check sums of their labels.
        metadata : dict
            What belongs to them.
        """
        for key, one in sums.items():
            known = self._known.setdefault(key, {})
            known.pop(one, None)
            known[one] = metadata
            if len(known) > self._limit:
                del known[next(iter(known))]
        self._last.update(sums)

    def recall(self, key: PlaneKey, plane: NDArray[Any], present: Metadata) -> Metadata | None:
        """Look up the metadata that a plane had with these very labels, if they have changed since the last look.

        Parameters
        ----------
        key : PlaneKey
            The plane.
        plane : numpy.ndarray
            (H, W), its labels.
        present : dict
            What the layer's metadata is now; remembered of labels that have not changed or are not known.

        Returns
        -------
        dict or None
            None where nothing has to be brought back.
        """
        now = check_sum(plane)
        known = self._known.get(key, {}).get(now) if now != self._last.get(key) else None
        if known is None:
            self.remember_planes({key: now}, present)
        self._last[key] = now
        return known


_histories: PerLayer[Labels, MetadataHistory] = PerLayer()


def history_of(layer: Labels) -> MetadataHistory:
    """The history of a layer; all docks share it.

    Parameters
    ----------
    layer : napari.layers.Labels
        A result.

    Returns
    -------
    MetadataHistory
        The same object at each call, as long as the layer is there.
    """
    return _histories.setdefault(layer, MetadataHistory())
