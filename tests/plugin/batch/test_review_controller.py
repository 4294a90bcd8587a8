"""A review as it goes on, over results that are stand-ins."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QObject

from napari_s3net.batch import FileRow
from napari_s3net.batch.review import Review
from napari_s3net.errors import WriteError
from napari_s3net.plugin.batch import review_controller as module
from napari_s3net.plugin.batch.review_controller import ReviewController
from napari_s3net.plugin.batch.review_panel import ReviewPanel
from napari_s3net.plugin.widgets.text import NARROW

pytestmark = pytest.mark.viewer


class FakeResult:
    """A result in the viewer; changed where a test says so."""

    def __init__(self, row, viewer):
        self.row, self.is_changed, self.saved, self.is_in_view = row, False, 0, True
        self.share = row.share
        self.layer = Labels(np.array([[1, 2], [2, 2]]))
        viewer.add_layer(self.layer)

    def show_alone(self):
        self.is_in_view = True

    def save(self, review):
        self.saved += 1
        self.is_changed = False
        review.decide(self.row, "corrected", (1,), share=self.share)


def row(file, confidence):
    about = {"foreground": (2,)}
    return FileRow(file=file, status="done", confidence=confidence, share=0.2, settings="s", input=file, metadata=about)


ROWS = [row("sure.png", 0.9), row("unsure.png", 0.1), row("so-so.png", 0.5)]
ORDER = ["unsure.png", "so-so.png", "sure.png"]


class Reviewed:
    """A controller with everything that it told, showed and refused."""

    def __init__(self, qtbot, output):
        self.viewer, self.panel, self.owner, self.output = ViewerModel(), ReviewPanel(), QObject(), output
        qtbot.addWidget(self.panel)
        self.opened, self.told, self.ended, self.following = [], [], [], []
        self.controller = ReviewController(self.viewer, self.panel, self.show, self.owner)
        self.controller.decided.connect(lambda *what: self.told.append(what))
        self.controller.ended.connect(lambda: self.ended.append(1))

    def show(self, one, following):
        self.following.append(following)
        self.opened.append(FakeResult(one, self.viewer))
        return self.opened[-1]

    def press(self, key):
        bound = next(slot for name, slot in self.viewer.keymap.items() if str(name) == key)
        bound(self.viewer)

    def decisions(self):
        review = Review(self.output)
        return {one.file: review.decision(one) for one in ROWS}


@pytest.fixture
def reviewed(qtbot, tmp_path):
    reviewed = Reviewed(qtbot, tmp_path)
    reviewed.controller.begin(tmp_path, ROWS)
    yield reviewed
    reviewed.controller.end()


def test_the_least_certain_comes_first(reviewed):
    shown = [reviewed.panel.title.text()]
    for _ in range(2):
        reviewed.panel.next.click()
        shown.append(reviewed.panel.title.text())
    assert shown == ORDER


def test_nothing_to_review_begins_nothing(qtbot, tmp_path):
    reviewed = Reviewed(qtbot, tmp_path)
    reviewed.controller.begin(tmp_path, [FileRow(file="a.png", status="failed")])
    assert not reviewed.controller.is_on
    assert not reviewed.opened
    assert not reviewed.viewer.keymap


def test_accepting_and_rejecting_go_on_and_are_written_down(reviewed):
    reviewed.press("Shift+A")
    reviewed.press("Shift+X")
    assert reviewed.panel.title.text() == ORDER[2]
    assert reviewed.decisions() == {"unsure.png": "accepted", "so-so.png": "rejected", "sure.png": None}
    assert reviewed.told == [("unsure.png", "accepted"), ("so-so.png", "rejected")]


@pytest.mark.parametrize("what", ["accept", "reject"])
def test_a_result_that_is_not_in_view_is_shown_before_it_is_decided(reviewed, what, monkeypatch):
    said = []
    monkeypatch.setattr(module, "show_error", said.append)
    reviewed.opened[0].is_in_view = False
    reviewed.panel.buttons[what].click()
    assert reviewed.decisions()["unsure.png"] is None
    assert said == ["unsure.png was not in view. Look at it now, then decide."]
    reviewed.panel.buttons[what].click()
    assert reviewed.decisions()["unsure.png"] == {"accept": "accepted", "reject": "rejected"}[what]


def test_what_was_changed_is_saved_as_a_correction_when_it_is_accepted(reviewed):
    reviewed.opened[0].is_changed = True
    reviewed.panel.buttons["accept"].click()
    assert reviewed.opened[0].saved == 1
    assert reviewed.decisions()["unsure.png"] == "corrected"


@pytest.mark.parametrize("way", ["next", "close_button"])
def test_what_was_changed_is_saved_when_one_goes_elsewhere(reviewed, way):
    reviewed.opened[0].is_changed = True
    getattr(reviewed.panel, way).click()
    assert reviewed.opened[0].saved == 1


def test_the_share_is_that_of_the_labels_as_they_are_now(reviewed):
    def line():
        return reviewed.panel.line.text().replace(NARROW, " ")

    assert "object 20.0 %" in line()
    reviewed.opened[0].share, reviewed.opened[0].is_changed = 0.5, True
    reviewed.controller.look_again()
    assert "object 50.0 %" in line()
    reviewed.panel.next.click()
    assert "object 20.0 %" in line()
    assert reviewed.controller.corrected_share(ORDER[0]) == 0.5
    assert reviewed.controller.corrected_share(ORDER[1]) is None
    reviewed.panel.back.click()
    reviewed.opened[-1].share = 0.0
    reviewed.controller.look_again()
    assert "no object" in line()
    reviewed.panel.buttons["reject"].click()
    assert reviewed.controller.corrected_share(ORDER[0]) is None, "what was rejected is the batch's"
    reviewed.controller.end()
    reviewed.controller.look_again()
    assert reviewed.controller.corrected_share(ORDER[0]) is None


def test_correcting_takes_the_brush_with_the_label_of_the_object(reviewed):
    reviewed.panel.buttons["correct"].click()
    layer = reviewed.opened[0].layer
    assert reviewed.viewer.layers.selection.active is layer
    assert (str(layer.mode), layer.selected_label) == ("paint", 2)


def test_the_last_one_stays_in_view_after_its_decision(reviewed):
    for _ in ORDER:
        reviewed.panel.buttons["accept"].click()
    assert reviewed.panel.title.text() == ORDER[-1]
    assert "0 left" in reviewed.panel.line.text()
    assert "accepted" in reviewed.panel.line.text()


def test_the_next_review_goes_on_at_the_first_without_a_decision(reviewed, tmp_path):
    reviewed.panel.buttons["accept"].click()
    reviewed.panel.close_button.click()
    assert reviewed.ended == [1]
    assert not reviewed.viewer.keymap
    reviewed.controller.begin(tmp_path, ROWS)
    assert reviewed.panel.title.text() == ORDER[1]


def test_what_comes_next_is_told_to_be_read_ahead(reviewed):
    reviewed.panel.next.click()
    reviewed.panel.next.click()
    assert [one and one.file for one in reviewed.following] == [ORDER[1], ORDER[2], None]


def test_what_was_changed_is_saved_when_the_dock_closes(reviewed):
    reviewed.opened[0].is_changed = True
    reviewed.controller.end()
    assert reviewed.opened[0].saved == 1
    assert reviewed.decisions()["unsure.png"] == "corrected"


def test_a_name_stands_beside_decisions_and_is_remembered(reviewed, qtbot, tmp_path):
    reviewed.panel.reviewer.setText(" B. Lange ")
    reviewed.panel.reviewer.editingFinished.emit()
    reviewed.panel.buttons["accept"].click()
    assert Review(tmp_path).verdict(ROWS[1]).reviewer == "B. Lange"
    another_day = Reviewed(qtbot, tmp_path)
    assert another_day.panel.reviewer.text() == "B. Lange"
    another_day.controller.begin(tmp_path, ROWS)
    another_day.panel.buttons["reject"].click()
    assert Review(tmp_path).verdict(ROWS[2]).reviewer == "B. Lange"
    another_day.controller.end()


@pytest.mark.parametrize(("what", "goes"), [("accept", False), ("next", False), ("reject", True)])
def test_strokes_that_changed_nothing_are_told_before_the_image_is_left(reviewed, monkeypatch, what, goes):
    errors = []
    monkeypatch.setattr(module, "show_error", errors.append)
    reviewed.controller.obstacle = lambda: "Your strokes have changed nothing yet."
    reviewed.controller.ask(what)
    assert (reviewed.panel.title.text() != ORDER[0]) is goes
    assert errors == ([] if goes else [reviewed.controller.obstacle()])
    assert reviewed.panel.message.text() == "".join(errors), "beside the button as well"
    reviewed.controller.ask("reject")
    assert reviewed.panel.message.isHidden()


def test_a_file_that_is_asked_for_comes_into_the_review(reviewed):
    reviewed.opened[0].is_changed = True
    assert reviewed.controller.go_to(ORDER[2])
    assert reviewed.panel.title.text() == ORDER[2]
    assert reviewed.opened[0].saved == 1
    assert not reviewed.controller.go_to("failed.png")
    reviewed.controller.end()
    assert not reviewed.controller.go_to(ORDER[0])


def test_after_the_end_nothing_is_decided(reviewed):
    reviewed.controller.end()
    reviewed.panel.buttons["reject"].click()
    assert set(reviewed.decisions().values()) == {None}


def test_a_folder_that_cannot_be_written_is_told(reviewed, monkeypatch):
    errors = []
    monkeypatch.setattr(module, "show_error", errors.append)

    def refuse(*args):
        raise WriteError("Cannot write review.json: no space left.")

    monkeypatch.setattr(Review, "decide", refuse)
    reviewed.panel.buttons["reject"].click()
    assert errors == ["Cannot write review.json: no space left."]
    assert reviewed.panel.title.text() == ORDER[0]


@pytest.mark.parametrize("begun", [False, True])
def test_a_folder_that_keeps_no_place_shows_nothing_more(qtbot, tmp_path, monkeypatch, begun):
    errors = []
    monkeypatch.setattr(module, "show_error", errors.append)
    reviewed = Reviewed(qtbot, tmp_path / "out")
    if begun:
        (tmp_path / "out").mkdir()
        reviewed.controller.begin(reviewed.output, ROWS)
        (tmp_path / "out" / "review.json").unlink()
        (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("a file in the place of the folder")
    if begun:
        reviewed.panel.next.click()
        assert "Cannot write" in errors[0]
        assert reviewed.panel.title.text() == ORDER[0]
        assert len(reviewed.opened) == 1
        reviewed.controller.end()
    else:
        with pytest.raises(WriteError):
            reviewed.controller.begin(reviewed.output, ROWS)
        assert not reviewed.controller.is_on
        assert not reviewed.opened
        assert not reviewed.viewer.keymap
