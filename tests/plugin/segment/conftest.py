"""A Segment dock beside layers without a window, or in a real one."""

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.segment.dock import SegmentDock
from napari_s3net.plugin.widgets import dock as base


@pytest.fixture
def said(monkeypatch):
    """What the user is notified of."""
    words = []
    monkeypatch.setattr(base, "show_error", words.append)
    return words


@pytest.fixture
def viewer():
    """Layers, sliders and theme without a window, which takes seconds to make."""
    return ViewerModel()


@pytest.fixture
def window(make_napari_viewer_proxy):
    """A real window, whose viewer allows public names only."""
    return make_napari_viewer_proxy()


@pytest.fixture
def dock(request, qtbot, said):
    """A dock beside `viewer`, or docked in `window` for tests that ask for one; no thread outlives the test."""
    real = "window" in request.fixturenames
    viewer = request.getfixturevalue("window" if real else "viewer")
    dock = SegmentDock(viewer)
    if real:
        viewer.window.add_dock_widget(dock, name="Segment")
    yield dock
    dock.release()
    QThreadPool.globalInstance().waitForDone(5000)
    QApplication.processEvents()


@pytest.fixture
def ready(dock, photograph, fake_runs):
    dock._viewer.add_image(photograph, name="mole")
    return dock


def layers(viewer):
    return [layer.name for layer in viewer.layers]


def label_layer(viewer):
    return plain(viewer.layers["mole – S³-Net"])


def run_through(dock, qtbot):
    dock.run_button.click()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=60000)


def show_each(dock):
    """The table of every cluster, two clicks away."""
    dock.panel.clusters.value = True
    dock.panel.each.value = True


def run_to(dock, qtbot, iteration=3):
    """Start, and wait until so many iterations are shown and a preview is in the layer."""
    dock.run_button.click()
    qtbot.waitUntil(
        lambda: (
            dock.session.phase is Phase.RUNNING
            and dock.progress.bar.value() >= iteration
            and "mole – S³-Net" in layers(dock._viewer)
        ),
        timeout=60000,
    )
