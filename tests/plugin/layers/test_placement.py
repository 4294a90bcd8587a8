"""Where a layer lies: its whole transform."""

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.placement import KEY, lies_on, placement_of, transform_of

pytestmark = pytest.mark.viewer
MM = ("mm",) * 3
TURNED = [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]


def of(**attributes):
    layer = Image(np.zeros((4, 20, 30)), **attributes)
    return placement_of({**transform_of(layer), "metadata": layer.metadata}, (4, 20, 30)), layer


def in_space(geometry, point):
    """A pixel in the world, by the geometry."""
    steps = np.array(point) * geometry.spacing
    return np.array(geometry.origin) + np.array(geometry.direction) @ steps


@pytest.mark.parametrize(
    "attributes",
    [
        {"scale": (3, 0.5, 0.7)},
        {"scale": (3, 0.5, 0.7), "translate": (1, 2, 3)},
        {"scale": (3, -0.5, 0.7)},
        {"scale": (3, 0.5, 0.7), "rotate": TURNED, "translate": (1, 2, 3)},
        {"affine": np.diag([2, 3, 4, 1.0])},
        {"scale": (3, 0.5, 0.5), "affine": np.block([[np.array(TURNED), np.ones((3, 1))], [np.zeros((1, 3)), 1]])},
    ],
)
def test_a_pixel_lies_where_napari_shows_it(attributes):
    placement, layer = of(units=MM, **attributes)
    assert placement.geometry.unit == "mm"
    assert placement.problem == ""
    assert min(placement.geometry.spacing) > 0
    for point in ((0, 0, 0), (1, 2, 3), (3, 19, 29)):
        np.testing.assert_allclose(in_space(placement.geometry, point), layer.data_to_world(point), atol=1e-6)


def test_units_are_those_of_each_axis():
    placement, _ = of(scale=(3, 500, 700), units=("mm", "um", "um"))
    assert placement.geometry.spacing == pytest.approx((3, 0.5, 0.7))


def test_without_a_length_the_scale_counts_in_pixels():
    placement, _ = of(scale=(3, 0.5, 0.5))
    assert placement.geometry.unit == "pixel"
    assert placement.geometry.spacing == (3, 0.5, 0.5)


def test_a_shear_is_told_and_not_measured_in_mm():
    placement, _ = of(scale=(3, 0.5, 0.5), units=MM, shear=(0, 0, 0.3))
    assert placement.geometry == Geometry.identity(3)
    assert "sheared" in placement.problem


def test_what_the_file_said_holds_until_the_user_gives_another_spacing():
    direction = ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    known = Geometry((3, 0.5, 0.5), (10.0, 20.0, 30.0), direction, "mm", "RAS")
    metadata = {KEY: {"geometry": known}}
    for same in ({}, {"translate": (5, 5, 5)}, {"rotate": TURNED}):
        assert of(scale=(3, 0.5, 0.5), units=MM, metadata=metadata, **same)[0].geometry is known
    given, _ = of(scale=(3, 0.25, 0.25), units=MM, metadata=metadata)
    assert given.geometry.spacing == (3, 0.25, 0.25)


def test_a_series_lies_where_its_volumes_lie():
    layer = Image(np.zeros((2, 4, 20, 30)), scale=(1, 3, 0.5, 0.7), units=("s", *MM))
    placement = placement_of(transform_of(layer), (2, 4, 20, 30))
    assert placement.geometry.spacing == (3, 0.5, 0.7)
    assert placement.geometry.unit == "mm"


def test_plain_attributes_will_do():
    placement = placement_of({"scale": [2.0, 3.0], "translate": [1.0, 1.0], "units": "mm"}, (4, 5))
    assert placement.geometry.spacing == (2, 3)
    assert placement.geometry.origin == (1, 1)
    assert placement_of({}, (4, 5)).geometry == Geometry.identity(2)


@pytest.mark.parametrize("other", [{"scale": (3, 0.5, 0.6)}, {"translate": (1, 0, 0)}, {"rotate": TURNED}])
def test_labels_lie_on_an_image_of_their_shape_and_place(other):
    _, image = of(scale=(3, 0.5, 0.5), units=MM)
    labels = Labels(np.zeros((4, 20, 30), int), **transform_of(image))
    assert lies_on(transform_of(labels), labels.data.shape, image, (4, 20, 30))
    assert not lies_on(transform_of(labels), (4, 20, 31), image, (4, 20, 30))
    moved = Labels(np.zeros((4, 20, 30), int), **{**transform_of(image), **other})
    assert not lies_on(transform_of(moved), moved.data.shape, image, (4, 20, 30))
