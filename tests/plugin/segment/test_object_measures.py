"""The object's measurements are taken while somebody looks at them."""

import numpy as np
import pytest
from qtpy.QtCore import QObject

from napari_s3net.image import Geometry, Image
from napari_s3net.plugin.segment.object_measures import ObjectMeasures
from napari_s3net.plugin.widgets.measures_panel import MeasuresPanel

pytestmark = pytest.mark.viewer


def test_nothing_is_measured_while_the_panel_is_folded(qtbot, monkeypatch):
    panel, owner, asked, shown = MeasuresPanel(), QObject(), [], []
    qtbot.addWidget(panel)
    mask = np.zeros((30, 40), np.uint8)
    mask[10:20, 10:30] = 1
    plane = Image(np.full((30, 40, 3), 90, np.uint8), Geometry.identity(2), "rgb")
    monkeypatch.setattr(panel, "show_values", lambda name, values: shown.append((name, values)))

    def object_in_view():
        asked.append(1)
        return ("mole – S³-Net", "mole"), mask, plane

    measures = ObjectMeasures(panel, object_in_view, owner)
    measures.measure()
    assert asked == []
    panel.fold.expand(animate=False)
    panel.opened.emit()
    qtbot.waitUntil(lambda: bool(shown), timeout=3000)
    assert shown[-1][0] == "mole"
    assert shown[-1][1]
