"""The patient stands upright in each plane, and the camera is left as it was found."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.view import camera_of
from napari_s3net.plugin.segment.letters_controller import LettersController

pytestmark = pytest.mark.viewer
UPRIGHT = Geometry((3.0, 1.0, 1.0), (0.0,) * 3, Geometry.identity(3).direction, orientation="LPS")


@pytest.fixture
def shown(qtbot, monkeypatch):
    """A viewer with a CT, and what follows it; calling it gives the letters that are asked for at the edges."""
    viewer, dock = ViewerModel(), QWidget()
    qtbot.addWidget(dock)
    about = {KEY: {"geometry": UPRIGHT, "kind": "ct"}}
    layer = viewer.add_image(np.zeros((6, 8, 10), np.int16), scale=UPRIGHT.spacing, units=("mm",) * 3, metadata=about)
    controller, asked = LettersController(viewer, dock), []
    monkeypatch.setattr(controller.edges, "show_letters", asked.append)

    def follow():
        controller.follow(layer, source_of(layer, viewer.dims.point, viewer.dims.displayed))
        return asked[-1]

    return viewer, follow, controller


def way(viewer):
    return str(camera_of(viewer).orientation2d[0])


@pytest.mark.parametrize(
    ("order", "letters", "down"),
    [((0, 1, 2), "RLAP", "down"), ((1, 0, 2), "RLSI", "up"), ((2, 0, 1), "APSI", "up")],
)
def test_head_or_front_is_at_the_top_in_each_plane(shown, order, letters, down):
    viewer, follow, _ = shown
    viewer.dims.order = order
    assert "".join(follow()) == letters
    assert way(viewer) == down
    viewer.dims.order = (0, 1, 2)
    assert "".join(follow()) == "RLAP"
    assert way(viewer) == "down"


def test_who_turns_the_view_back_keeps_it_so(shown):
    viewer, follow, _ = shown
    viewer.dims.order = (1, 0, 2)
    follow()
    camera_of(viewer).orientation2d = ("down", "right")
    assert "".join(follow()) == "RLIS"
    assert way(viewer) == "down"


def test_in_three_dimensions_nothing_is_mirrored_and_at_the_end_all_is_as_it_was(shown):
    viewer, follow, controller = shown
    viewer.dims.order = (1, 0, 2)
    follow()
    viewer.dims.ndisplay = 3
    assert way(viewer) == "down"
    viewer.dims.ndisplay = 2
    follow()
    assert way(viewer) == "up"
    controller.follow(None, None)
    assert way(viewer) == "down"
    follow()
    controller.release()
    assert way(viewer) == "down"
