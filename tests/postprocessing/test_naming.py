"""What labels are."""

import numpy as np
import pytest

from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.postprocessing.naming import mean_of_each, name_labels
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.preprocessing.window import Window

SKIN = ("Lesion", "Skin")


def named(tones, widths, foreground, image=None, features=None, names=SKIN):
    """Labels from 1 in columns of these widths, each of one tone from 0 to 1."""
    labels = np.repeat(np.arange(1, len(tones) + 1, dtype=np.int32), widths)[None].repeat(40, axis=0)
    grey = np.asarray(tones, np.float32)[labels - 1]
    image = as_image(np.repeat(grey[..., None], 3, axis=2)) if image is None else image(labels)
    plane = PreparedPlane(image, Window(0, 1), np.ones((40, 40, 3), np.float32) if features is None else features)
    found = name_labels(labels, len(tones), foreground, plane, grey, names)
    return {label: meaning.name for label, meaning in found.items()}


def test_the_largest_of_a_side_has_its_name_alone():
    assert named([0.2, 0.3, 0.8, 0.9], [4, 16, 15, 5], (1, 2)) == {
        1: "Lesion, darker",
        2: "Lesion",
        3: "Skin",
        4: "Skin, lighter",
    }


def test_a_label_of_which_no_pixel_was_sampled_has_a_name():
    assert set(named([0.2, 0.8, 0.9], [16, 24, 0], (1,))) == {1, 2, 3}


def test_shades_are_numbered_from_the_main_one_outwards():
    names = named([0.1, 0.2, 0.3, 0.6, 0.7, 0.8, 0.9], [2, 3, 10, 2, 10, 7, 6], (1, 2, 3))
    assert names == {
        1: "Lesion, 2 shades darker",
        2: "Lesion, a shade darker",
        3: "Lesion",
        4: "Skin, darker",
        5: "Skin",
        6: "Skin, a shade lighter",
        7: "Skin, 2 shades lighter",
    }


def test_a_background_in_the_lens_shadow_is_a_dark_corner():
    features = np.ones((40, 40, 3), np.float32)
    features[:, :10] = 0
    names = named([0.1, 0.5, 0.9], [14, 10, 16], (2,), features=features)
    assert names == {1: "Dark corner", 2: "Lesion", 3: "Skin"}


def test_an_object_in_the_shadow_keeps_its_name_and_is_not_the_main_one():
    features = np.ones((40, 40, 3), np.float32)
    features[:, :12] = 0
    assert named([0.1, 0.4, 0.9], [16, 6, 18], (1, 2), features=features) == {
        1: "Lesion, darker",
        2: "Lesion",
        3: "Skin",
    }
    assert named([0.1, 0.9], [16, 24], (1,), features=features) == {1: "Lesion", 2: "Skin"}


def test_several_dark_corners_and_objects_in_the_shadow_are_told_apart():
    features = np.ones((40, 40, 3), np.float32)
    features[:, :20] = 0
    assert named([0.1, 0.2, 0.3, 0.5, 0.9], [4, 10, 6, 6, 14], (4,), features=features) == {
        1: "Dark corner, darker",
        2: "Dark corner",
        3: "Dark corner, lighter",
        4: "Lesion",
        5: "Skin",
    }
    assert named([0.1, 0.2, 0.9], [8, 12, 20], (1, 2), features=features) == {
        1: "Lesion, darker",
        2: "Lesion",
        3: "Skin",
    }


def test_only_photographs_have_a_lens():
    features = np.zeros((40, 40, 1), np.float32)
    grey = named([0.1, 0.9], [16, 24], (2,), image=lambda labels: as_image(labels * 1.0), features=features)
    assert grey == {1: "Skin", 2: "Lesion"}


def ct(hu):
    return lambda labels: Image(np.asarray(hu)[labels - 1], Geometry.identity(2), "ct")


def test_the_background_of_ct_is_named_by_tissue():
    names = named(
        [0.1, 0.2, 0.8, 0.9], [10, 10, 10, 10], (1,), image=ct([-800, -100, 40, 900]), names=("Lung", "Other")
    )
    assert names == {1: "Lung", 2: "Fat", 3: "Soft tissue", 4: "Bone"}


def test_background_like_the_object_and_mixtures_are_unnamed_and_told_apart():
    """Gas outside of the lungs, and a rim that is half fat and half air."""

    def image(labels):
        hu = np.asarray([-800, -700, -350, -100])[labels - 1]
        hu[::2][labels[::2] == 4] = -700
        return Image(hu, Geometry.identity(2), "ct")

    names = named([0.1, 0.2, 0.4, 0.6], [10, 8, 16, 6], (1,), image=image, names=("Lung", "Other"))
    assert names == {1: "Lung", 2: "Unnamed, darker", 3: "Unnamed", 4: "Unnamed, lighter"}


def test_no_two_labels_have_one_name():
    names = named([0.1, 0.6, 0.7, 0.9], [10, 10, 14, 6], (1,), image=ct([-800, 20, 60, 100]), names=("Lung", "Other"))
    assert names == {1: "Lung", 2: "Soft tissue, darker", 3: "Soft tissue", 4: "Soft tissue, lighter"}


def test_means():
    labels, values = np.array([[1, 1, 3]]), np.array([[2.0, 4.0, 7.0]])
    assert mean_of_each(labels, values, np.bincount(labels.ravel(), minlength=5)) == pytest.approx([0, 3, 0, 7, 0])
