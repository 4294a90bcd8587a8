"""Where to look next: the layer of uncertainty, and the view moved to one place after another."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray

from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.panels import UncertaintyPanel
from napari_s3net.plugin.jobs.background import Background, estimate_uncertainty
from napari_s3net.plugin.layers.ownership import belongs_to, set_owner
from napari_s3net.plugin.layers.placement import KEY, transform_of
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.stroke_layer import HELPER
from napari_s3net.plugin.layers.view import camera_of
from napari_s3net.plugin.widgets.text import plural, share_text

#: In the metadata of a layer of uncertainty: what it is, and which labels it is of.
UNCERTAINTY, UNCERTAINTY_OF = "uncertainty", "uncertainty_of"
#: The view shows this many times the extent of a site, on a canvas of about this many pixels.
SITE_EXTENTS, CANVAS_PIXELS = 5.0, 600.0


class UncertaintyController:
    """Asks how sure the result is, shows it, and goes through the query sites one by one.

    Parameters
    ----------
    viewer : napari.Viewer
        Its view is moved, and it gets the layer of uncertainty.
    editor : LabelEditor
        Knows the labels, the plane in view and its strokes.
    panel : UncertaintyPanel
        Tells how far one is.
    background : Background
        Computes the uncertainty beside the window.
    """

    def __init__(self, viewer: Any, editor: LabelEditor, panel: UncertaintyPanel, background: Background) -> None:
        self._viewer, self._editor, self._panel, self._background = viewer, editor, panel, background
        self._uncertainty: NDArray[np.float32] | None = None
        self._moves_view = False
        self._n_visited = 0

    def ask(self, what: str) -> None:
        """Go to the "next" site, or show the uncertainty over "probabilities", "transformations" or "seeds".

        Parameters
        ----------
        what : str
            One of these words.
        """
        if what == "next" and self._uncertainty is not None:
            self._go_to_next()
            return
        if self._background.is_busy:
            self._panel.show_line("Wait for the run to end.")
            return
        self._moves_view = what == "next"
        result, (_, source) = self._editor.result(), self._editor.target()
        self._panel.show_line("Estimating the uncertainty…")
        over = "probabilities" if self._moves_view else what
        self._background.start(source, result.settings, estimate_uncertainty(result, over))

    def show(self, uncertainty: NDArray[np.float32]) -> None:
        """Take the uncertainty (H, W) that was asked for; of another plane than that in view it is dropped.

        Parameters
        ----------
        uncertainty : numpy.ndarray
            (H, W), 0 to 1.
        """
        layer, key = self._editor.layer, self._editor.key
        if layer is None or key is None or uncertainty.shape != key.shape_in(layer.data.shape):
            return
        self._uncertainty, self._n_visited = uncertainty, 0
        if self._moves_view:
            self._go_to_next()
        else:
            self._add_layer(uncertainty)
            self._describe()

    def forget(self) -> None:
        """Drop the uncertainty, because the labels have changed."""
        self._uncertainty, self._n_visited = None, 0
        self._panel.show_line("")

    def _sites(self) -> list[Any]:
        """Where a stroke is worth most, the best first; those with a stroke are done."""
        from napari_s3net.correction.uncertainty import query_sites

        return [] if self._uncertainty is None else query_sites(self._uncertainty, self._editor.strokes.constraints())

    def _go_to_next(self) -> None:
        """Move the view to the next site, after the last one to the first; the brush fits it."""
        sites, (layer, key) = self._sites(), self._editor.in_view()
        if sites:
            site = sites[self._n_visited % len(sites)]
            self._n_visited += 1
            in_plane = iter((site.row, site.column))
            point = [float(i) if isinstance(i, int) else next(in_plane) for i in key.index]
            camera = camera_of(self._viewer)
            world = layer.data_to_world(tuple(point))
            camera.center = tuple(world)[-len(camera.center) :]
            extent = max(site.extent * SITE_EXTENTS, 0.15 * max(key.shape_in(layer.data.shape))) * abs(
                float(layer.scale[-1])
            )
            camera.zoom = min(CANVAS_PIXELS / extent, 20.0)
            self._editor.strokes.fit_brush(site.extent)
        self._describe()

    def _describe(self) -> None:
        """Say how many sites there are, and how much of the image they stand for."""
        sites = self._sites()
        if not sites:
            self._panel.show_line("Little is left to gain: no place looks uncertain.")
            return
        here = (self._n_visited - 1) % len(sites) + 1 if self._n_visited else 0
        first = f"Place {here} of {len(sites)}" if here else f"{plural(len(sites), 'place')} to look at"
        rest = share_text(sum(site.expected for site in sites))
        self._panel.show_line(f"{first} · about {rest} of the image is expected to change")

    def _add_layer(self, uncertainty: NDArray[np.float32]) -> None:
        """Show the uncertainty as a layer of its own, over the labels' place; a stack's as one plane."""
        labels, key = self._editor.in_view()
        data = np.zeros(labels.data.shape, np.float32)
        known = next((one for one in map(plain, self._viewer.layers) if _is_uncertainty_of(one, labels)), None)
        if known is not None and known.data.shape == data.shape:
            data = known.data.copy()
        data[key.index] = uncertainty
        if known is not None:
            known.data = data
            return
        active = plain(self._viewer.layers.selection.active)
        layer = ImageLayer(
            data,
            name=f"{labels.name} – uncertainty",
            colormap="inferno",
            blending="additive",
            contrast_limits=(0, 1),
            opacity=0.8,
            metadata={KEY: {HELPER: UNCERTAINTY, UNCERTAINTY_OF: labels.name}},
            **transform_of(labels),
        )
        set_owner(layer, labels)
        self._viewer.add_layer(layer)
        self._viewer.layers.selection.active = active


def _is_uncertainty_of(layer: Any, labels: Any) -> bool:
    """Whether a layer shows the uncertainty of a label layer, whatever the two are called."""
    metadata = layer.metadata.get(KEY, {})
    return metadata.get(HELPER) == UNCERTAINTY and belongs_to(layer, labels, metadata.get(UNCERTAINTY_OF, ""))
