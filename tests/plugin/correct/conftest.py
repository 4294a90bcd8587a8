"""What the tests of the Correct dock share: an image of a disc, labels that miss some of it, and the dock."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.correct import label_tools, tool_controller
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.widgets import dock as base
from napari_s3net.settings import preset_settings

SHAPE = (90, 120)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


TRUE, FOUND = disc(45, 60, 30), disc(45, 56, 22)


def picture():
    array = np.where(TRUE[..., None], (110, 70, 60), (220, 175, 155)).astype(np.float32)
    return np.clip(array + np.random.default_rng(0).normal(0, 4, array.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def errors(monkeypatch):
    """What is shown as napari's notifications."""
    words = []
    for place in (base, label_tools, tool_controller):
        monkeypatch.setattr(place, "show_error", words.append)
    return words


def fill(viewer):
    viewer.add_image(picture(), name="mole")
    labels = np.where(FOUND, 1, 2).astype(np.int32)
    labels[:20, :20] = 3
    note = {
        "source": "mole",
        "slice": None,
        "settings": preset_settings("skin").replace(remove_hair=False).to_dict(),
        "foreground": [1],
        "names": {1: "Lesion", 2: "Skin", 3: "Dark corner"},
    }
    return plain(viewer.add_labels(labels, name="mole – S³-Net", metadata={KEY: note}))


def put_away(dock):
    dock.release()
    dock.autosave.wait()
    QThreadPool.globalInstance().waitForDone(5000)
    QApplication.processEvents()


@pytest.fixture
def viewer():
    """A viewer without a window, with image and labels."""
    viewer = ViewerModel()
    fill(viewer)
    return viewer


@pytest.fixture
def dock(viewer, qtbot, errors):
    """The dock beside that viewer."""
    dock = CorrectDock(viewer)
    qtbot.addWidget(dock)
    yield dock
    put_away(dock)


@pytest.fixture
def layer(dock):
    return dock.editor.layer


def paint(dock, mask, brush):
    dock.brush.take(brush)
    strokes = dock.editor.strokes.layer
    strokes.data_setitem(np.nonzero(mask), strokes.selected_label)
    dock.refresh()


def run_through(dock, qtbot):
    dock.paint.rerun.click()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=60000)
