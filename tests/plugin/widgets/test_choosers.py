import pytest
from napari.qt import get_stylesheet

from napari_s3net.plugin.widgets.choosers import Chooser

pytestmark = pytest.mark.viewer


def shown(chooser, name):
    chooser.clear()
    chooser.addItem(name)
    return chooser.grab().toImage()


def test_long_names_are_told_apart_by_both_ends(qtbot):
    chooser = Chooser("Image", "Which image.")
    qtbot.addWidget(chooser)
    chooser.setStyleSheet(get_stylesheet("dark"))
    chooser.resize(120, 26)
    long = "anonymised_thorax_with_contrast_series_0004_slice_03"
    assert shown(chooser, f"{long}3") != shown(chooser, f"{long}4")
    assert shown(chooser, f"A{long}") != shown(chooser, f"B{long}")
    assert shown(chooser, f"{long[:20]}X{long[20:]}") == shown(chooser, f"{long[:20]}Y{long[20:]}")
    assert chooser.itemText(0) == f"{long[:20]}Y{long[20:]}", "only what is shown is shortened"
