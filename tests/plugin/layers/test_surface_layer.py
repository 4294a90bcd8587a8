import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry
from napari_s3net.plugin.layers import surface_layer
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.surface_layer import show_surface
from napari_s3net.plugin.layers.view import camera_of

ABOUT = {KEY: {"source": "scan", "foreground": [2], "names": {2: "Lung"}, "settings": {}}}


def labels(data=None):
    if data is None:
        data = np.ones((12, 20, 24), np.int32)
        data[3:9, 5:13, 6:18] = 2
    scale = (3.0, 0.5, 2.0)[-data.ndim :]
    return Labels(data, scale=scale, translate=(10.0, 20.0, 30.0)[-data.ndim :], metadata=ABOUT)


def test_the_surface_lies_around_the_object_in_millimetres():
    viewer = ViewerModel()
    layer = viewer.add_layer(labels())
    surface = show_surface(viewer, layer)
    assert viewer.dims.ndisplay == 3
    world = np.array([surface.data_to_world(vertex) for vertex in surface.data[0]])
    inside = np.argwhere(layer.data == 2)
    first, last = (np.array(layer.data_to_world(corner)) for corner in (inside.min(axis=0), inside.max(axis=0)))
    half = np.array(layer.scale) / 2
    assert world.min(axis=0) == pytest.approx(first - half)
    assert world.max(axis=0) == pytest.approx(last + half)


def test_nothing_covers_the_surface_and_the_view_in_two_dimensions_is_as_before():
    viewer = ViewerModel()
    layer, other = viewer.add_layer(labels()), viewer.add_layer(labels())
    other.visible = False
    surface = show_surface(viewer, layer)
    assert [layer.visible, other.visible, surface.visible] == [False, False, True]
    viewer.dims.ndisplay = 2
    assert [layer.visible, other.visible, surface.visible] == [True, False, False]


def test_a_patient_is_seen_from_the_front_and_not_in_a_mirror():
    viewer, layer = ViewerModel(), labels()
    upright = Geometry((3.0, 0.5, 2.0), (0.0,) * 3, Geometry.identity(3).direction, orientation="LPS")
    layer.metadata = {KEY: {**ABOUT[KEY], "geometry": upright}}
    viewer.add_layer(layer)
    for _ in range(2):
        show_surface(viewer, layer)
    camera = camera_of(viewer)
    assert [str(way) for way in camera.orientation] == ["away", "down", "right"], "right-handed, as the patient"
    assert camera.view_direction == pytest.approx((0, 1, 0), abs=1e-6)
    assert camera.up_direction == pytest.approx((1, 0, 0), abs=1e-6)
    viewer.dims.ndisplay = 2
    assert str(camera.orientation[0]) == "towards"


def test_another_press_replaces_the_surface_and_leaves_the_labels_chosen():
    viewer = ViewerModel()
    layer = viewer.add_layer(labels())
    show_surface(viewer, layer)
    layer.data[3:9] = 1
    layer.data[2:4, 2:4, 2:4] = 2
    show_surface(viewer, layer)
    assert [type(one).__name__ for one in viewer.layers] == ["Labels", "Surface"]
    assert viewer.layers.selection.active is layer
    assert viewer.layers[-1].data[0].max() < 5


def test_a_large_object_is_drawn_of_fewer_voxels(monkeypatch):
    viewer = ViewerModel()
    fine = show_surface(viewer, viewer.add_layer(labels()))
    monkeypatch.setattr(surface_layer, "SHOWN_VOXELS", 100)
    assert len(show_surface(viewer, viewer.layers[0]).data[0]) < len(fine.data[0]) / 2


@pytest.mark.parametrize(
    ("data", "message"), [(np.ones((4, 5, 6), np.int32), "no voxel"), (np.full((5, 6), 2, np.int32), "2 dimensions")]
)
def test_what_has_no_surface(data, message):
    viewer = ViewerModel()
    with pytest.raises(InvalidImageError, match=message):
        show_surface(viewer, viewer.add_layer(labels(data)))
    assert len(viewer.layers) == 1
