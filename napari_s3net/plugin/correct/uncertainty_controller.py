"""Where to look next: the layer of uncertainty, and the view moved to one place after another."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray

from napari_s3net.plugin.correct.controller import LabelEditor
from napari_s3net.plugin.correct.panels import UncertaintyPanel
from napari_s3net.plugin.jobs.background import Background, estimate_uncertainty
from napari_s3net.plugin.layers.result_layer import plain
from napari_s3net.plugin.layers.source import KEY
from napari_s3net.plugin.layers.stroke_layer import HELPER
from napari_s3net.plugin.widgets.text import plural, share_text

#: The view shows this many times the extent of a place, on a canvas of about so many pixels.
AROUND, VIEW = 5.0, 600.0


class UncertaintyController:
    """Asks how sure the result is, shows it, and goes through the places one by one."""

    def __init__(self, viewer: Any, editor: LabelEditor, panel: UncertaintyPanel, background: Background) -> None:
        self._viewer, self._editor, self._panel, self._background = viewer, editor, panel, background
        self._entropy: NDArray[np.float32] | None = None
        self._shows = self._goes = False
        self._next = 0

    def ask(self, what: str) -> None:
        """Go to the "next" place, or show the uncertainty over probabilities, transformations or seeds."""
        if what == "next" and self._entropy is not None:
            self._go()
            return
        if self._background.is_busy:
            self._panel.line.setText("Wait for the run to end.")
            return
        self._goes, self._shows = what == "next", what != "next"
        result, source = self._editor.result(), self._editor.source
        assert source is not None  # noqa: S101 - there are labels, or nothing is asked
        self._panel.line.setText("Looking…")
        over = "probabilities" if self._goes else what
        self._background.start(source, result.settings, estimate_uncertainty(result, over))

    def show(self, entropy: NDArray[np.float32]) -> None:
        """The answer has come."""
        source = self._editor.source
        if source is None or entropy.shape != source.plane_shape:
            return
        self._entropy, self._next = entropy, 0
        if self._shows:
            self._add_layer(entropy)
            self._say()
        if self._goes:
            self._go()

    def forget(self) -> None:
        """The labels have changed: what is known of them no longer holds."""
        self._entropy, self._next = None, 0
        self._panel.line.setText("")

    def _places(self) -> list[Any]:
        from napari_s3net.correction.uncertainty import query_sites

        return [] if self._entropy is None else query_sites(self._entropy, self._editor.constraints())

    def _go(self) -> None:
        """Move the view to the next place."""
        found, source, layer = self._places(), self._editor.source, self._editor.layer
        if found and source is not None and layer is not None:
            place = found[self._next % len(found)]
            self._next += 1
            inside = iter((place.row, place.column))
            point = [float(i) if isinstance(i, int) else next(inside) for i in source.index]
            camera = getattr(self._viewer, "scene", self._viewer).camera
            world = layer.data_to_world(tuple(point))
            camera.center = tuple(world)[-len(camera.center) :]
            extent = max(place.extent * AROUND, 0.15 * max(source.plane_shape)) * abs(float(layer.scale[-1]))
            camera.zoom = min(VIEW / extent, 20.0)
        self._say()

    def _say(self) -> None:
        found = self._places()
        if not found:
            self._panel.line.setText("Little is left to gain: no place looks uncertain.")
            return
        here = (self._next - 1) % len(found) + 1 if self._next else 0
        rest = sum(place.expected for place in found)
        first = f"Place {here} of {len(found)}" if here else f"{plural(len(found), 'place')} to look at"
        self._panel.line.setText(f"{first} · about {share_text(rest)} of the image is expected to change")

    def _add_layer(self, entropy: NDArray[np.float32]) -> None:
        """Show the uncertainty as a layer of its own, over the labels' place; a stack's as one plane."""
        labels, source = self._editor.layer, self._editor.source
        assert labels is not None  # noqa: S101 - asked for only with labels
        assert source is not None  # noqa: S101 - asked for only with an image
        name = f"{labels.name} – uncertainty"
        data = np.zeros(labels.data.shape, np.float32)
        known = next((one for one in map(plain, self._viewer.layers) if one.name == name), None)
        if known is not None and known.data.shape == data.shape:
            data = known.data.copy()
        data[source.index] = entropy
        if known is not None:
            known.data = data
            return
        kept = ("scale", "translate", "rotate", "shear", "affine", "units")
        active = plain(self._viewer.layers.selection.active)
        self._viewer.add_layer(
            ImageLayer(
                data,
                name=name,
                colormap="inferno",
                blending="additive",
                contrast_limits=(0, 1),
                opacity=0.8,
                metadata={KEY: {HELPER: "uncertainty"}},
                **{key: getattr(labels, key) for key in kept},
            )
        )
        self._viewer.layers.selection.active = active
