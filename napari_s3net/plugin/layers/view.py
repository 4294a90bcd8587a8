"""The view: its camera, and how it is fitted to what can be seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_s3net.plugin.layers.proxy import plain

#: Share of the canvas that the layers fill, as in napari.
FILLED = 0.95


def camera_of(viewer: Any) -> Any:
    """The camera of a viewer, which has moved to its scene in napari 0.9.

    Parameters
    ----------
    viewer : napari.Viewer
        Of any version.

    Returns
    -------
    napari.components.Camera
        That of the view.
    """
    return getattr(viewer, "scene", viewer).camera


def grid_of(viewer: Any) -> Any:
    """Whether layers stand beside each other; has moved to the canvas in napari 0.9.

    Parameters
    ----------
    viewer : napari.Viewer
        Of any version.

    Returns
    -------
    napari.components.grid.GridCanvas
        Its `enabled` tells.
    """
    return getattr(viewer, "canvas", viewer).grid


def show_whole(viewer: Any) -> None:
    """Fit the view to the layers that are visible; hidden ones, which may be larger or lie elsewhere, do not count.

    Parameters
    ----------
    viewer : napari.Viewer
        In 3-D, as a grid and before napari 0.9, all of its layers count.
    """
    viewer.reset_view()
    visible = [layer for layer in viewer.layers if layer.visible]
    canvas = getattr(viewer, "canvas", None)
    if canvas is None or viewer.dims.ndisplay == 3 or grid_of(viewer).enabled or len(visible) == len(viewer.layers):
        return
    # Napari's own way to fit some layers fails where they have fewer axes than others.
    ends = [ends_of for layer in visible if (ends_of := _ends_in_view(layer, viewer.dims)) is not None]
    if ends:
        low, high = np.min(ends, axis=0)[0], np.max(ends, axis=0)[1]
        camera = camera_of(viewer)
        camera.center = (*camera.center[:-2], *((low + high) / 2))
        camera.zoom = FILLED * float(np.min(np.array(canvas.size) / np.maximum(high - low, 1e-9)))


def hide_others(viewer: Any, *shown: Any) -> None:
    """Hide all layers but those of one image: others, of other sizes, would lie over or beside it.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layers.
    *shown : napari.layers.Layer
        Those that are left as they are.
    """
    for layer in map(plain, viewer.layers):
        if layer.visible and not any(layer is one for one in shown):
            layer.visible = False


def _ends_in_view(layer: Any, dims: Any) -> Any:
    """Where a layer begins and ends along the two axes in view, (2, 2); None where it lacks one of them."""
    axes = [axis - (dims.ndim - layer.ndim) for axis in dims.displayed]
    if min(axes) < 0:
        return None
    extent = layer.extent
    half = np.array(extent.step)[axes] / 2
    return np.array(extent.world)[:, axes] + np.stack([-half, half])
