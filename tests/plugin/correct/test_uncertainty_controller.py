"""Where to look next."""

import numpy as np
import pytest

from napari_s3net.correction.constraints import OBJECT
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.panels import UncertaintyPanel
from napari_s3net.plugin.correct.uncertainty_controller import UncertaintyController
from napari_s3net.plugin.jobs.background import Background
from napari_s3net.plugin.layers.proxy import plain

pytestmark = pytest.mark.viewer


@pytest.fixture
def controller(marked, qtbot, monkeypatch):
    viewer, layer = marked
    editor, panel, background = LabelEditor(viewer), UncertaintyPanel(), Background()
    qtbot.addWidget(panel)
    editor.choose(layer)
    controller = UncertaintyController(viewer, editor, panel, background)
    controller.viewer, controller.editor, controller.panel, controller.asked = viewer, editor, panel, []
    monkeypatch.setattr(background, "start", lambda source, settings, make: controller.asked.append(source))
    return controller


def two_places():
    entropy = np.zeros((48, 64), np.float32)
    entropy[8:14, 8:14] = 0.9
    entropy[32:36, 48:52] = 0.8
    return entropy


def centre(controller):
    viewer = controller.viewer
    return tuple(getattr(viewer, "scene", viewer).camera.center)[-2:]


def test_the_view_goes_from_the_best_place_to_the_next_and_round(controller):
    controller.ask("next")
    assert controller.panel.line.text() == "Estimating the uncertainty…"
    controller.show(two_places())
    assert "Place 1 of 2" in controller.panel.line.text()
    first = centre(controller)
    assert first == pytest.approx((10.5, 10.5), abs=1.5)
    controller.ask("next")
    assert centre(controller) == pytest.approx((33.5, 49.5), abs=1.5)
    controller.ask("next")
    assert centre(controller) == first
    assert len(controller.asked) == 1


def test_a_place_with_a_stroke_is_done(controller):
    controller.editor.strokes.make().data[10, 10] = OBJECT
    controller.ask("next")
    controller.show(two_places())
    assert "Place 1 of 1" in controller.panel.line.text()
    assert centre(controller) == pytest.approx((33.5, 49.5), abs=1.5)


def test_the_brush_fits_the_place(controller):
    controller.ask("next")
    controller.show(two_places())
    assert controller.editor.strokes.make().brush_size == 3, "half of 6 pixels, also where strokes come later"
    wide = np.zeros((48, 64), np.float32)
    wide[10:40, 10:50] = 0.9
    controller.show(wide)
    assert controller.editor.strokes.layer.brush_size == 4


def test_nothing_left_is_said_and_the_view_stays(controller):
    before = centre(controller)
    controller.ask("next")
    controller.show(np.zeros((48, 64), np.float32))
    assert "Little is left to gain" in controller.panel.line.text()
    assert centre(controller) == before


def test_a_layer_shows_it_and_is_no_labels_to_correct(controller):
    controller.editor.layer.scale = (0.5, 0.5)
    controller.viewer.layers["mole"].scale = (0.5, 0.5)
    controller.ask("probabilities")
    controller.show(two_places())
    layer = plain(controller.viewer.layers["mole – S³-Net – uncertainty"])
    np.testing.assert_array_equal(layer.data, two_places())
    np.testing.assert_array_equal(layer.scale, (0.5, 0.5))
    assert "2 places to look at" in controller.panel.line.text()
    controller.ask("probabilities")
    controller.show(two_places() / 2)
    assert sum("uncertainty" in one.name for one in controller.viewer.layers) == 1


def test_an_answer_for_another_plane_is_dropped_and_a_change_forgets(controller):
    controller.ask("next")
    controller.show(np.ones((5, 5), np.float32))
    assert controller.panel.line.text() == "Estimating the uncertainty…"
    controller.show(two_places())
    controller.forget()
    assert controller.panel.line.text() == ""
    controller.ask("next")
    assert len(controller.asked) == 2


def test_its_layer_is_known_by_what_it_belongs_to_and_not_by_its_name(controller):
    viewer = controller.viewer
    mine = viewer.add_image(np.ones((48, 64), np.float32), name="mole – S³-Net – uncertainty")
    controller.ask("probabilities")
    controller.show(two_places())
    shown = plain(viewer.layers[-1])
    assert shown is not mine
    shown.name = "where to look"
    controller.ask("probabilities")
    controller.show(two_places() / 2)
    np.testing.assert_array_equal(shown.data, two_places() / 2)
    assert (mine.data == 1).all()
    assert len(viewer.layers) == 4
