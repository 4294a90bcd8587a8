"""Layers that begin anew: other data in the same layers, and nothing of what was known of the data before.

Napari takes half a second and more to remove an image and to add another. A review, and *Next image* in the Segment
dock, go from image to image, so their layers stay and get the next image's data. Whatever is known of a layer beside
it is in a `PerLayer`, which forgets it then; whoever holds more of a layer hears `renewing` before and `renewed` after.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from napari.layers import Labels, Layer
from napari.utils.events import EmitterGroup, Event

from napari_s3net.plugin.layers.proxy import plain

K = TypeVar("K")
V = TypeVar("V")

_everywhere: list[PerLayer[Any, Any]] = []
_of_viewers: WeakKeyDictionary[Any, EmitterGroup] = WeakKeyDictionary()


class PerLayer(WeakKeyDictionary[K, V]):
    """What is known of layers, by layer: it goes when the layer goes, and when the layer begins anew.

    For names of a module, which live as long as the program.
    """

    def __init__(self) -> None:
        super().__init__()
        _everywhere.append(self)


def renewals_of(viewer: Any) -> EmitterGroup:
    """Events of a viewer's layers that begin anew.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layers.

    Returns
    -------
    EmitterGroup
        `renewing`, before anything changes, and `renewed`, when all layers are as they will be; `layers` of the event
        are those that begin anew.
    """
    viewer = plain(viewer)
    if viewer not in _of_viewers:
        _of_viewers[viewer] = EmitterGroup(renewing=Event, renewed=Event)
    return _of_viewers[viewer]


@contextmanager
def beginning_anew(viewer: Any, *layers: Layer) -> Iterator[None]:
    """Give layers other data: before it everybody lets go of them, after it everybody takes them for new ones.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layers.
    *layers : napari.layers.Layer
        Those that get other data within. Their steps of undo go.

    Yields
    ------
    None
        While the data may be given, that of an image after that of its labels.
    """
    events = renewals_of(viewer)
    events.renewing(layers=layers)
    for known in _everywhere:
        for layer in layers:
            known.pop(layer, None)
    yield
    for layer in layers:
        if isinstance(layer, Labels):
            layer._reset_history()  # noqa: SLF001 - no public way
    events.renewed(layers=layers)
