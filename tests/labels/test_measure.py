import time

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.labels.measure import measure_clusters, tissue_name

LABELS = np.array([[1, 1, 2, 2], [1, 1, 2, 0]], np.int32)


def ct(array, spacing):
    geometry = Geometry(spacing, (0.0,) * len(spacing), Geometry.identity(len(spacing)).direction)
    return Image(np.asarray(array, np.int16), geometry, "ct")


def test_counts_shares_and_moments():
    array = np.array([[10, 20, 5, 5], [30, 40, 5, 99]], np.uint8)
    one, two = measure_clusters(LABELS, as_image(array, kind="grey"), foreground=(2,), names={2: "Spot"})
    assert (one.id, one.pixels, one.share, one.is_object, one.name) == (1, 4, 0.5, False, "")
    assert (two.id, two.pixels, two.share, two.is_object, two.name) == (2, 3, 0.375, True, "Spot")
    assert (one.mean, one.sd) == (25, pytest.approx(np.std([10, 20, 30, 40])))
    assert (two.mean, two.sd) == (5, 0)
    assert (one.area, one.unit, one.colour) == (4, "pixels", None)


def test_area_in_square_millimetres_and_volume_in_cubic():
    (one, _) = measure_clusters(LABELS, ct(np.zeros((2, 4)), (0.5, 2.0)))
    assert (one.area, one.unit) == (4.0, "mm²")
    (one, _) = measure_clusters(LABELS[None], ct(np.zeros((1, 2, 4)), (3.0, 0.5, 2.0)))
    assert (one.area, one.unit) == (12.0, "mm³")
    (one, _) = measure_clusters(LABELS[None], as_image(np.zeros((1, 2, 4)), kind="grey"))
    assert (one.area, one.unit) == (4.0, "voxels")


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)])
def test_colours_are_measured_from_0_to_255(dtype, top):
    array = np.zeros((2, 4, 3), dtype)
    array[..., 1] = top
    one = measure_clusters(LABELS, as_image(array))[0]
    assert one.mean == pytest.approx(0.587 * 255, rel=1e-5)
    assert one.colour == pytest.approx((0, 255, 0))


def test_ct_takes_the_name_of_its_tissue_unless_it_has_one():
    image = ct([[-850, -850, 40, 40], [-850, -850, 40, 0]], (1.0, 1.0))
    assert [c.name for c in measure_clusters(LABELS, image)] == ["Lung", "Soft tissue"]
    assert [c.name for c in measure_clusters(LABELS, image, names={1: "Left lung", 2: ""})] == [
        "Left lung",
        "Soft tissue",
    ]


@pytest.mark.parametrize(
    ("hu", "name"),
    [
        (-1000, "Air"),
        (-850, "Lung"),
        (-350, "Air and tissue"),
        (-100, "Fat"),
        (50, "Soft tissue"),
        (200, "Bone or contrast"),
        (700, "Bone"),
        (float("nan"), ""),
    ],
)
def test_tissue_by_mean_hu(hu, name):
    assert tissue_name(hu) == name


def test_large_values_keep_their_digits():
    array = (1e7 + np.array([[0, 1, 0, 0], [1, 0, 0, 0]])).astype(np.float64)
    assert measure_clusters(LABELS, as_image(array, kind="grey"))[0].sd == pytest.approx(0.5)


def test_large_and_scattered_ids():
    labels = np.array([[5, 2_000_000_000], [5, 0]])
    found = measure_clusters(labels, as_image(np.array([[1, 2], [3, 4]], np.uint8), kind="grey"))
    assert [(c.id, c.pixels, c.mean) for c in found] == [(5, 2, 2), (2_000_000_000, 1, 2)]


def test_nothing_labelled_is_no_cluster():
    assert measure_clusters(np.zeros((2, 4), int), as_image(np.ones((2, 4)), kind="grey")) == []


def test_renumbering_only_renames():
    array = as_image(np.random.default_rng(0).integers(0, 255, (2, 4, 3), np.uint8))
    before, after = measure_clusters(LABELS, array), measure_clusters(LABELS * 7, array)
    assert [(c.pixels, c.mean, c.sd) for c in before] == [(c.pixels, c.mean, c.sd) for c in after]


def test_labels_of_another_shape_are_refused():
    with pytest.raises(InvalidImageError, match="same shape"):
        measure_clusters(LABELS, as_image(np.zeros((4, 2)), kind="grey"))


def test_instant_on_a_large_photograph():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 12, (2000, 2000)).astype(np.int32)
    image = as_image(rng.integers(0, 255, (2000, 2000, 3), np.uint8))
    started = time.process_time()
    assert len(measure_clusters(labels, image)) == 11
    assert time.process_time() - started < 2
