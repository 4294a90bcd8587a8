import numpy as np
import pytest
from scipy import ndimage

from napari_s3net import labels as tools
from napari_s3net.labels.reshape import RINGS, replace_region, reshape_region


@pytest.mark.parametrize("grown", [1, RINGS, RINGS + 1, 3 * RINGS])
def test_what_is_gained_and_lost_gets_the_nearest_label_of_its_side(grown):
    """By rings or by distance: along the cross that pixels grow by here, the nearest label is on the same row."""
    labels = np.full((60, 90), 3, np.int32)
    labels[:, 45:] = 4
    labels[:, 30:45], labels[:, 45:60] = 1, 2

    def wider(mask):
        return ndimage.binary_dilation(mask, np.ones((1, 3), bool), grown)

    def thinner(mask):
        return ndimage.binary_erosion(mask, np.ones((1, 3), bool), grown, border_value=1)

    new = reshape_region(labels, (1, 2), wider, margin=grown)
    assert (new[:, 30 - grown : 45] == 1).all()
    assert (new[:, 45 : 60 + grown] == 2).all()
    assert (new[:, : 30 - grown] == 3).all()
    if grown < 15:
        new = reshape_region(labels, (1, 2), thinner, margin=grown)
        assert (new[:, 30 : 30 + grown] == 3).all()
        assert (new[:, 60 - grown : 60] == 4).all()


def test_beyond_the_image_s_edges_the_region_goes_on():
    labels = np.zeros((20, 20), np.int32)
    labels[:8] = 1
    seen = []
    reshape_region(labels, (1,), lambda mask: seen.append(mask) or mask, margin=3)
    (mask,) = seen
    assert mask.shape == (8 + 3 + 2 * 3, 20 + 2 * 3)
    assert mask[: 3 + 8].all()
    assert not mask[3 + 8 :].any()


def test_a_region_that_is_not_there_changes_nothing():
    labels = np.arange(12).reshape(3, 4)
    new = reshape_region(labels, (99,), lambda mask: ~mask, margin=1)
    np.testing.assert_array_equal(new, labels)
    assert new is not labels


def test_the_whole_image_has_nowhere_to_lose_to():
    labels = np.ones((20, 20), np.int32)
    np.testing.assert_array_equal(tools.remove_small(labels, (1,), 10**6), labels)


def test_what_is_taken_away_gets_the_nearest_label_however_deep_it_lies():
    """Deeper than the rings: by distance, not by what came first."""
    labels = np.full((80, 121), 3, np.int32)
    labels[:, 61:] = 4
    labels[10:70, 20:101] = 1
    labels[2, 2] = 1
    new = tools.dilate(labels, (1,), -15)
    assert set(np.unique(new[40, 20:35])) == {3}
    assert set(np.unique(new[40, 86:101])) == {4}
    gone = tools.remove_small(labels, (1,), 10**6)
    assert (gone[40, 20:45] == 3).all()
    assert (gone[40, 76:101] == 4).all()


def test_a_region_gets_a_mask():
    labels = np.full((20, 30), 3, np.int32)
    labels[5:15, 5:15] = 1
    labels[:, 20:] = 4
    mask = np.zeros(labels.shape, bool)
    mask[5:15, 10:25] = True
    new = replace_region(labels, [1], mask)
    assert np.array_equal(new == 1, mask)
    assert (new[5:15, 5:10] == 3).all()
    assert (new[:5, 20:] == 4).all()
