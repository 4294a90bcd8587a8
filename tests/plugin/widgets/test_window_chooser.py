"""The chooser of windows by itself."""

import pytest
from qtpy.QtWidgets import QAbstractButton, QLineEdit, QWidget

from napari_s3net.plugin.widgets.window_chooser import CT_WINDOWS, OPENED, PERCENTILES, WindowChooser

pytestmark = pytest.mark.viewer


@pytest.fixture
def chooser(qtbot):
    chooser = WindowChooser()
    qtbot.addWidget(chooser)
    return chooser


@pytest.mark.parametrize(
    ("kind", "names"),
    [("ct", {*CT_WINDOWS, OPENED}), ("mr", {*PERCENTILES, OPENED}), ("grey", {*PERCENTILES, OPENED})],
)
def test_each_kind_has_its_windows(chooser, kind, names):
    chooser.show_kind(kind)
    assert {name for name, made in chooser.buttons.items() if made.isVisibleTo(chooser)} == names


def test_colours_have_none(chooser):
    chooser.show_kind("rgb")
    assert chooser.isHidden()
    chooser.show_kind("ct")
    assert not chooser.isHidden()


def test_a_window_is_shown_in_words_and_moves_nothing(chooser):
    moved = []
    chooser.moved.connect(lambda *values: moved.append(values))
    chooser.show_kind("ct")
    chooser.show_window((-1350.0, 150.0), (-1024.0, 2000.0))
    assert chooser.line.text() == "Window: level -600, width 1500 HU"
    assert chooser.slider.value() == (-1350.0, 150.0)
    assert not moved
    chooser.slider.setValue((-100.0, 200.0))
    assert moved[-1] == (-100.0, 200.0)


def test_every_part_that_is_shown_says_what_it_does(chooser):
    chooser.show_kind("ct")
    chooser.show_window((-1350.0, 150.0), (-1350.0, 2000.0))
    found = (*chooser.findChildren(QAbstractButton), chooser.slider, *chooser.slider.findChildren(QWidget))
    parts = [one for one in found if one.isVisibleTo(chooser)]
    assert [one for one in parts if not one.toolTip()] == []
    low, high = (one for one in parts if isinstance(one, QLineEdit))
    assert (low.text(), high.text()) == ("-1350", "150")
    assert "black" in low.toolTip()
    assert "white" in high.toolTip()


def test_one_click_asks_for_a_window(chooser):
    asked = []
    chooser.asked.connect(asked.append)
    for made in chooser.buttons.values():
        made.click()
    assert asked == [*CT_WINDOWS, *PERCENTILES, OPENED]


def test_every_button_of_a_narrow_dock_shows_its_whole_text(chooser, qtbot):
    chooser.show_kind("grey")
    chooser.resize(290, 120)
    chooser.show()
    qtbot.waitExposed(chooser)
    shown = [made for made in chooser.buttons.values() if made.isVisible()]
    for made in shown:
        assert made.width() >= made.fontMetrics().horizontalAdvance(made.text())
    beside = [made for made in shown if made.y() == chooser.buttons[OPENED].y()]
    longest = max(beside, key=lambda made: made.sizeHint().width())
    assert longest.width() == max(made.width() for made in beside), "each has the room that its words ask for"
    assert longest.width() > min(made.width() for made in beside)
