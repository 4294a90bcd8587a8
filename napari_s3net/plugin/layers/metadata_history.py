"""Which names and object earlier labels of a layer had, so that an undo brings them back whoever changed them."""

from __future__ import annotations

from collections import deque
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

    Parameters
    ----------
    limit : int
        How many changes are remembered, each of one plane or of many; the oldest goes first.
    """

    def __init__(self, limit: int = 32) -> None:
        self._entries: deque[tuple[dict[PlaneKey, int], Metadata]] = deque(maxlen=limit)

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
        """Keep the metadata of several planes, as one entry.

        Parameters
        ----------
        sums : mapping of PlaneKey to int
            The check sums of their labels.
        metadata : dict
            What belongs to them.
        """
        others = [entry for entry in self._entries if entry[0] != sums]
        self._entries = deque([*others, (dict(sums), metadata)], maxlen=self._entries.maxlen)

    def recall(self, key: PlaneKey, plane: NDArray[Any]) -> Metadata | None:
        """Look up the metadata that a plane had with these very labels.

        Parameters
        ----------
        key : PlaneKey
            The plane.
        plane : numpy.ndarray
            (H, W), its labels.

        Returns
        -------
        dict or None
            The newest; None where these labels are not remembered.
        """
        wanted = check_sum(plane)
        return next((known for planes, known in reversed(self._entries) if planes.get(key) == wanted), None)


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
