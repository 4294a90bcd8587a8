"""The view fitted to what can be seen, whatever lies hidden beside it."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.layers.view import camera_of, hide_others, show_whole


def view_of(viewer):
    show_whole(viewer)
    camera = camera_of(viewer)
    return tuple(camera.center[-2:]), camera.zoom


def alone(layer):
    viewer = ViewerModel()
    viewer.add_image(layer.data, scale=layer.scale, translate=layer.translate)
    return view_of(viewer)


@pytest.mark.parametrize("shape", [(40, 300, 300), (300, 400)])
def test_hidden_layers_of_any_number_of_axes_do_not_count(shape):
    viewer = ViewerModel()
    viewer.add_image(np.ones(shape), visible=False)
    seen = viewer.add_image(np.ones((20, 30)), scale=(2, 2), translate=(50, 7))
    center, zoom = view_of(viewer)
    wanted, wanted_zoom = alone(seen)
    np.testing.assert_allclose(center, wanted)
    assert zoom == pytest.approx(wanted_zoom)


def test_a_rolled_view_and_nothing_in_view_are_fitted_as_napari_does():
    viewer = ViewerModel()
    viewer.add_image(np.ones((40, 50, 60)), visible=False)
    plane = viewer.add_image(np.ones((20, 30)))
    viewer.dims.order = (1, 0, 2)  # the plane lacks the first axis, which is in view
    before = view_of(viewer)
    plane.visible = False
    assert view_of(viewer) == before


def test_one_image_is_shown_without_the_others():
    viewer = ViewerModel()
    layers = [viewer.add_image(np.ones((4, 4))) for _ in range(3)]
    layers[1].visible = False
    hide_others(viewer, layers[1], layers[2])
    assert [layer.visible for layer in layers] == [False, False, True]
