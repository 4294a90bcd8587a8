"""The parts of the Correct dock: what they show and what they ask for."""

from datetime import UTC, datetime

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_s3net.plugin.correct.autosave import RecentSession
from napari_s3net.plugin.correct.label_list import LabelList
from napari_s3net.plugin.correct.panels import (
    NoLabels,
    PaintPanel,
    SessionPanel,
    ToolsPanel,
    UncertaintyPanel,
)
from napari_s3net.plugin.widgets.dock import LEAST_WIDTH
from napari_s3net.plugin.widgets.text import share_text

pytestmark = pytest.mark.viewer
ROWS = [(1, "Lesion", "#0072b2"), (2, "Skin", "#999999"), (5, "Ruler", "#cccccc")]


def made(qtbot, kind):
    panel = kind()
    qtbot.addWidget(panel)
    return panel


def test_what_is_painted_is_marked_and_asked_for(qtbot):
    panel, asked = made(qtbot, PaintPanel), []
    panel.brush_chosen.connect(asked.append)
    for name in ("object", "background", "label", "erase"):
        panel.buttons[name].click()
    assert asked == ["object", "background", "label", "erase"]
    panel.show_brush("background")
    assert [name for name, one in panel.buttons.items() if one.isChecked()] == ["background"]
    panel.show_brush("")
    assert not any(one.isChecked() for one in panel.buttons.values())


def test_strokes_are_counted_in_words_and_allow_a_rerun(qtbot):
    panel = made(qtbot, PaintPanel)
    panel.show_count(0, 0, 0)
    assert "paint what is wrong" in panel.count.text()
    assert not panel.rerun.isEnabled()
    panel.show_count(2, 1, 0)
    assert panel.count.text() == "2 object, 1 background"
    assert panel.rerun.isEnabled()


def test_the_list_keeps_its_selection_and_marks_locks(qtbot):
    panel, picked = made(qtbot, LabelList), []
    panel.picked.connect(lambda: picked.append(panel.selected))
    panel.show_labels(ROWS, ())
    panel.select(2)
    assert picked[-1] == [2]
    n = len(picked)
    panel.show_labels(ROWS[1:], {5})
    assert panel.selected == [2]
    assert len(picked) == n
    assert [panel.list.item(i).text() for i in range(2)] == ["2  Skin", "5  Ruler  (locked)"]
    panel.list.selectAll()
    assert panel.selected == [2, 5]


@pytest.mark.parametrize(
    ("kind", "buttons"),
    [
        (LabelList, ("merge", "lock")),
        (UncertaintyPanel, ("next",)),
        (SessionPanel, ("revert", "sheet")),
        (NoLabels, ("segment",)),
    ],
)
def test_every_button_asks_by_its_name(qtbot, kind, buttons):
    panel, asked = made(qtbot, kind), []
    panel.asked.connect(asked.append)
    if kind is LabelList:
        panel.show_labels(ROWS, ())
        panel.list.selectAll()
    for name in buttons:
        getattr(panel, name).click()
    assert asked == list(buttons)


def test_every_tool_has_a_button_with_a_tip_and_asks(qtbot):
    panel, asked = made(qtbot, ToolsPanel), []
    panel.asked.connect(asked.append)
    for button in panel.buttons.values():
        button.click()
        assert len(button.toolTip()) > 10
    assert asked == list(panel.buttons)
    assert panel.scope == "object"
    panel.choose_scope("all")
    assert panel.scope == "all"


def test_a_hint_is_there_only_while_it_says_something(qtbot):
    panel = made(qtbot, ToolsPanel)
    panel.show_hint("Click twice.")
    assert panel.hint.isVisibleTo(panel)
    panel.show_hint("")
    assert not panel.hint.isVisibleTo(panel)


def test_numbers_do_not_change_under_the_wheel_in_passing(qtbot):
    panel = made(qtbot, ToolsPanel)
    for field in (panel.smallest, panel.pixels):
        assert field.native.focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_the_whole_volume_can_be_meant_where_there_is_one(qtbot):
    panel = made(qtbot, ToolsPanel)
    panel.show_unit("mm²")
    assert not panel.in_3d.isVisibleTo(panel)
    (title,) = (one for one in panel.findChildren(QLabel) if one.text() == "Tools")
    for is_stack in (False, True):
        panel.show_unit("mm²", is_stack=is_stack)
        assert title.isVisibleTo(panel)
    assert panel.minimumSizeHint().width() <= LEAST_WIDTH - 30, "beside margins and a scroll bar"
    panel.resize(LEAST_WIDTH - 30, 400)
    panel.show()
    edit = panel.smallest.native.lineEdit()
    for part, text in ((edit, edit.text()), (panel.buttons["remove_small"], "Remove <")):
        qtbot.waitUntil(lambda part=part, text=text: part.width() >= part.fontMetrics().horizontalAdvance(text))
    panel.show_unit("px", is_stack=False)
    narrow = panel.minimumSizeHint().width()
    panel.show_unit("mm²", is_stack=True)
    panel.layout().activate()
    assert panel.minimumSizeHint().width() <= narrow + 12, "it fits into a dock that is as narrow as before"
    assert not panel.is_in_3d
    panel.in_3d.setChecked(True)
    assert panel.is_in_3d
    assert panel.smallest.native.suffix() == " mm³"
    panel.show_unit("mm²")
    assert not panel.is_in_3d, "another image, which is a plane"
    assert panel.smallest.native.suffix() == " mm²"


def test_locked_parts_are_told(qtbot):
    panel = made(qtbot, LabelList)
    panel.show_locked_parts(0.062)
    assert panel.locked_parts.isVisibleTo(panel)
    assert panel.locked_parts.text().startswith(f"Locked parts: {share_text(0.062)} of the image.")
    panel.show_locked_parts(0)
    assert not panel.locked_parts.isVisibleTo(panel)


def test_sessions_are_listed_by_image_and_time_and_hidden_where_there_are_none(qtbot, tmp_path):
    panel, asked = NoLabels(), []
    qtbot.addWidget(panel)
    panel.asked.connect(asked.append)
    panel.show_recent([])
    assert not panel.reopen.isVisibleTo(panel)
    panel.show_recent([RecentSession(tmp_path / "a.npz", "mole", datetime(2026, 5, 4, 9, 30, tzinfo=UTC))])
    (entry,) = panel.reopen.menu().actions()
    assert entry.text() == "mole  ·  04 May 09:30"
    entry.trigger()
    assert asked == [f"reopen {tmp_path / 'a.npz'}"]
