import numpy as np

from napari_s3net.image import Geometry, Image
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.preprocessing.window import Window
from napari_s3net.volume.numbering import number_volume, pairs_of

DARK, EDGE, LIGHT = 0, 1, 2


def planes():
    """Two slices of a light disc on dark, with a rim of one pixel between them, and the object's mask."""
    y, x = np.mgrid[:40, :40]
    r = np.hypot(y - 20, x - 20)
    clusters = np.select([r < 12, r < 13], [LIGHT, EDGE], DARK).astype(np.uint8)
    return clusters, r < 12.5


def numbered(masks=None):
    clusters, mask = planes()
    grey = np.choose(clusters, [0.0, 0.5, 1.0]).astype(np.float32)
    image = Image(np.concatenate([grey, grey]), Geometry.identity(2), "grey")
    montage = PreparedPlane(image, Window(0, 1), image.array[..., None])
    masks = [mask, mask] if masks is None else masks
    return number_volume([clusters, clusters], masks, montage, 3, ("Disc", "Rest")), clusters, mask


def test_the_object_comes_first_and_a_mere_edge_gets_no_label():
    numbering, clusters, mask = numbered()
    assert numbering.foreground == (1,)
    assert {i: meaning.name for i, meaning in numbering.meanings.items()} == {1: "Disc", 2: "Rest"}
    labels = numbering.labels(clusters, mask, None)
    assert np.array_equal(labels, np.where(mask, 1, 2))


def test_an_object_that_no_sampled_slice_shows_still_has_a_label():
    clusters, mask = planes()
    numbering, *_ = numbered([np.zeros_like(mask)] * 2)
    labels = numbering.labels(clusters, mask, None)
    assert set(np.unique(labels[mask])) == set(numbering.foreground)
    assert not np.isin(labels[~mask], numbering.foreground).any()


def test_what_was_not_measured_has_no_label():
    numbering, clusters, mask = numbered()
    missing = np.zeros_like(mask)
    missing[:3] = True
    labels = numbering.labels(clusters, mask, missing)
    assert not labels[:3].any()
    assert labels[3:].all()


def test_pairs_are_even_in_the_object():
    assert pairs_of(np.array([[0, 1, 2]], np.uint8), np.array([[True, False, True]])).tolist() == [[0, 3, 4]]
