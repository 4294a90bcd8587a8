"""What the review says of the result in view, and what it asks for."""

import pytest

from napari_s3net.batch import FileRow
from napari_s3net.plugin.batch.review_panel import ACTIONS, ReviewPanel
from napari_s3net.plugin.widgets.text import NARROW

pytestmark = pytest.mark.viewer


@pytest.fixture
def panel(qtbot):
    panel = ReviewPanel()
    qtbot.addWidget(panel)
    return panel


def row(**values):
    return FileRow(**{"file": "2024/a.png", "status": "done", "confidence": 0.42, "share": 0.21, **values})


def line(panel):
    return panel.line.text().replace(NARROW, " ")


def test_file_place_and_confidence_are_shown(panel):
    panel.show_result(row(), 1, 1200, 17, "")
    assert panel.title.text() == "2024/a.png"
    assert line(panel) == "2 of 1,200 · 17 left · object 21.0 % · look"


def test_a_decision_is_shown(panel):
    panel.show_result(row(), 0, 3, 2, "rejected")
    assert line(panel).endswith("· rejected")


def test_no_object_and_no_confidence_are_said_and_not_made_up(panel):
    panel.show_result(row(share=0.0, confidence=None), 0, 3, 3, "")
    assert line(panel) == "1 of 3 · 3 left · no object"


def test_a_name_that_looks_like_html_is_shown_as_it_is(panel):
    panel.show_result(row(file="<b>x</b>.png"), 0, 1, 1, "")
    assert panel.title.textFormat() == panel.line.textFormat()
    assert panel.title.textFormat().name == "PlainText"


@pytest.mark.parametrize(("place", "back", "on"), [(0, False, True), (1, True, True), (2, True, False)])
def test_at_both_ends_there_is_no_way_on(panel, place, back, on):
    panel.show_result(row(), place, 3, 3, "")
    assert (panel.back.isEnabled(), panel.next.isEnabled()) == (back, on)


def test_every_button_asks_by_its_name_and_says_what_it_does(panel):
    asked = []
    panel.asked.connect(asked.append)
    buttons = (*panel.buttons.values(), panel.back, panel.next, panel.close_button)
    for button in buttons:
        assert button.toolTip()
        button.click()
    assert asked == [*ACTIONS, "back", "next", "end"]


def test_tips_name_the_key(panel):
    for name, (_, key, _tip) in ACTIONS.items():
        assert key in panel.buttons[name].toolTip()


def test_both_ends_of_a_long_name_are_shown_for_either_tells_files_apart(panel, qtbot):
    panel.resize(280, 200)
    panel.show()
    qtbot.waitExposed(panel)
    panel.title.setText("patient006_frame16_short_axis_of_the_second_visit.nii.gz")
    shown = panel.title._elidedText()
    assert shown.startswith("patient0")
    assert shown.endswith(".nii.gz")
    assert panel.title.width() > panel.reviewer.width()
