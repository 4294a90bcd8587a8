"""The object's measurements: taken while somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_s3net.image import Image
from napari_s3net.plugin.segment.measuring import Measurer
from napari_s3net.plugin.widgets.measures_panel import MeasuresPanel

#: Layer and image by name, the object's mask in the plane in view, and the plane.
ObjectInView = tuple[tuple[str, str], NDArray[Any], Image]


class ObjectMeasures(QObject):
    """Keeps the panel up to date.

    Parameters
    ----------
    panel : MeasuresPanel
        Shows them; nothing is measured while it is folded.
    object_in_view : callable
        What is measured; None where there is no result.
    parent : QObject
        Owns it.
    """

    def __init__(
        self, panel: MeasuresPanel, object_in_view: Callable[[], ObjectInView | None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._panel, self._object_in_view = panel, object_in_view
        self._measurer = Measurer(self, _measure)
        self._measurer.measured.connect(self._show)
        panel.opened.connect(self.measure)

    def measure(self) -> None:
        """Measure the object in view, where somebody wants to see that."""
        found = self._object_in_view() if self._panel.is_open else None
        if found is not None:
            self._measurer.ask(*found)

    def drop(self) -> None:
        """Forget what has no answer yet."""
        self._measurer.drop()

    def _show(self, key: tuple[str, str], values: dict[str, Any]) -> None:
        self._panel.show_values(key[1], values)


def _measure(mask: NDArray[Any], image: Image) -> dict[str, Any]:
    from napari_s3net.labels.object_measures import measure_object

    return measure_object(mask, image, (1,))
