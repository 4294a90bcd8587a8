import math
from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.labels.regions import COLUMNS, measure_regions

IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@pytest.fixture
def photograph():
    labels = np.full((40, 60), 3, np.int32)
    labels[10:20, 10:30], labels[20:30, 10:30] = 1, 2
    array = np.zeros((40, 60, 3), np.uint8)
    array[labels == 1], array[labels == 2], array[labels == 3] = (100, 50, 20), (140, 50, 20), (200, 180, 160)
    return labels, Image(array, Geometry.identity(2), "rgb")


def test_the_whole_object_comes_first_then_each_label(photograph):
    labels, image = photograph
    regions = measure_regions(labels, image, foreground=(1, 2), names={1: "Lesion"}, asymmetry=True)
    assert [(r.label, r.name, r.is_object, r.pixels) for r in regions] == [
        (None, "", True, 400),
        (1, "Lesion", True, 200),
        (2, "", True, 200),
        (3, "", False, 2000),
    ]
    whole = regions[0]
    assert whole.centroid == (19.5, 19.5)
    assert whole.means == pytest.approx({"red": 120, "green": 50, "blue": 20})
    assert whole.sds == pytest.approx({"red": 20, "green": 0, "blue": 0}, abs=1e-6)
    assert whole.longest_diameter == pytest.approx(math.hypot(20, 20))
    assert whole.asymmetry == pytest.approx(0, abs=0.05)
    assert regions[1].asymmetry is None


def test_columns_hold_what_applies(photograph):
    labels, image = photograph
    row = measure_regions(labels, image, foreground=(1,))[0].to_columns()
    assert row["label"] == "object"
    assert row["area_px"] == 200
    assert row["equivalent_diameter_px"] == pytest.approx(2 * math.sqrt(200 / math.pi), rel=1e-5)
    assert not {"area_mm2", "volume_ml", "perimeter_mm", "mean_hu", "centroid_z_px", "asymmetry"} & set(row)
    assert set(row) <= set(COLUMNS)


def test_an_object_that_is_not_there_is_a_row_of_nothing(photograph):
    labels, image = photograph
    assert measure_regions(labels, image)[0].to_columns() == {"label": "object", "name": "", "object": 1, "area_px": 0}


def test_values_of_one_byte_are_measured_as_any_others(photograph):
    labels, image = photograph
    array = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    for one in (replace(image, array=array), Image(array[..., 0], Geometry.identity(2), "grey")):
        bytewise = measure_regions(labels, one, foreground=(1, 2))
        wide = measure_regions(labels, replace(one, array=one.array.astype(np.float64)), foreground=(1, 2))
        for a, b in zip(bytewise, wide, strict=True):
            assert a.means == pytest.approx(b.means)
            assert a.sds == pytest.approx(b.sds)


def test_an_object_of_one_label_is_measured_as_that_label(photograph):
    labels, image = photograph
    whole, part, *_ = measure_regions(labels, image, foreground=(1,), asymmetry=True)
    assert whole.asymmetry == pytest.approx(0, abs=0.05)
    assert replace(whole, asymmetry=None, label=1) == part
    assert measure_regions(np.where(labels == 1, 9, labels), image, foreground=(9,))[0] == replace(
        whole, asymmetry=None
    )


def test_volumes_are_in_ml_and_hu():
    labels = np.zeros((4, 20, 20), np.int32)
    labels[1:3, 5:15, 5:15] = 7
    geometry = Geometry((5.0, 1.0, 2.0), (0.0,) * 3, IDENTITY)
    image = Image(np.where(labels == 7, -800, 40).astype(np.int16), geometry, "ct")
    whole, part = measure_regions(labels, image, foreground=(7,))
    row = whole.to_columns()
    assert row["volume_ml"] == pytest.approx(200 * 10 / 1000)
    assert row["longest_diameter_mm"] == pytest.approx(math.sqrt(10**2 + 10**2 + 20**2), rel=1e-5)
    assert row["mean_hu"] == -800
    assert (row["centroid_x_px"], row["centroid_y_px"], row["centroid_z_px"]) == (9.5, 9.5, 1.5)
    assert not {"area_mm2", "perimeter_mm", "eccentricity"} & set(row)
    assert part.name == "Lung"


def test_a_plane_in_mm():
    labels = np.ones((20, 20), np.int32)
    geometry = Geometry((0.5, 0.5), (0.0, 0.0), ((1.0, 0.0), (0.0, 1.0)))
    row = measure_regions(labels, Image(np.zeros((20, 20)), geometry, "grey"), foreground=(1,))[0].to_columns()
    assert row["area_mm2"] == 100
    assert row["longest_diameter_mm"] == pytest.approx(math.sqrt(200), rel=1e-5)


@pytest.mark.parametrize("fill", [np.nan, np.inf, -np.inf, 3.4e38, -9.97e36])
@pytest.mark.parametrize("is_labelled", [False, True])
@pytest.mark.parametrize("colours", [False, True])
def test_pixels_without_a_measurement_change_no_mean(fill, is_labelled, colours):
    """They have label 0 in what a run makes, and a label where one was painted over them."""
    labels = np.repeat([[1, 1, 2, 2, 3]], 3, axis=0)
    clean = np.random.default_rng(0).uniform(0, 1, (3, 5, 3) if colours else (3, 5))
    damaged = clean.copy()
    damaged[0, ::2] = damaged[:, 4] = fill
    if not is_labelled:
        labels[0, ::2] = 0
    kept = np.isfinite(damaged) & (np.abs(damaged) < 1)
    kept = kept.all(axis=-1) if colours else kept
    image = as_image(damaged.astype(np.float32), kind="rgb" if colours else "grey")
    whole, *parts = measure_regions(labels, image, foreground=(1, 2))
    name, scale = ("red", 255) if colours else ("grey", 1)
    values = scale * (clean[..., 0] if colours else clean)
    for part, mine in ((whole, (1, 2)), (parts[0], (1,)), (parts[1], (2,))):
        inside = values[np.isin(labels, mine) & kept]
        assert part.means[name] == pytest.approx(inside.mean(), rel=1e-5)
        assert part.sds[name] == pytest.approx(inside.std(), rel=1e-4)
        assert part.pixels == np.isin(labels, mine).sum()
    assert f"mean_{name}" not in parts[2].to_columns()
    assert parts[2].pixels == (labels == 3).sum()


@pytest.mark.parametrize("large", [70_000, 2_000_000_001])
def test_numbers_of_labels_may_be_large(photograph, large):
    labels, image = photograph
    far = np.where(labels == 1, large, labels)
    whole, *parts = measure_regions(far, image, foreground=(large,))
    usual, *others = measure_regions(labels, image, foreground=(1,))
    assert whole == usual
    assert [replace(parts[-1], label=1), *parts[:-1]] == others
    assert {r.label: r.pixels for r in measure_regions(far, image)} == {None: 0, 2: 200, 3: 2000, large: 200}


def test_labels_of_another_shape_are_refused(photograph):
    labels, image = photograph
    with pytest.raises(InvalidImageError, match="same shape"):
        measure_regions(labels[1:], image)
