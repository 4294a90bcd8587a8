"""Which layer belongs to which: a result to its image, strokes to their labels.

Layers are held by identity, so that they may be renamed, or be called alike. Weakly, so that a removed layer may go.
"""

from __future__ import annotations

import weakref
from typing import Any

from napari_s3net.plugin.layers.renewal import PerLayer

_owners: PerLayer[Any, weakref.ref[Any]] = PerLayer()


def set_owner(layer: Any, owner: Any) -> None:
    """Remember which layer another one belongs to, as long as both exist.

    Parameters
    ----------
    layer : napari.layers.Layer
        For example a result, or strokes.
    owner : napari.layers.Layer
        The image of the result, or the labels of the strokes.
    """
    _owners[layer] = weakref.ref(owner)


def belongs_to(layer: Any, owner: Any, name: str) -> bool:
    """Whether a layer belongs to another one.

    Parameters
    ----------
    layer, owner : napari.layers.Layer
        For example a result and an image.
    name : str
        What the owner was called, as the layer's metadata say. It decides once, where the owner is not known: for a
        layer that was duplicated or loaded by the user.

    Returns
    -------
    bool
        Whether it does; once known it stays so, whatever the layers are called later.
    """
    known = _owners.get(layer)
    if known is None and owner.name == name:
        set_owner(layer, owner)
        return True
    return known is not None and known() is owner
