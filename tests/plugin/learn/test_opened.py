"""Where an image that is to be corrected is shown, and which of its slices somebody looks at."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.slice_states import states_of
from napari_s3net.plugin.learn.opened import SeenSlices, show_middle


@pytest.fixture
def two():
    viewer = ViewerModel()
    viewer.add_image(np.ones((40, 8, 8)))
    layer = viewer.add_labels(np.ones((5, 8, 8), int), scale=(8, 2, 2), translate=(-700, 30, 0))
    return viewer, layer


def test_the_middle_slice_is_shown_wherever_the_volume_lies(two):
    viewer, layer = two
    viewer.dims.set_point(0, 20)
    show_middle(viewer, layer)
    assert layer.world_to_data(viewer.dims.point)[0] == 2
    assert viewer.dims.displayed == (1, 2)


@pytest.mark.viewer
def test_what_is_in_view_has_been_looked_at_unless_it_is_hidden_or_gone(two, qapp):
    viewer, layer = two
    parent = QObject()
    seen = SeenSlices(viewer, lambda: layer, parent)
    show_middle(viewer, layer)
    layer.visible = False
    seen.mark()
    assert not states_of(layer).seen
    layer.visible = True
    seen.mark()
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_point(1, 36)
    seen.mark()
    assert states_of(layer).seen == {PlaneKey((2, None, None)), PlaneKey((None, 3, None))}
    viewer.layers.remove(layer)
    viewer.dims.order = (0, 1, 2)
    seen.mark()
    assert len(states_of(layer).seen) == 2
