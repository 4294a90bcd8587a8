"""Pixels get a size, and so does all that lies on the image."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QDialogButtonBox

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.segment.pixel_size import PixelSizeDialog, set_pixel_size
from tests.plugin.segment.conftest import label_layer, run_through

pytestmark = pytest.mark.viewer


def test_width_and_pixel_follow_each_other(qtbot):
    dialog = PixelSizeDialog(800)
    qtbot.addWidget(dialog)
    dialog.width_mm.setValue(16)
    assert dialog.pixel_mm.value() == pytest.approx(0.02)
    dialog.pixel_mm.setValue(0.03)
    assert dialog.width_mm.value() == pytest.approx(24)
    with qtbot.waitSignal(dialog.given) as told:
        dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok).click()
    assert told.args[0] == pytest.approx(0.03)


@pytest.mark.parametrize("size", [0.02, 1.0])
def test_the_image_and_what_lies_on_it_get_the_size_and_nothing_else(size):
    viewer = ViewerModel()
    known = {KEY: {"geometry": Geometry.identity(2), "kind": "rgb"}}
    image = viewer.add_image(np.zeros((40, 50, 3), np.uint8), metadata=known)
    labels, other = viewer.add_labels(np.zeros((40, 50), int)), viewer.add_labels(np.zeros((10, 10), int))
    set_pixel_size(viewer, image, size)
    for layer in (image, labels):
        assert tuple(layer.scale) == (size, size)
        assert {str(unit) for unit in layer.units} == {"millimeter"}
    assert tuple(other.scale) == (1, 1)
    geometry = source_of(image, viewer.dims.point, (0, 1)).geometry
    assert (geometry.spacing, geometry.unit) == ((size, size), "mm")


def test_pixels_that_are_not_square_keep_their_shape_and_the_file_s_place_in_space_stays():
    viewer = ViewerModel()
    direction = ((0.0, 1.0), (1.0, 0.0))
    known = {KEY: {"geometry": Geometry((2.0, 1.0), (5.0, 7.0), direction, "pixel"), "kind": "grey"}}
    image = viewer.add_image(np.zeros((40, 50), np.uint8), scale=(2, 1), metadata=known)
    set_pixel_size(viewer, image, 0.25)
    geometry = source_of(image, viewer.dims.point, (0, 1)).geometry
    assert (geometry.spacing, geometry.unit) == ((0.5, 0.25), "mm")
    assert (geometry.origin, geometry.direction) == ((5.0, 7.0), direction)


def test_the_area_is_told_in_mm_and_the_result_knows_it(ready, viewer, qtbot):
    run_through(ready, qtbot)
    assert "16\u00a0px" in ready.panel.line.text()
    assert ready.panel.pixel_size.isVisibleTo(ready)
    ready.panel.pixel_size.click()
    dialog = ready.findChild(PixelSizeDialog)
    dialog.pixel_mm.setValue(0.5)
    dialog.accept()
    assert ready.panel.line.text().startswith("Lesion 4\u00a0mm²")
    assert ready.panel.pixel_size.text() == "Change pixel size…", "a wrong one is not for ever"
    assert label_layer(viewer).metadata[KEY]["geometry"].spacing == (0.5, 0.5)
