"""Which image layer is worked on."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_s3net.plugin.layers.renewal import beginning_anew
from napari_s3net.plugin.segment.chosen_image import ChosenImage

pytestmark = pytest.mark.viewer


@pytest.fixture
def heard(qtbot):
    """A viewer with two images, the choice among them, and what was heard of it."""
    viewer, parent, busy, words = ViewerModel(), QObject(), [False], []
    _, second = (viewer.add_image(np.zeros((8, 9)), name=name) for name in ("first", "second"))
    image = ChosenImage(viewer, parent, lambda: busy[0])
    for name in ("chosen", "listed", "replaced", "leaving"):
        getattr(image, name).connect(lambda name=name: words.append((name, image.layer)))
    for event, slot in image.viewer_events():
        event.connect(slot)
    image.look()
    assert words == [("chosen", second), ("listed", second)]
    words.clear()
    yield viewer, image, busy, words
    image.release()
    parent.deleteLater()


def test_the_active_image_is_taken_but_not_during_a_run(heard):
    viewer, image, busy, words = heard
    first, second = viewer.layers
    busy[0] = True
    viewer.layers.selection.active = first
    assert (image.layer, words) == (second, [])
    busy[0] = False
    viewer.layers.selection.active = None
    viewer.layers.selection.active = first
    assert words == [("chosen", first), ("listed", first)]


def test_after_a_run_the_image_that_became_active_meanwhile_is_taken(heard):
    viewer, image, busy, words = heard
    first, second = viewer.layers
    viewer.layers.selection.active = second
    busy[0] = True
    viewer.layers.selection.active = first
    busy[0] = False
    image.catch_up()
    image.catch_up()
    assert words == [("chosen", first), ("listed", first)]


def test_after_a_run_an_image_of_the_list_stays_whatever_was_active_before(heard):
    viewer, image, busy, words = heard
    first, second = viewer.layers
    viewer.layers.selection.active = second
    image.choose_nth(0)
    words.clear()
    busy[0] = True
    viewer.layers.selection.active = viewer.add_labels(np.zeros((8, 9), int))  # as a run adds its result,
    viewer.layers.selection.active = second  # and gives the selection back
    busy[0] = False
    image.catch_up()
    assert image.layer is first
    assert all(word == "listed" for word, _ in words)


def test_one_of_the_list_is_taken_whatever_is_active(heard):
    viewer, image, _, words = heard
    image.choose_nth(0)
    assert words == [("chosen", viewer.layers[0]), ("listed", viewer.layers[0])]


def test_what_is_removed_gives_way_to_another_one_and_at_last_to_none(heard):
    viewer, image, _, words = heard
    first, second = viewer.layers
    viewer.layers.remove(second)
    assert image.layer is first
    viewer.layers.remove(first)
    assert image.layer is None
    assert words[-2:] == [("chosen", None), ("listed", None)]


def test_other_data_and_a_layer_that_begins_anew_are_told_apart(heard):
    viewer, image, _, words = heard
    layer = image.layer
    layer.data = np.ones((8, 9))
    assert words == [("replaced", layer)]
    words.clear()
    with beginning_anew(viewer, layer):
        layer.data = np.ones((8, 9))
    assert words == [("leaving", layer), ("chosen", layer)]
    image.release()
    layer.data = np.zeros((8, 9))
    assert len(words) == 2
