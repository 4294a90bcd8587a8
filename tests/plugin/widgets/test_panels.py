"""The parts of the Segment dock that come and go."""

import pytest
from qtpy.QtWidgets import QAbstractButton

from napari_s3net.image import Step
from napari_s3net.plugin.widgets.cluster_model import ClusterRow
from napari_s3net.plugin.widgets.panels import ProgressPanel, ResultPanel, Welcome
from napari_s3net.plugin.widgets.text import NARROW

pytestmark = pytest.mark.viewer
ROWS = (
    ClusterRow(1, "Lesion", "90 ± 5", "20 %", "100 px", True),
    ClusterRow(2, "Skin", "190 ± 5", "80 %", "400 px", False),
)


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


@pytest.mark.parametrize("kind", [Welcome, ProgressPanel, ResultPanel])
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


def test_a_result_is_shown_and_a_slice_without_one(make):
    panel = make(ResultPanel)
    panel.show_result("✓ Lesion proposed", "4 iterations", ROWS)
    assert panel.table.isVisibleTo(panel)
    assert panel.table.clusters.rowCount() == 2
    panel.show_result("No labels in this slice yet.", "", ())
    assert not panel.table.isVisibleTo(panel)
    assert not panel.effort.isVisibleTo(panel)
    assert panel.line.text() == "No labels in this slice yet."


def test_rows_can_be_merged_once_two_are_selected(make):
    panel = make(ResultPanel)
    panel.show_result("", "", ROWS)
    panel.table.selectRow(0)
    assert not panel.merge.isEnabled()
    panel.table.selectAll()
    assert panel.merge.isEnabled()
    panel.merge.click()
    assert panel.asks == ["merge"]


def test_the_menus_ask_by_name(make):
    panel = make(ResultPanel)
    for menu in (panel.save.menu(), panel.more.menu()):
        for action in menu.actions():
            action.trigger()
    assert panel.asks == [
        "save_labels",
        "save_mask",
        "run_new",
        "object_layer",
        "show_3d",
        "copy_python",
        "copy_command",
        "show_settings",
    ]
