import numpy as np
import pytest

from napari_s3net.labels.shape import asymmetry, eccentricity, longest_diameter, perimeter, second_moments


def ellipse(a, b, spacing=(1.0, 1.0), turn=0.0, size=200):
    """Half axes in the spacing's unit, the long one along the columns before it is turned."""
    y, x = (np.arange(size) - size / 2 + 0.3) * spacing[0], (np.arange(size) - size / 2 + 0.3) * spacing[1]
    y, x = np.meshgrid(y, x, indexing="ij")
    c, s = np.cos(turn), np.sin(turn)
    return ((c * x + s * y) / a) ** 2 + ((c * y - s * x) / b) ** 2 <= 1


@pytest.mark.parametrize("radius", [10, 25, 80])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 0.5), (0.8, 1.3)])
def test_perimeter_of_a_disc(radius, spacing):
    mask = ellipse(radius * spacing[0], radius * spacing[0], spacing)
    assert perimeter(mask, spacing) == pytest.approx(2 * np.pi * radius * spacing[0], rel=0.03)


def test_perimeter_counts_holes_and_the_edge_of_the_image():
    ring = ellipse(60, 60) & ~ellipse(30, 30)
    assert perimeter(ring, (1, 1)) == pytest.approx(2 * np.pi * 90, rel=0.03)
    assert perimeter(np.ones((50, 50), bool), (1, 1)) == pytest.approx(200, rel=0.09)


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.2])
def test_longest_diameter_of_an_ellipse(turn):
    assert longest_diameter(ellipse(60, 20, turn=turn), (1, 1)) == pytest.approx(120, abs=1.5)


def test_longest_diameter_reaches_from_corner_to_corner():
    assert longest_diameter(np.ones((1, 1), bool), (3.0, 4.0)) == pytest.approx(5)
    assert longest_diameter(np.ones((4, 3), bool), (1, 1)) == pytest.approx(5)
    assert longest_diameter(np.ones((2, 3, 6), bool), (1, 1, 1)) == pytest.approx(7)
    assert longest_diameter(np.ones((1, 1, 1), bool), (2.0, 3.0, 6.0)) == pytest.approx(7)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 2.0)])
def test_eccentricity(spacing):
    disc, long = ellipse(40, 40, spacing, size=400), ellipse(60, 30, spacing, 0.5, size=400)
    assert eccentricity(second_moments(disc, spacing)[1]) < 0.1
    assert eccentricity(second_moments(long, spacing)[1]) == pytest.approx(np.sqrt(1 - 0.25), abs=0.01)


def test_centre_is_in_pixels():
    mask = np.zeros((10, 20), bool)
    mask[2:5, 10:15] = True
    assert second_moments(mask, (3.0, 7.0))[0].tolist() == [3.0, 12.0]


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_asymmetry(turn):
    def of(mask):
        return asymmetry(mask, (1, 1))

    whole = ellipse(70, 40, turn=turn)
    assert of(whole) < 0.04
    bitten = whole & ~np.roll(ellipse(30, 30), 50, axis=1)
    assert of(bitten) > of(whole) + 0.03
    assert of(np.ones((1, 1), bool)) == 0


def test_asymmetry_does_not_hang_on_the_spacing():
    """The same lopsided thing on pixels that are not square."""
    fine, flat = (
        (ellipse(50, 30, s, 0.4) & ~ellipse(20, 20, s)) | ellipse(12, 45, s) for s in ((1.0, 1.0), (1.0, 0.5))
    )
    assert asymmetry(fine, (1.0, 1.0)) > 0.02
    assert asymmetry(flat, (1.0, 0.5)) == pytest.approx(asymmetry(fine, (1.0, 1.0)), abs=0.03)
    assert asymmetry(fine, (0.1, 0.1)) == pytest.approx(asymmetry(fine, (1.0, 1.0)), abs=1e-9)
