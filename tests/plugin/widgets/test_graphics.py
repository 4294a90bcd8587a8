"""Layers are removed while their textures and buffers lie in the graphics driver."""

import subprocess
import sys

import pytest

#: In a process of its own: what goes wrong takes the process down, with napari's software driver in every try.
REMOVE = """
import time
import napari, numpy as np
from qtpy.QtWidgets import QApplication, QWidget
from napari_s3net.plugin.widgets.dock import Dock

def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)

viewer = napari.Viewer(show=True)
dock = Dock(viewer)
dock.fill(QWidget())
dock.follow_viewer()
viewer.window.add_dock_widget(dock)
for floating in (False, True):
    dock.parentWidget().setFloating(floating)
    for n in range(2):
        viewer.add_image(np.eye(64))
        viewer.add_labels(np.ones((64, 64), int)).mode = "paint"
        wait(0.5)
        viewer.layers.clear()
    viewer.add_image(np.eye(64))
    wait(0.5)
print("still there")
"""


@pytest.mark.viewer
def test_layers_can_be_cleared_and_others_drawn_after_them():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REMOVE], capture_output=True, encoding="utf-8", check=False, timeout=200
    )
    assert "still there" in done.stdout, done.stderr
    assert done.returncode == 0, done.stderr
