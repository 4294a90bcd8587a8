import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.phantom.skin_record import draw_skin_record
from napari_s3net.phantom.synthetic_skin import SKIN_PARTS, synthetic_skin

RECORDS = [draw_skin_record(seed) for seed in range(1500)]


def test_a_seed_gives_the_same_image_again_and_another_seed_another():
    first, again, other = synthetic_skin(7, 64), synthetic_skin(7, 64), synthetic_skin(8, 64)
    assert first.record == again.record
    assert np.array_equal(first.array, again.array)
    assert np.array_equal(first.mask, again.mask)
    assert np.array_equal(first.parts, again.parts)
    assert not np.array_equal(first.array, other.array)


@pytest.mark.parametrize("size", [48, 128])
def test_arrays_have_the_size_that_was_asked_for(size):
    painted = synthetic_skin(3, size)
    assert painted.array.shape == (size, size, 3)
    assert painted.mask.shape == painted.parts.shape == (size, size)
    assert (painted.array.dtype, painted.mask.dtype, painted.parts.dtype) == (np.uint8, bool, np.uint8)


def test_the_mask_is_one_piece_and_follows_the_lesion():
    for seed in range(25):
        painted = synthetic_skin(seed, 64)
        if not painted.record.has_object:
            assert not painted.mask.any()
            continue
        lesion = np.isin(painted.parts, [SKIN_PARTS.index("lesion"), SKIN_PARTS.index("second tone")])
        assert painted.mask.any()
        assert lesion[~ndimage.binary_dilation(painted.mask, iterations=3)].sum() <= 0.02 * lesion.sum()
        assert ndimage.label(painted.mask)[1] <= 2, "in one piece, unless the lens cuts it"


def test_a_dark_lesion_is_darker_than_the_skin_around_it():
    drawn = [r for r in RECORDS if r.has_object and r.kind == "dark" and r.frame == "none" and not r.stickers][:8]
    differences = []
    for record in drawn:
        painted = synthetic_skin(record.seed, 64)
        skin, lesion = (painted.array[painted.parts == SKIN_PARTS.index(name)].mean() for name in ("skin", "lesion"))
        differences.append(skin - lesion)
    assert min(differences) > 5
    assert np.mean(differences) > 50


def test_all_parts_are_seen():
    seen = {int(part) for seed in range(40) for part in np.unique(synthetic_skin(seed, 48).parts)}
    assert seen == set(range(len(SKIN_PARTS)))
