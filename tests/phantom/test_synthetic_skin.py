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


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("area", 0.006, 0.65),
        ("melanin", 0.1, 1.0),
        ("blood", 0.1, 0.8),
        ("hairs", 0, 110),
        ("hair_lightness", 0.1, 0.9),
        ("softness", 0.03, 0.4),
        ("generosity", 0.0, 0.3),
        ("unevenness", 0.03, 0.4),
        ("vignette", 0.01, 0.6),
        ("gamma", 0.75, 1.35),
        ("blur", 0.1, 2.0),
        ("jpeg", 0, 85),
        ("aspect", 1.0, 1.4),
    ],
)
def test_numbers_are_drawn_over_their_whole_range(name, low, high):
    values = [getattr(record, name) for record in RECORDS]
    assert min(values) <= low
    assert max(values) >= high


@pytest.mark.parametrize("name", ["kind", "pattern", "frame"])
def test_every_word_is_drawn(name):
    from typing import get_args

    from napari_s3net.phantom import skin_record

    words = {"kind": skin_record.LesionKind, "pattern": skin_record.Pattern, "frame": skin_record.Frame}[name]
    assert {getattr(record, name) for record in RECORDS} == set(get_args(words))


def test_things_that_are_seldom_are_there_but_do_not_prevail():
    for name in ("ink", "stickers", "bubbles", "glare", "rulers", "gel", "video", "naevi", "freckles", "halo"):
        share = np.mean([bool(getattr(record, name)) for record in RECORDS])
        assert 0.02 < share < 0.4, name
    assert 0.01 < np.mean([not record.has_object for record in RECORDS]) < 0.1


def test_all_parts_are_seen():
    seen = {int(part) for seed in range(40) for part in np.unique(synthetic_skin(seed, 48).parts)}
    assert seen == set(range(len(SKIN_PARTS)))
