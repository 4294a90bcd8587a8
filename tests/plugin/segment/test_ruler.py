"""A length between two clicks, with the mouse as napari tells of it."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtGui import QShortcut
from qtpy.QtWidgets import QWidget

from napari_s3net.plugin.segment.ruler import Ruler

pytestmark = pytest.mark.viewer


class Measuring:
    """A ruler on an image, and what it tells."""

    def __init__(self, **image):
        self.viewer, self.owner, self.told = ViewerModel(), QWidget(), []
        self.image = self.viewer.add_image(np.zeros((40, 60)), **image)
        self.labels = self.viewer.add_labels(np.zeros((40, 60), int))
        self.labels.mode = "paint"
        self.ruler = Ruler(self.viewer, self.owner)
        self.ruler.measured.connect(self.told.append)
        self.ruler.ended.connect(lambda: self.told.append("ended"))
        self.ruler.begin(self.image)

    def heard_by(self):
        """Callbacks of the ruler's; napari has its own beside them."""
        callbacks = [*self.viewer.mouse_drag_callbacks, *self.viewer.mouse_move_callbacks]
        ours = [one for one in callbacks if getattr(one, "__self__", None) is self.ruler]
        return [one for one in ours if one in self.viewer.mouse_drag_callbacks] if self.ruler.is_on else ours

    def press(self, row, column, *, drag=0, button=1):
        event = SimpleNamespace(pos=(column, row), position=(row, column), button=button, type="mouse_press")
        steps = [callback(self.viewer, event) for callback in self.heard_by()]
        for kind, shift in (("mouse_press", 0), *([("mouse_move", drag)] if drag else []), ("mouse_release", drag)):
            event.type, event.pos = kind, (column + shift, row)
            for step in steps:
                next(step, None)


@pytest.fixture
def measuring(qtbot):
    measuring = Measuring()
    qtbot.addWidget(measuring.owner)
    yield measuring
    measuring.ruler.end()


def test_two_clicks_are_a_length_and_nothing_is_painted(measuring):
    assert measuring.viewer.layers.selection.active is measuring.image
    measuring.press(3, 10)
    assert measuring.told == []
    measuring.press(6.5, 10)
    assert measuring.told == [3.5]
    measuring.press(20, 20)
    assert measuring.told == [3.5], "a third click is none of it"
    measuring.ruler.end()
    assert measuring.told == [3.5, "ended"]
    assert not measuring.heard_by(), "neither clicks nor moves"


def test_who_drags_moves_the_view_and_a_trembling_hand_clicks(measuring):
    measuring.press(3, 10, drag=30)
    measuring.press(3, 10, button=2)
    measuring.press(0, 10, drag=2)
    measuring.press(0, 50, drag=-3)
    assert measuring.told == [40.0]


def test_a_double_click_is_one_end(measuring):
    measuring.press(3, 10)
    measuring.press(3, 10)
    assert measuring.told == []


def test_begun_again_it_begins_anew(measuring):
    measuring.press(3, 10)
    measuring.ruler.begin(measuring.image)
    measuring.press(3, 20)
    measuring.press(3, 25)
    assert measuring.told == ["ended", 5.0]


def test_in_the_window_the_line_is_drawn_and_escape_ends_it(make_napari_viewer_proxy):
    viewer, owner, told = make_napari_viewer_proxy(show=True), QWidget(), []
    image = viewer.add_image(np.zeros((40, 60))).__wrapped__
    viewer.reset_view()
    before = viewer.screenshot(flash=False)
    ruler = Ruler(viewer, owner)
    ruler.ended.connect(lambda: told.append("ended"))
    ruler.begin(image)
    ruler.click(np.array([5.0, 5.0]))
    for callback in viewer.mouse_move_callbacks:
        callback(viewer, SimpleNamespace(position=(30.0, 50.0)))
    assert (viewer.screenshot(flash=False) != before).any()
    (escape,) = owner.findChildren(QShortcut)
    assert escape.key().toString() == "Esc"
    escape.activated.emit()
    assert told == ["ended"]
    assert (viewer.screenshot(flash=False) == before).all()
