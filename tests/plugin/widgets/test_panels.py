"""The parts of the Segment dock that come and go."""

import pytest
from qtpy.QtWidgets import QAbstractButton

from napari_s3net.plugin.widgets.panels import ProgressPanel, Welcome
from napari_s3net.plugin.widgets.text import NARROW
from napari_s3net.progress import Step

pytestmark = pytest.mark.viewer


def steps(first, last, total=10):
    return tuple(Step(i, total, {"cluster": 1 / i}, 5) for i in range(first, last + 1))


@pytest.fixture
def make(qtbot):
    def make(kind):
        panel = kind()
        qtbot.addWidget(panel)
        panel.asks = []
        if hasattr(panel, "asked"):
            panel.asked.connect(panel.asks.append)
        return panel

    return make


@pytest.mark.parametrize("kind", [Welcome, ProgressPanel])
def test_every_button_says_what_it_does(make, kind):
    panel = make(kind)
    assert [one.text() for one in panel.findChildren(QAbstractButton) if one.text() and not one.toolTip()] == []


def test_the_ways_to_a_first_image(make):
    panel = make(Welcome)
    panel.open.click()
    panel.folder.click()
    for action in panel.sample.menu().actions():
        action.trigger()
    assert panel.asks == ["file", "folder", "dermoscopy", "chest_ct"]


def test_progress_moves_on_and_says_how_far_it_is(make):
    panel = make(ProgressPanel)
    panel.begin(10)
    panel.show_steps(steps(1, 3))
    assert (panel.bar.value(), panel.bar.maximum()) == (3, 10)
    assert panel.line.text().replace(NARROW, " ").startswith("3 of 10 · about")
    assert panel.line.text().endswith("5 clusters")


def test_a_run_that_begins_anew_has_a_plot_and_a_bar_of_its_own(make):
    panel = make(ProgressPanel)
    panel.begin(10)
    panel.show_steps(steps(1, 6))
    before = panel.plot.grab().toImage()
    panel.show_steps(steps(7, 8) + steps(1, 2, total=4))
    assert (panel.bar.value(), panel.bar.maximum()) == (2, 4)
    assert panel.plot.grab().toImage() != before


def test_a_bar_without_a_number_says_what_is_going_on(make):
    panel = make(ProgressPanel)
    panel.move("Reading the image…")
    assert (panel.bar.minimum(), panel.bar.maximum()) == (0, 0)
    assert panel.line.text() == "Reading the image…"
