"""The tools on the labels in view, and their clicks."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct import tool_controller as module
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.label_list import LabelList
from napari_s3net.plugin.correct.panels import ToolsPanel
from napari_s3net.plugin.correct.tool_controller import ToolController

pytestmark = pytest.mark.viewer


@pytest.fixture
def tools(marked, qtbot, monkeypatch):
    viewer, layer = marked
    editor, panel, labels = LabelEditor(viewer), ToolsPanel(), LabelList()
    for widget in (panel, labels):
        qtbot.addWidget(widget)
    editor.choose(layer)
    labels.show_labels(editor.rows(), ())
    said, changes = [], []
    monkeypatch.setattr(module, "show_error", said.append)
    tools = ToolController(viewer, editor, panel, labels, lambda: changes.append(1))
    tools.viewer, tools.editor, tools.panel, tools.labels, tools.said, tools.changes = (
        viewer,
        editor,
        panel,
        labels,
        said,
        changes,
    )
    yield tools
    tools.release()


def click(tools, *position):
    for callback in list(tools.editor.layer.mouse_drag_callbacks):
        callback(tools.editor.layer, SimpleNamespace(position=position))


def test_a_tool_acts_on_what_is_chosen_and_tells(tools):
    layer = tools.editor.layer
    object_before, corner_before = (layer.data == 1).sum(), (layer.data == 3).sum()
    tools.panel.pixels.value = 2
    tools.use("grow")
    assert (layer.data == 1).sum() > object_before
    assert (layer.data == 3).sum() == corner_before
    tools.panel.choose_scope("selected")
    tools.labels.select(3)
    tools.use("shrink")
    assert (layer.data == 3).sum() == 36
    assert len(tools.changes) == 2
    layer.undo()
    assert (layer.data == 3).sum() == corner_before


def test_areas_are_divided_by_that_of_a_pixel(tools):
    image = tools.viewer.layers["mole"]
    image.units, image.scale = ("mm", "mm"), (0.5, 0.5)
    tools.panel.choose_scope("selected")
    tools.labels.select(3)
    layer = tools.editor.layer
    layer.data[40:44, 40:44] = 3
    tools.panel.smallest.value = 16 * 0.25 - 0.5
    tools.use("remove_small")
    assert (layer.data[40:44, 40:44] == 3).all()
    tools.panel.smallest.value = 16 * 0.25 + 0.5
    tools.use("remove_small")
    assert (layer.data[40:44, 40:44] == 2).all()
    assert (layer.data[:8, :8] == 3).all()


def test_a_part_locked_by_a_click_is_left_by_every_tool(tools):
    layer = tools.editor.layer
    tools.use("lock_part")
    assert "Click the part to lock" in tools.panel.hint.text()
    click(tools, 2, 2)
    assert tools.panel.hint.text() == "Locked as it is."
    tools.labels.list.selectAll()
    tools.use("merge")
    assert (layer.data[:8, :8] == 3).all()
    assert set(np.unique(layer.data[8:])) == {1}
    tools.use("lock_part")
    click(tools, 2, 2)
    assert tools.panel.hint.text() == "Unlocked."


def test_a_part_is_given_to_the_selected_label(tools):
    tools.labels.list.clearSelection()
    with pytest.raises(InvalidImageError, match="Select one label"):
        tools.use("assign")
    tools.labels.select(2)
    tools.use("assign")
    click(tools, 2, 2)
    assert (tools.editor.layer.data[:8, :8] == 2).all()


def test_clicks_that_do_not_fit_are_explained(tools):
    tools.use("cut")
    click(tools, 2, 2)
    click(tools, 40, 60)
    assert "one connected part" in tools.said[0]
    assert tools.panel.hint.text() == tools.said[0]


def test_another_tool_drops_the_question(tools):
    tools.use("lock_part")
    tools.use("smooth")
    assert tools.panel.hint.text() == ""
    click(tools, 2, 2)
    assert tools.editor.locked_part is None


def test_what_a_tool_said_goes_with_the_next_thing_but_not_what_is_to_be_clicked(tools):
    tools.use("fill_holes")
    assert tools.panel.hint.text()
    tools.hush()
    assert not tools.panel.hint.text()
    tools.use("lock_part")
    tools.hush()
    assert "Click the part to lock" in tools.panel.hint.text()
