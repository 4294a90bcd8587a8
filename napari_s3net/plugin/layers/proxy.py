"""Napari hands plugins a proxy of the viewer, and through it of layers; here is what is inside."""

from __future__ import annotations

from typing import Any


def plain(owned: Any) -> Any:
    """A layer or viewer itself, where napari hands plugins a proxy: they are compared by identity.

    Parameters
    ----------
    owned : napari.layers.Layer or napari.Viewer
        It, or napari's proxy of it.

    Returns
    -------
    napari.layers.Layer or napari.Viewer
        What is inside the proxy; what is none comes back as it is.
    """
    return getattr(owned, "__wrapped__", owned)


def holds(viewer: Any, layer: Any) -> bool:
    """Whether a layer is in a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        It, or napari's proxy of it.
    layer : napari.layers.Layer
        The layer itself.

    Returns
    -------
    bool
        False once it was removed.
    """
    return any(plain(one) is layer for one in viewer.layers)
