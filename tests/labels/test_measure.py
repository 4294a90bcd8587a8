"""Every cluster, measured."""

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.labels import measure
from napari_s3net.labels.measure import count_voxels, label_index, measure_clusters, tissue_name

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


@pytest.mark.parametrize("kind", ["rgb", "ct"])
def test_large_images_are_measured_band_by_band(monkeypatch, kind):
    random = np.random.default_rng(0)
    shape = (3, 40, 50)
    array = random.integers(0, 256, (*shape, 3), np.uint8) if kind == "rgb" else random.normal(40, 90, shape)
    image = Image(array, Geometry.identity(3), kind)
    labels = random.integers(0, 4, shape).astype(np.int32)
    whole = measure_clusters(labels, image)
    monkeypatch.setattr("napari_s3net.labels.measure.BAND_PIXELS", 100)
    for one, other in zip(whole, measure_clusters(labels, image), strict=True):
        assert (one.id, one.pixels, one.share) == (other.id, other.pixels, other.share)
        assert (one.mean, one.sd) == pytest.approx((other.mean, other.sd))
        assert one.colour == (None if other.colour is None else pytest.approx(other.colour))


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
        (-350, ""),
        (-100, "Fat"),
        (50, "Soft tissue"),
        (200, "Bone or contrast"),
        (700, "Bone"),
        (float("nan"), ""),
    ],
)
def test_tissue_by_mean_hu(hu, name):
    assert tissue_name(hu) == name


@pytest.mark.parametrize(
    ("hu", "sd", "name"),
    [(-179, 298, ""), (-100, 40, "Fat"), (40, 60, "Soft tissue"), (40, 400, ""), (-850, 120, "Lung")],
)
def test_a_mixture_is_no_tissue(hu, sd, name):
    assert tissue_name(hu, sd) == name


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


def test_colours_have_the_luminance_of_bt_601():
    array = np.zeros((2, 4, 3), np.uint8)
    array[...] = (255, 0, 0)
    array[LABELS == 2] = (0, 0, 255)
    red, blue = measure_clusters(LABELS, as_image(array))
    assert red.mean == pytest.approx(0.299 * 255, rel=1e-5)
    assert blue.mean == pytest.approx(0.114 * 255, rel=1e-5)
    assert (red.colour, blue.colour) == ((255, 0, 0), (0, 0, 255))


def test_floats_above_one_are_taken_as_from_0_to_255():
    array = np.full((2, 4, 3), 200.0, np.float32)
    assert measure_clusters(LABELS, as_image(array))[0].colour == pytest.approx((200, 200, 200))


def test_a_negative_label_is_no_cluster():
    labels = np.array([[-3, 1], [1, 0]])
    (one,) = measure_clusters(labels, as_image(np.array([[9, 2], [4, 9]], np.uint8), kind="grey"))
    assert (one.id, one.pixels, one.mean) == (1, 2, 3)


@pytest.mark.parametrize(
    ("limit", "below", "above"),
    [
        (-950, "Air", "Lung"),
        (-500, "Lung", ""),
        (-190, "", "Fat"),
        (-30, "Fat", "Soft tissue"),
        (150, "Soft tissue", "Bone or contrast"),
        (300, "Bone or contrast", "Bone"),
    ],
)
def test_the_limits_of_tissues(limit, below, above):
    assert (tissue_name(limit - 1e-9 * abs(limit)), tissue_name(limit)) == (below, above)


@pytest.mark.parametrize("fill", [np.nan, -1e30, -32768.0])
def test_what_has_no_label_does_not_count(fill):
    """Pixels without a measurement have label 0, and may hold anything."""
    array = np.arange(400.0).reshape(20, 20)
    labels = np.where(array < 100, 1, 2)
    labels[:2] = 0
    clean = measure_clusters(labels, as_image(array, kind="grey"))
    filled = measure_clusters(labels, as_image(np.where(labels == 0, fill, array), kind="grey"))
    assert [(c.mean, c.sd, c.pixels) for c in filled] == [pytest.approx((c.mean, c.sd, c.pixels)) for c in clean]


@pytest.mark.parametrize("fill", [np.nan, np.inf, -1e30])
@pytest.mark.parametrize("colours", [False, True])
def test_pixels_without_a_measurement_count_by_their_number_alone(fill, colours):
    """A label may be painted over them; neither its mean nor the scale of all colours is theirs."""
    array = np.repeat([[0.2, 0.4, 0.6, 0.8], [0.2, 0.4, 0.6, 0.8]], 3).reshape(2, 4, 3)
    array = array if colours else array[..., 0]
    damaged = array.copy()
    damaged[0, 0] = fill
    one, two = measure_clusters(LABELS, as_image(damaged, kind="rgb" if colours else "grey"))
    scale = 255 if colours else 1
    assert (one.pixels, one.mean) == (4, pytest.approx(scale * (0.2 + 0.4 + 0.4) / 3, rel=1e-5))
    assert (two.pixels, two.mean) == (3, pytest.approx(scale * (0.6 + 0.8 + 0.6) / 3, rel=1e-5))
    if colours:
        assert one.colour == pytest.approx([one.mean] * 3, rel=1e-5)
    nothing = measure_clusters(LABELS, as_image(np.full_like(array, fill), kind="rgb" if colours else "grey"))
    assert [(c.mean, c.sd, c.pixels) for c in nothing] == [(0, 0, 4), (0, 0, 3)]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_voxels_of_a_stack_are_counted(dtype):
    labels = np.random.default_rng(0).integers(0, 4, (5, 6, 7)).astype(dtype)
    labels[labels == 2] = 200
    counts = {i: int((labels == i).sum()) for i in (1, 3, 200)}
    assert count_voxels(labels) == counts
    assert count_voxels(np.moveaxis(labels, 2, 0)) == counts
    assert count_voxels(np.zeros((2, 3, 4), dtype)) == {}


def test_labels_that_change_while_they_are_counted_count_as_they_were(monkeypatch):
    labels = np.full((1, 2, 3), 5)

    def painted_over_meanwhile(plane):
        found = label_index(plane)
        labels[:] = 1
        return found

    monkeypatch.setattr(measure, "label_index", painted_over_meanwhile)
    assert count_voxels(labels) == {5: 6}
