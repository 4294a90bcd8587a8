import numpy as np
import pytest

from napari_s3net.export.overlay import ACCENT, draw_overlay, fullest_plane
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.phantom import disc
from napari_s3net.settings import Settings

PHOTO = disc(kind="rgb")


def test_the_outline_lies_on_the_border_and_nowhere_else():
    drawn = draw_overlay(PHOTO.image, PHOTO.mask)
    line = (drawn == ACCENT).all(axis=2)
    y, x = np.nonzero(line)
    radius = np.hypot(y - 47.5, x - 63.5)
    assert line.sum() > 100
    assert radius.min() > 22
    assert radius.max() < 26
    far = np.hypot(*np.mgrid[-47.5:48.5, -63.5:64.5]) > 28
    assert np.array_equal(drawn[far], PHOTO.image.array[far])


def test_the_line_grows_with_the_image():
    widths = []
    for size in (200, 2000):
        mask = np.zeros((size, size), bool)
        mask[:, : size // 2] = True
        drawn = draw_overlay(as_image(np.zeros((size, size, 3), np.uint8)), mask)
        widths.append((drawn[size // 2, :, 2] > ACCENT[2] / 2).sum())
        assert not drawn[:, : size // 4].any(), "no line along the image's edge"
    assert widths[1] > 3 * widths[0]


@pytest.mark.parametrize("full", [False, True])
def test_nothing_to_outline_leaves_the_image(full):
    assert np.array_equal(draw_overlay(PHOTO.image, np.full(PHOTO.mask.shape, full)), PHOTO.image.array)


def test_ct_is_drawn_through_the_window():
    image = Image(np.array([[-500, -150], [50, 900]], np.int16).repeat(8, 0).repeat(8, 1), Geometry.identity(2), "ct")
    drawn = draw_overlay(image, np.zeros((16, 16), bool), settings=Settings(window_low=-150, window_high=250))
    assert drawn[0, 0, 0] == drawn[0, -1, 0] == 0
    assert drawn[-1, 0, 0] == 128
    assert drawn[-1, -1, 0] == 255


def test_of_a_stack_the_plane_that_shows_most_of_the_object():
    stack = as_image(np.arange(4 * 6 * 6).reshape(4, 6, 6), kind="grey")
    mask = np.zeros((4, 6, 6), bool)
    assert np.array_equal(fullest_plane(stack, mask)[0].array, stack.array[2]), "without an object the middle one"
    mask[1, :2], mask[3, :4] = True, True
    plane, region = fullest_plane(stack, mask)
    assert np.array_equal(plane.array, stack.array[3])
    assert region.sum() == 24
