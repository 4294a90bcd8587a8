"""The object of a volume as a surface in napari's 3-D view."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels, Surface
from napari.utils.colormaps.standardize_color import transform_color

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry
from napari_s3net.labels.surface import surface_of
from napari_s3net.plugin.layers.palette import MASK
from napari_s3net.plugin.layers.placement import KEY, transform_of
from napari_s3net.plugin.layers.view import camera_of

#: Voxels of the box around the object that a surface is drawn of; of more, every second or third is taken, so that the
#: window does not stand still.
SHOWN_VOXELS = 2_000_000


def surface_name(image_name: str) -> str:
    """Name of the surface of an image's object.

    Parameters
    ----------
    image_name : str
        What the image's layer is called.

    Returns
    -------
    str
        Such as "scan – object in 3-D".
    """
    return f"{image_name} – object in 3-D"


def show_surface(viewer: Any, layer: Labels) -> Any:
    """Draw the object's surface where the labels lie, and turn the view to three dimensions: a patient faces us.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layer; an earlier surface of the same object is replaced.
    layer : napari.layers.Labels
        A result of three dimensions.

    Returns
    -------
    napari.layers.Surface
        In the labels' voxels, with their transform: in millimetres where these are.

    Raises
    ------
    InvalidImageError
        If the labels are no single volume, or there is no object.
    """
    if layer.ndim != 3:
        raise InvalidImageError(f"The 3-D view shows a volume (Z, H, W); these labels have {layer.ndim} dimensions.")
    metadata = layer.metadata[KEY]
    mask = np.isin(layer.data, [i for i in metadata["foreground"] if i > 0])
    box = tuple(
        slice(int(found[0]), int(found[-1]) + 1) if (found := np.flatnonzero(mask.any(axis=axes))).size else slice(0)
        for axes in ((1, 2), (0, 2), (0, 1))
    )
    step = max(1, int(np.ceil((mask[box].size / SHOWN_VOXELS) ** (1 / 3))))
    vertices, faces = surface_of(mask[box], Geometry.identity(3), step=step)
    vertices = vertices + np.array([part.start for part in box], np.float32)
    name = surface_name(metadata["source"])
    for old in [one for one in viewer.layers if one.name == name and isinstance(one, Surface)]:
        viewer.layers.remove(old)
    colour = transform_color(MASK[1])[0, :3]
    surface = Surface(
        (vertices, faces), name=name, vertex_colors=np.tile(colour, (len(vertices), 1)), **transform_of(layer)
    )
    viewer.add_layer(surface)
    viewer.layers.selection.active = layer
    _show_alone(viewer, surface)
    known = metadata.get("geometry")
    if isinstance(known, Geometry) and known.orientation and known.shown == "LPS":
        _face(viewer)
    return surface


def _face(viewer: Any) -> None:
    """Look at a patient from the front, head up, until the view is in two dimensions again.

    Axes that grow to the left, the back and the head are right-handed. Napari's usual 3-D view, slices towards us, is
    not: it shows a mirror image, with the left lung as the right one.
    """
    camera = camera_of(viewer)
    usual = str(camera.orientation[0])
    camera.orientation = ("away", *map(str, camera.orientation[1:]))
    camera.set_view_direction((0, 1, 0), (1, 0, 0))

    def turn_back(event: Any = None) -> None:  # noqa: ARG001 - napari gives one
        if viewer.dims.ndisplay == 2:
            viewer.dims.events.ndisplay.disconnect(turn_back)
            camera.orientation = (usual, *map(str, camera.orientation[1:]))

    if usual != "away":
        viewer.dims.events.ndisplay.connect(turn_back)


def _show_alone(viewer: Any, surface: Surface) -> None:
    """Turn the view to three dimensions, where other layers would cover the surface; back in two they are as before."""
    hidden = [one for one in viewer.layers if one.visible and not isinstance(one, Surface)]
    for one in hidden:
        one.visible = False
    viewer.dims.ndisplay = 3

    def turn_back(event: Any = None) -> None:  # noqa: ARG001 - napari gives one
        if viewer.dims.ndisplay != 2:
            return
        viewer.dims.events.ndisplay.disconnect(turn_back)
        for one in hidden:
            one.visible = True
        surface.visible = False

    viewer.dims.events.ndisplay.connect(turn_back)
