"""Overlap, distance and the two columns that look at the mask."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_s3net.errors import InvalidImageError
from napari_s3net.io import write_png
from napari_s3net.labels import metrics

SHARED = Path(__file__).parents[2].parent / "shared"
MASKS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


def disc(radius, centre=(32, 32), shape=(64, 64)):
    y, x = np.indices(shape)
    return np.hypot(y - centre[0], x - centre[1]) <= radius


def test_many_masks_are_compared_as_one_by_one():
    rng = np.random.default_rng(0)
    masks, others = rng.random((3, 9, 11)) > 0.6, rng.random((4, 9, 11)) > 0.3
    masks[2] = others[3] = False
    expected = [[metrics.dice(mask, other) for other in others] for mask in masks]
    np.testing.assert_allclose(metrics.dice_of_masks(masks, others), expected)
    half = metrics.dice_of_masks(others, 0.5 * masks[:1])
    np.testing.assert_allclose(
        half[0, 0], 2 * 0.5 * (masks[0] & others[0]).sum() / (others[0].sum() + 0.5 * masks[0].sum())
    )


def test_known_values():
    a, b = np.zeros((4, 5), bool), np.zeros((4, 5), bool)
    a[:2, :2] = True  # 4 pixels
    b[:2, 1:4] = True  # 6 pixels, 2 of them shared
    assert metrics.dice(a, b) == pytest.approx(4 / 10)
    assert metrics.hammoude(a, b) == pytest.approx(6 / 8)
    assert metrics.xor_ratio(a, b) == pytest.approx(6 / 6)
    assert metrics.xor_ratio(b, a) == pytest.approx(6 / 4)


def test_empty_masks():
    empty, full = np.zeros((3, 4), bool), np.ones((3, 4), bool)
    assert metrics.dice(empty, empty) == 1
    assert metrics.hammoude(empty, empty) == 0 == metrics.xor_ratio(empty, empty)
    assert metrics.mean_boundary_distance(empty, empty) == 0
    assert metrics.dice(full, empty) == 0 == metrics.dice(empty, full)
    assert metrics.xor_ratio(full, empty) == 12
    assert metrics.xor_ratio(empty, full) == 1
    assert metrics.mean_boundary_distance(empty, full) == 5 == metrics.mean_boundary_distance(full, empty)
    assert metrics.mean_boundary_distance(empty, full, (2.0, 2.0)) == 10
    assert metrics.best_clusters(np.ones((3, 4), int), empty) == ()


@pytest.mark.parametrize(
    "function",
    [
        metrics.dice,
        metrics.hammoude,
        metrics.xor_ratio,
        metrics.mean_boundary_distance,
        metrics.best_clusters,
        metrics.published_clipping,
    ],
)
def test_shapes_that_differ_are_named(function):
    with pytest.raises(InvalidImageError, match=r"\(4, 4\); got \(4, 5\)"):
        function(np.zeros((4, 5), bool), np.zeros((4, 4), bool))


@settings(deadline=None)  # the machine may be busy
@given(MASKS)
def test_invariants(pair):
    a, b = pair
    assert 0 <= 1 - metrics.hammoude(a, b) <= metrics.dice(a, b) <= 1
    assert metrics.hammoude(a, b) <= metrics.xor_ratio(a, b)
    assert metrics.dice(a, b) == metrics.dice(b, a)
    iou = 1 - metrics.hammoude(a, b)
    assert metrics.dice(a, b) == pytest.approx(2 * iou / (1 + iou))
    distance = metrics.mean_boundary_distance(a, b)
    assert 0 <= distance <= np.hypot(*a.shape)
    assert distance == pytest.approx(metrics.mean_boundary_distance(b, a))
    assert metrics.mean_boundary_distance(a, a) == 0
    assert metrics.mean_boundary_distance(a, b, (3.0, 3.0)) == pytest.approx(3 * distance)


def test_boundary_distance_of_shifted_and_grown_shapes():
    square = np.zeros((40, 40), bool)
    square[10:30, 10:30] = True
    grown = ndimage.binary_dilation(square, np.ones((3, 3)), iterations=3)
    to_grown = metrics.mean_boundary_distance(square, grown)
    assert 3 <= to_grown < 3.4  # 3 along the sides, up to 3 √2 at the corners
    line = np.zeros((20, 20), bool)
    line[5, :] = True
    assert metrics.mean_boundary_distance(line, np.roll(line, 4, axis=0), (0.5, 9.0)) == pytest.approx(2.0)
    assert metrics.mean_boundary_distance(disc(10), disc(20)) == pytest.approx(10, abs=0.5)


@settings(deadline=None)  # the machine may be busy
@given(
    arrays(np.int32, (6, 7), elements=st.integers(0, 5)),
    arrays(bool, (6, 7)),
)
def test_best_clusters_equals_brute_force(labels, mask):
    best = metrics.best_clusters(labels, mask)
    ids = [int(i) for i in np.unique(labels) if i != 0]
    unions = itertools.chain.from_iterable(itertools.combinations(ids, n) for n in range(1, len(ids) + 1))
    highest = max((metrics.dice(np.isin(labels, u), mask) for u in unions), default=0.0)
    if mask.any():
        assert metrics.dice(np.isin(labels, best), mask) == pytest.approx(highest)
    else:
        assert best == ()
    assert set(best) <= set(ids)


@settings(deadline=None)  # the machine may be busy
@given(arrays(np.int32, (6, 7), elements=st.integers(1, 5)), arrays(bool, (6, 7)), st.permutations(range(1, 6)))
def test_renumbering_leaves_dice_unchanged(labels, mask, order):
    renumbered = np.array([0, *order])[labels]
    before = np.isin(labels, metrics.best_clusters(labels, mask))
    after = np.isin(renumbered, metrics.best_clusters(renumbered, mask))
    assert metrics.dice(before, mask) == pytest.approx(metrics.dice(after, mask))
    clipped = [metrics.dice(*metrics.published_clipping(x, mask)) for x in (labels, renumbered)]
    assert clipped[0] == pytest.approx(clipped[1])


def test_clipping_forgives_everything_that_is_far_from_the_mask():
    mask = disc(60, (128, 128), (256, 256))
    everywhere = np.ones(mask.shape, int)
    clipped, small = metrics.published_clipping(everywhere, mask)
    assert np.array_equal(small, mask)
    assert np.array_equal(clipped, ndimage.binary_dilation(mask, np.ones((9, 9))))
    assert metrics.dice(everywhere > 0, mask) < 0.5
    assert metrics.dice(clipped, small) > 0.9


def test_clipping_scores_one_label_everywhere_as_published():
    """92.3 % for one label and 63 % for a random half of the pixels on PH2: the figures of the published helper."""
    folder = SHARED / "data" / "ph2" / "masks"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: the published figures are for PH2")
    from napari_s3net.io import read_image

    half = np.random.default_rng(0).random((1000, 1000)) < 0.5
    one, random = [], []
    for path in sorted(folder.iterdir())[::3]:
        mask = read_image(path).array > 0
        one.append(metrics.dice(*metrics.published_clipping(np.ones(mask.shape, int), mask)))
        random.append(
            metrics.dice(*metrics.published_clipping(half[: mask.shape[0], : mask.shape[1]].astype(int), mask))
        )
    assert np.mean(one) == pytest.approx(0.923, abs=0.01)
    assert np.mean(random) == pytest.approx(0.63, abs=0.01)


def test_agrees_with_the_independent_scorer(tmp_path):
    scorer = SHARED / "tools" / "score.py"
    if not scorer.is_file():
        pytest.skip(f"{scorer} is not there: nothing independent to compare with")
    random = np.random.default_rng(1)
    rows = []
    for i in range(6):
        mask = disc(10 + 3 * i, tuple(random.integers(20, 44, 2)))
        prediction = disc(18, tuple(random.integers(20, 44, 2))) if i else np.zeros_like(mask)
        for folder, array in (("predictions", prediction), ("masks", mask)):
            write_png(tmp_path / folder / f"{i}.png", array.astype(np.uint8) * 255)
        rows.append([f(prediction, mask) for f in (metrics.dice, metrics.hammoude, metrics.xor_ratio)])
    command = [sys.executable, str(scorer), str(tmp_path / "predictions"), str(tmp_path / "masks")]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    theirs = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", said)}
    mine = np.mean(rows, axis=0)
    assert [theirs["dice_mean"], theirs["hammoude"], theirs["xor"]] == pytest.approx(mine, abs=1e-3)
    assert theirs["below_half"] == pytest.approx(np.mean(np.array(rows)[:, 0] < 0.5), abs=1e-3)
