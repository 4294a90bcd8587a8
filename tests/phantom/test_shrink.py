import numpy as np

from napari_s3net.phantom.shrink import shrunk_field, shrunk_mask, shrunk_parts


def test_a_pixel_is_inside_if_at_least_half_of_it_was():
    mask = np.zeros((4, 4), bool)
    mask[:2, :2] = [[True, False], [True, False]]
    mask[2, 2] = True
    assert shrunk_mask(mask, 2).tolist() == [[True, False], [False, False]]


def test_parts_are_never_mixed():
    parts = np.random.default_rng(0).choice(np.array([0, 2, 5], np.uint8), (20, 20))
    shrunk = shrunk_parts(parts, 16)
    assert shrunk.shape == (16, 16)
    assert set(np.unique(shrunk)) <= {0, 2, 5}


def test_hounsfield_units_are_averaged_rounded_and_kept_within_what_is_written():
    hu = np.array([[10, 11, -5000, -5000], [12, 14, -5000, -5000], [9000, 9000, 0, 1], [9000, 9000, 2, 3]], np.float32)
    shrunk = shrunk_field(hu, 2)
    assert shrunk.dtype == np.int16
    assert shrunk.tolist() == [[12, -1024], [3071, 2]]
