"""The review above the tools of the Correct dock, in a window."""

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication, QWidget

from napari_s3net.plugin.batch.review_panel import ReviewPanel
from napari_s3net.plugin.batch.review_place import ReviewPlace
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.widgets.dock import frame_of, show_dock
from napari_s3net.plugin.widgets.parts import column

pytestmark = pytest.mark.viewer


def dock_of(widget):
    while widget is not None and not isinstance(widget, CorrectDock):
        widget = widget.parentWidget()
    return widget


def test_the_panel_goes_to_the_tools_and_comes_back(make_napari_viewer):
    viewer, owner = make_napari_viewer(), QWidget()
    panel = ReviewPanel()
    place = ReviewPlace(viewer, panel)
    column(owner, place)
    viewer.window.add_dock_widget(owner, name="Batch")
    place.enter()
    correct = dock_of(panel)
    assert correct.widget().layout().itemAt(0).widget() is panel
    assert place.obstacle() == ""
    place.leave()
    assert panel.parentWidget() is place
    place.enter()
    assert dock_of(panel) is correct
    correct.release()  # as when its dock is closed during a review
    assert panel.parentWidget() is place
    assert place.obstacle() == ""
    QApplication.processEvents()


def test_a_correct_dock_that_is_closed_and_opened_again_has_the_review_until_it_ends(make_napari_viewer):
    viewer, owner = make_napari_viewer(show=True), QWidget()
    panel = ReviewPanel()
    place = ReviewPlace(viewer, panel)
    column(owner, place)
    viewer.window.add_dock_widget(owner, name="Batch")
    place.enter()
    for _ in range(2):
        viewer.window.remove_dock_widget(dock_of(panel))
        assert panel.parentWidget() is place
        correct = show_dock(viewer, "Correct")
        QApplication.processEvents()
        assert dock_of(panel) is correct
    frame_of(correct).hide()
    place.way.click()
    assert not frame_of(correct).isHidden()
    place.leave()
    assert place.way.isHidden()
    viewer.window.remove_dock_widget(correct)
    show_dock(viewer, "Correct")
    QApplication.processEvents()
    assert panel.parentWidget() is place


def test_what_stood_in_the_way_is_said_as_long_as_it_does(make_napari_viewer):
    viewer, owner = make_napari_viewer(), QWidget()
    viewer.add_image(np.zeros((16, 16), np.uint8), name="a")
    viewer.add_labels(np.ones((16, 16), np.int32), name="a – labels")
    panel = ReviewPanel()
    place = ReviewPlace(viewer, panel)
    column(owner, place)
    viewer.window.add_dock_widget(owner, name="Batch")
    place.enter()
    correct = dock_of(panel)
    correct.brush.take("object")
    strokes = correct.editor.strokes.layer
    strokes.data_setitem((np.array([2]), np.array([2])), strokes.selected_label)
    panel.show_message(place.obstacle())
    correct.refresh()
    assert "Your strokes have changed nothing yet" in panel.message.text()
    correct.paint.asked.emit("clear")
    assert panel.message.text() == ""
    strokes.data_setitem((np.array([2]), np.array([2])), strokes.selected_label)
    panel.show_message(place.obstacle())
    correct.background.running.append(object())  # a run with them
    correct.refresh()
    assert panel.message.text() == "", "though the run stands in the way now"
    correct.background.running.clear()
    panel.show_message("The disk is full.")
    correct.refresh()
    assert panel.message.text() == "The disk is full."
    place.leave()
    told = place.obstacle()
    assert "Your strokes have changed nothing yet" in told, "the review is over, and the strokes are still there"
    assert not place.is_over(told)
    correct.paint.asked.emit("clear")
    assert place.is_over(told)
    assert place.obstacle() == ""
    correct.release()


def test_without_a_window_it_stays(qtbot):
    panel = ReviewPanel()
    place = ReviewPlace(object(), panel)
    qtbot.addWidget(place)
    place.enter()
    assert panel.parentWidget() is place
