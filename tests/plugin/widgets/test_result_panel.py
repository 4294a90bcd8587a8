"""The result in the Segment dock."""

import pytest
from qtpy.QtWidgets import QAbstractButton

from napari_s3net.plugin.layers.shown import Shown
from napari_s3net.plugin.widgets.cluster_model import ClusterRow
from napari_s3net.plugin.widgets.result_panel import ResultPanel

pytestmark = pytest.mark.viewer
ROWS = (
    ClusterRow(1, "Lesion", "90 ± 5", "20 %", "100 px", True, colour="#19c3f2"),
    ClusterRow(2, "Skin", "190 ± 5", "80 %", "400 px", False, colour="#c9b48a"),
)


@pytest.fixture
def panel(qtbot):
    panel = ResultPanel()
    qtbot.addWidget(panel)
    panel.asks, panel.wanted, panel.opened = [], [], []
    panel.asked.connect(panel.asks.append)
    panel.shown_chosen.connect(panel.wanted.append)
    panel.unfolded.connect(panel.opened.append)
    return panel


def test_every_button_says_what_it_does(panel):
    assert [one.text() for one in panel.findChildren(QAbstractButton) if one.text() and not one.toolTip()] == []


def test_the_object_alone_needs_no_table(panel):
    panel.show_result("Lesion 100 px", "4 iterations", ROWS)
    assert not panel.table.isVisibleTo(panel)
    assert panel.clusters.native.isVisibleTo(panel)
    assert not panel.clusters.value
    assert panel.wanted == [], "what is shown asks for nothing"


def test_clusters_are_one_click_away_and_each_of_them_another(panel):
    panel.show_result("Lesion 100 px", "", ROWS)
    panel.clusters.native.click()
    panel.show_result("Lesion 100 px", "", ROWS, Shown.GROUPS)
    assert panel.table.isVisibleTo(panel)
    assert panel.table.clusters.rowCount() == 2
    assert not panel.merge.isVisibleTo(panel)
    panel.each.native.click()
    panel.show_result("Lesion 100 px", "", ROWS, Shown.EACH)
    assert panel.merge.isVisibleTo(panel)
    panel.clusters.native.click()
    assert panel.wanted == [Shown.GROUPS, Shown.EACH, Shown.OBJECT]
    panel.measures.fold.toggleButton().click()
    assert panel.opened[0] is panel.table, "so that the dock scrolls to it"
    assert panel.opened[-1] is panel.measures


def test_a_slice_without_a_result_has_no_clusters_to_show(panel):
    panel.show_result("No labels in this slice yet.", "", (), Shown.GROUPS)
    assert not panel.table.isVisibleTo(panel)
    assert not panel.clusters.native.isVisibleTo(panel)
    assert not panel.effort.isVisibleTo(panel)
    assert panel.line.text() == "No labels in this slice yet."


def test_rows_can_be_merged_once_two_are_selected(panel):
    panel.show_result("", "", ROWS, Shown.EACH)
    panel.table.selectRow(0)
    assert not panel.merge.isEnabled()
    panel.table.selectAll()
    assert panel.merge.isEnabled()
    panel.merge.click()
    assert panel.asks == ["merge"]


def test_the_pixel_size_is_asked_for_only_where_it_is_missing(panel):
    panel.show_pixel_size(is_missing=True)
    panel.pixel_size.click()
    assert panel.asks == ["pixel_size"]
    panel.show_pixel_size(is_missing=False)
    assert not panel.pixel_size.isVisibleTo(panel)


def test_the_menus_ask_by_name(panel):
    for menu in (panel.save_as.menu(), panel.more.menu()):
        for action in menu.actions():
            action.trigger()
    panel.correct.click()
    panel.save.click()
    assert panel.asks == [
        "save_mask",
        "save_labels",
        "run_new",
        "object_layer",
        "show_3d",
        "copy_python",
        "copy_command",
        "show_settings",
        "correct",
        "save",
    ]
