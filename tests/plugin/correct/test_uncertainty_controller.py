"""Where to look next."""

import numpy as np
import pytest

from napari_s3net.correction.constraints import OBJECT
from napari_s3net.plugin.correct.controller import LabelEditor
from napari_s3net.plugin.correct.panels import UncertaintyPanel
from napari_s3net.plugin.correct.uncertainty_controller import UncertaintyController
from napari_s3net.plugin.jobs.background import Background
from napari_s3net.plugin.layers.result_layer import plain

pytestmark = pytest.mark.viewer


@pytest.fixture
def looking(marked, qtbot, monkeypatch):
    viewer, layer = marked
    editor, panel = LabelEditor(viewer), UncertaintyPanel()
    qtbot.addWidget(panel)
    editor.choose(layer)
    looking = UncertaintyController(viewer, editor, panel, Background())
    looking.asked = []
    monkeypatch.setattr(looking._background, "start", lambda source, settings, make: looking.asked.append(source))
    return looking


def two_places():
    entropy = np.zeros((48, 64), np.float32)
    entropy[8:14, 8:14] = 0.9
    entropy[32:36, 48:52] = 0.8
    return entropy


def centre(looking):
    viewer = looking._viewer
    return tuple(getattr(viewer, "scene", viewer).camera.center)[-2:]


def test_the_view_goes_from_the_best_place_to_the_next_and_round(looking):
    looking.ask("next")
    assert looking._panel.line.text() == "Looking…"
    looking.show(two_places())
    assert "Place 1 of 2" in looking._panel.line.text()
    first = centre(looking)
    assert first == pytest.approx((10.5, 10.5), abs=1.5)
    looking.ask("next")
    assert centre(looking) == pytest.approx((33.5, 49.5), abs=1.5)
    looking.ask("next")
    assert centre(looking) == first
    assert len(looking.asked) == 1


def test_a_place_with_a_stroke_is_done(looking):
    looking._editor.make_strokes().data[10, 10] = OBJECT
    looking.ask("next")
    looking.show(two_places())
    assert "Place 1 of 1" in looking._panel.line.text()
    assert centre(looking) == pytest.approx((33.5, 49.5), abs=1.5)


def test_nothing_left_is_said_and_the_view_stays(looking):
    before = centre(looking)
    looking.ask("next")
    looking.show(np.zeros((48, 64), np.float32))
    assert "Little is left to gain" in looking._panel.line.text()
    assert centre(looking) == before


def test_a_layer_shows_it_and_is_no_labels_to_correct(looking):
    looking._editor.layer.scale = (0.5, 0.5)
    looking._viewer.layers["mole"].scale = (0.5, 0.5)
    looking.ask("probabilities")
    looking.show(two_places())
    layer = plain(looking._viewer.layers["mole – S³-Net – uncertainty"])
    np.testing.assert_array_equal(layer.data, two_places())
    np.testing.assert_array_equal(layer.scale, (0.5, 0.5))
    assert "2 places to look at" in looking._panel.line.text()
    looking.ask("probabilities")
    looking.show(two_places() / 2)
    assert sum("uncertainty" in one.name for one in looking._viewer.layers) == 1


def test_an_answer_for_another_plane_is_dropped_and_a_change_forgets(looking):
    looking.ask("next")
    looking.show(np.ones((5, 5), np.float32))
    assert looking._panel.line.text() == "Looking…"
    looking.show(two_places())
    looking.forget()
    assert looking._panel.line.text() == ""
    looking.ask("next")
    assert len(looking.asked) == 2
