import numpy as np
import pytest

from napari_s3net.phantom.paint import (
    Canvas,
    cell_borders,
    closed_curve,
    ellipse,
    grown,
    open_curve,
    scanner_noise,
    texture,
)


def neighbours(field):
    """Correlation of each pixel with the one to its right."""
    return float(np.corrcoef(field[:, 1:].ravel(), field[:, :-1].ravel())[0, 1])


@pytest.mark.parametrize("size", [8, 60])
def test_clouds_fill_the_image_and_are_smoother_with_a_steeper_slope(size):
    rough, smooth = (texture(np.random.default_rng(0), (61, 90), size, slope) for slope in (1.5, 4.0))
    assert rough.shape == smooth.shape == (61, 90)
    assert neighbours(smooth) > neighbours(rough) > 0.2
    assert rough.std() == pytest.approx(1, abs=0.3)


def test_noise_of_a_scanner_is_none_over_large_areas():
    noise = scanner_noise(np.random.default_rng(0), (96, 96))
    assert noise.std() == pytest.approx(1, abs=0.01)
    power = np.abs(np.fft.fft2(noise)) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(96), np.fft.fftfreq(96)))
    assert power[frequency < 0.03].mean() < 0.5 * power[(frequency > 0.1) & (frequency < 0.3)].mean()


def test_borders_lie_between_cells():
    y, x = np.mgrid[:80, :80].astype(float)
    squares = cell_borders(np.random.default_rng(0), y, x, 20, jitter=0.0)
    assert squares.max() <= 1
    assert squares[10, 10] < 0.01 < 0.9 < squares[20, 10]


def test_curves_pass_through_their_points():
    corners = [(0, 0), (0, 10), (10, 10), (10, 0)]
    around, line = closed_curve(corners, 400), open_curve(corners[:3], 201)
    for corner in corners:
        assert np.hypot(*(around - corner).T).min() < 0.1
    np.testing.assert_allclose(line[[0, 100, 200]], corners[:3], atol=1e-9)


def test_an_outline_grows_outwards():
    disc = grown(ellipse(5, 7, 20, 20), 3)
    np.testing.assert_allclose(np.hypot(disc[:, 0] - 5, disc[:, 1] - 7), 23, atol=1e-6)


def test_shapes_are_placed_in_their_own_units():
    canvas = Canvas((40, 60), -1.0, spacing=2.0, centre=(10, 20))
    canvas.fill(ellipse(0, 0, 10, 16), 5.0)
    mask = canvas.mask()
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 15, 12, 28)
    image = canvas.image()
    assert image[10, 20] == 5
    assert image[0, 0] == -1
    assert -1 < image[5, 20] < 5, "a pixel that is half covered"


def test_a_line_has_its_width_and_a_paste_its_place():
    line, other, where = (Canvas((20, 30)) for _ in range(3))
    line.stroke([(10, 2), (10, 27)], 4, 1)
    assert line.mask()[:, 15].sum() in (4, 5)
    other.fill([(0, 0), (0, 30), (20, 30), (20, 0)], 7)
    where.fill([(4, 4), (4, 9), (9, 9), (9, 4)], 1)
    line.paste(other, where)
    assert line.image()[6, 6] == 7
    assert line.image()[15, 20] == 0
