"""From the dialog over two clicks to an area in mm², in the dock."""

import numpy as np
import pytest
from qtpy.QtWidgets import QInputDialog

from napari_s3net.plugin.segment.pixel_size import PixelSizeDialog
from napari_s3net.plugin.widgets.remembered import recall
from tests.plugin.segment.conftest import run_through

pytestmark = pytest.mark.viewer


@pytest.fixture
def on_ruler(ready, qtbot):
    """The dock with a result of 16 pixels, and two clicks of a length of 20 pixels made."""
    run_through(ready, qtbot)
    ready.panel.pixel_size.click()
    ready.findChild(PixelSizeDialog).on_ruler.click()
    assert "Click both ends" in ready.panel.hint.text()
    for place in ([0.0, 10.0], [0.0, 30.0]):
        ready.pixel_size.ruler.click(np.array(place))
    return ready, ready.findChild(QInputDialog)


def test_a_length_on_a_ruler_gives_the_area_in_mm(on_ruler):
    ready, asked = on_ruler
    asked.setDoubleValue(10.0)
    asked.accept()
    assert ready.panel.line.text().startswith("Lesion 4\u00a0mm²")
    assert not ready.panel.hint.isVisibleTo(ready)
    assert not ready.pixel_size.ruler.is_on
    assert recall("ruler") == 10.0


def test_without_a_length_nothing_has_changed(on_ruler):
    ready, asked = on_ruler
    asked.reject()
    assert "16\u00a0px" in ready.panel.line.text()
    assert not ready.pixel_size.ruler.is_on


def test_a_wrong_size_can_be_corrected_on_the_same_image(on_ruler, viewer):
    ready, asked = on_ruler
    asked.setDoubleValue(20.0)
    asked.accept()
    assert ready.panel.line.text().startswith("Lesion 16\u00a0mm²")
    assert ready.panel.pixel_size.text() == "Change pixel size…"
    ready.pixel_size.ruler.begin(ready.image.layer)
    for place in ([0.0, 10.0], [0.0, 30.0]):  # in mm by now
        ready.pixel_size.ruler.click(np.array(place))
    (again,) = (one for one in ready.findChildren(QInputDialog) if one.isVisible())
    again.setDoubleValue(10.0)
    again.accept()
    assert ready.panel.line.text().startswith("Lesion 4\u00a0mm²")


def test_another_image_ends_it(on_ruler, viewer, photograph):
    ready, _ = on_ruler
    viewer.add_image(photograph, name="second")
    assert not ready.pixel_size.ruler.is_on
    assert not ready.panel.hint.isVisibleTo(ready)
