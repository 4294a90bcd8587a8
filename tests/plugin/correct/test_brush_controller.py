"""What the brush paints, without a dock."""

from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import QObject

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.plugin.correct import brush_controller
from napari_s3net.plugin.correct.brush_controller import BrushController
from napari_s3net.plugin.correct.label_list import LabelList
from napari_s3net.plugin.correct.panels import PaintPanel

pytestmark = pytest.mark.viewer


@pytest.fixture
def parts(marked, editor, qtbot):
    """The brush with its panel and list, and how often somebody was asked to listen."""
    viewer, _ = marked
    parts = SimpleNamespace(
        viewer=viewer, editor=editor, panel=PaintPanel(), labels=LabelList(), owner=QObject(), heard=[]
    )
    qtbot.addWidget(parts.panel)
    qtbot.addWidget(parts.labels)
    parts.labels.show_labels(editor.rows(), set())
    listen = lambda: parts.heard.append(1)  # noqa: E731
    parts.brush = BrushController(viewer, editor, parts.panel, parts.labels, listen, parts.owner)
    return parts


@pytest.mark.parametrize(
    ("name", "label", "mode"),
    [("object", OBJECT, "paint"), ("background", BACKGROUND, "paint"), ("erase", None, "erase")],
)
def test_strokes_are_selected_and_napari_s_brush_is_set(parts, name, label, mode):
    parts.brush.take(name)
    strokes = parts.editor.strokes.layer
    assert parts.viewer.layers.selection.active is strokes
    assert strokes.mode == mode
    assert label is None or strokes.selected_label == label
    assert parts.panel.buttons[name].isChecked()
    assert parts.heard, "there may be a new layer"


def test_a_label_is_painted_if_it_is_in_view(parts):
    parts.brush.take_label(9)
    assert parts.editor.strokes.layer is None
    parts.brush.take_label(3)
    assert parts.editor.strokes.layer.selected_label == 3
    assert parts.panel.buttons["label"].isChecked()


@pytest.mark.parametrize("number", [BACKGROUND, OBJECT, 40000])
def test_a_label_whose_number_means_a_side_is_not_painted(parts, number, monkeypatch):
    said = []
    monkeypatch.setattr(brush_controller, "show_info", said.append)
    layer = parts.editor.layer
    layer.data = np.where(layer.data == 3, number, layer.data.astype(np.int32))
    parts.labels.show_labels(parts.editor.rows(), set())
    parts.brush.take("object")
    parts.brush.take_label(number)
    assert parts.editor.strokes.layer.selected_label == OBJECT
    assert parts.panel.buttons["object"].isChecked()
    assert [str(number) in words and "32765" in words for words in said] == [True]


def test_another_selected_label_is_painted_only_where_labels_are_painted(parts):
    parts.brush.take("object")
    parts.labels.select(2)
    parts.labels.picked.emit()
    assert parts.editor.strokes.layer.selected_label == OBJECT
    parts.brush.take_label(3)
    parts.labels.select(2)
    parts.labels.picked.emit()
    assert parts.editor.strokes.layer.selected_label == 2


def test_what_napari_s_own_buttons_choose_is_shown(parts):
    parts.brush.take("object")
    parts.editor.strokes.layer.selected_label = BACKGROUND
    parts.brush.show()
    assert parts.panel.buttons["background"].isChecked()


def test_without_labels_nothing_is_painted(parts):
    parts.editor.choose(None)
    parts.brush.take("object")
    assert not parts.heard
