"""The keys of a window, as long as a dock holds them."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QShortcut
from qtpy.QtWidgets import QLineEdit, QMainWindow

from napari_s3net.plugin.widgets.undo_keys import hold_keys, release_keys

pytestmark = pytest.mark.viewer


def test_ctrl_z_works_in_the_window_but_not_where_somebody_types(qtbot):
    window, viewer = QMainWindow(), ViewerModel()
    qtbot.addWidget(window)
    field = QLineEdit()
    window.setCentralWidget(field)
    docks = [QObject(), QObject()]
    for dock in docks:
        hold_keys(window, viewer, dock)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    layer = viewer.add_labels(np.zeros((4, 5), int), name="mine")
    layer.data_setitem((np.array([0]), np.array([0])), 1)
    field.setFocus()
    qtbot.keyClicks(field, "ab")
    qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert layer.data.any()
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not layer.data.any()
    assert viewer.status == "Undo: mine"
    release_keys(docks[0])
    shortcuts = window.findChildren(QShortcut)
    assert len(shortcuts) == 2
    assert all(one.isEnabled() for one in shortcuts)
    release_keys(docks[1])
    assert not any(one.isEnabled() for one in shortcuts)
