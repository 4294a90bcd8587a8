import numpy as np

from napari_s3net.correction.likely_changes import LabelHistograms

DARK, LIGHT = 0.2, 0.8


def halves():
    """A plane that is dark on the left and light on the right, and labels 1 and 2 that say so."""
    plane = np.full((40, 60), LIGHT, np.float32)
    plane[:, :30] = DARK
    return plane, np.where(plane == DARK, 1, 2).astype(np.int32)


def test_a_change_stays_where_it_looks_like_its_new_label():
    plane, true = halves()
    old = true.copy()
    old[10:30, 20:30] = 2
    assert np.array_equal(LabelHistograms.of(plane, old).likely(plane, old, true), true)


def test_a_border_that_leaves_its_tissue_is_put_back():
    plane, true = halves()
    new = true.copy()
    new[:, 30:36] = 1
    kept = LabelHistograms.of(plane, true).likely(plane, true, new)
    assert (kept[:, 33:] == 2).all()
    assert np.array_equal(kept[:, :30], true[:, :30])


def test_a_thin_vessel_is_kept_in_what_is_around_it():
    plane, true = halves()
    plane[20] = LIGHT
    old = np.full_like(true, 2)
    kept = LabelHistograms.of(plane, true).likely(plane, old, true)
    assert (kept[20, 5:25] == 1).all()


def test_what_was_not_counted_speaks_neither_for_nor_against():
    plane, true = halves()
    histograms = LabelHistograms.of(plane, true, near=true == 1)
    assert list(histograms.logarithms) == [1]
    new = np.where(true == 2, 7, true).astype(np.int32)
    assert np.array_equal(histograms.likely(plane, true, new), new)
    assert histograms.likely(plane, true, true) is true
