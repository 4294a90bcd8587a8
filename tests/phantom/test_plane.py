import numpy as np
import pytest

from napari_s3net.phantom.plane import PaintedPlane, bent_line, blur, over, soft_step


@pytest.fixture
def plane():
    return PaintedPlane(np.random.default_rng(0), 64, aspect=1.5)


def test_coordinates_reach_from_side_to_side(plane):
    assert plane.y[0, 0] == pytest.approx(-1 + 1 / 64)
    assert plane.x[0, -1] == pytest.approx(1.5 * (1 - 1 / 64))
    np.testing.assert_allclose(plane.pixels(np.array([(-1, -1.5), (0, 0), (1, 1.5)])), [(0, 0), (32, 32), (64, 64)])


def test_more_cells_are_finer_clouds(plane):
    def steps(cloud):
        return np.abs(np.diff(cloud, axis=1)).mean() / cloud.std()

    assert steps(plane.cloud(3)) < 0.5 * steps(plane.cloud(20))
    assert steps(plane.cloud(3)) < steps(plane.fractal(3))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_blobs_cover_the_share_that_was_asked_for(plane, share):
    assert (plane.blobs(share, 5) > 0.5).mean() == pytest.approx(share, abs=0.02)


def test_dots_lie_where_they_may(plane):
    left = (plane.x < -0.4).astype(np.float32)
    dots = plane.dots(30, (1, 2), left)
    assert dots.max() == 1
    assert dots[:, 40:].max() == 0
    assert not plane.dots(30, (1, 2), np.zeros_like(left)).any()


def test_a_thin_line_is_fainter(plane):
    line = np.array([(32.0, 4.0), (32.0, 60.0)])
    thick, thin = (plane.lines([line], [width]) for width in (2.0, 0.1))
    assert thick.max() == 1
    assert 0 < thin.max() < 0.2
    with pytest.raises(ValueError, match="shorter"):
        plane.lines([line], [])


def test_a_polygon_is_filled(plane):
    square = plane.polygon(np.array([(10, 20), (10, 40), (30, 40), (30, 20)]))
    assert square.sum() == pytest.approx(400, rel=0.1)
    assert square[20, 30] == 1


def test_a_step_is_soft_and_paint_covers_by_its_share():
    np.testing.assert_allclose(soft_step(np.array([-2.0, 0.0, 2.0]), 2.0), [0.018, 0.5, 0.982], atol=1e-3)
    picture = np.zeros((1, 2, 3), np.float32)
    np.testing.assert_allclose(over(picture, np.array([[0.0, 0.5]]), (1, 0.5, 0))[0], [(0, 0, 0), (0.5, 0.25, 0)])


def test_blur_keeps_the_mean_and_does_not_mix_colours():
    picture = np.random.default_rng(0).random((32, 32, 3))
    picture[..., 2] = 0
    blurred = blur(picture, 2.0)
    assert blurred[..., 0].std() < 0.3 * picture[..., 0].std()
    assert not blurred[..., 2].any()
    assert blur(picture, 0.1) is picture


def test_a_bent_line_has_its_length_and_turns():
    rng = np.random.default_rng(0)
    line = bent_line(rng, np.array([0.0, 0.0]), 0.0, 10.0, np.pi / 2, n=200)
    assert np.hypot(*np.diff(line, axis=0).T).sum() == pytest.approx(10, rel=0.02)
    first, last = line[20] - line[0], line[-1] - line[-20]
    assert first[1] > abs(first[0]), "to the right at first"
    assert last[0] > abs(last[1]), "down in the end"
