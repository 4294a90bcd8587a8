"""Random transformations: there and back again."""

import pytest
import torch
from torch.nn.functional import interpolate

from napari_s3net.network.warps import WarpRange, draw_theta, draw_window, make_grid, visible
from napari_s3net.network.warps import warp as warp_by_grid
from napari_s3net.settings import Settings

IDENTITY = torch.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=torch.float64)
STILL = WarpRange(rotation=0, scale=0, shear=0, translation=0, flip=False)


def warp(x, theta, window=(slice(None), slice(None))):
    return warp_by_grid(x, make_grid(theta, x, window))


def smooth_image(H=48, W=64):
    coarse = torch.rand(1, 2, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return interpolate(coarse, (H, W), mode="bicubic", align_corners=True)


def draw(limits=WarpRange(), size=(48, 64), seed=0):  # noqa: B008
    return draw_theta(limits, size, torch.Generator().manual_seed(seed))


def homogeneous(theta):
    return torch.cat((theta, torch.tensor([[0.0, 0, 1]], dtype=theta.dtype)))


def test_identity_leaves_the_image():
    x = smooth_image()
    assert torch.allclose(warp(x, IDENTITY), x, atol=1e-12)
    assert visible(make_grid(IDENTITY, x), x).all()


def test_no_range_draws_the_identity():
    assert torch.allclose(draw(STILL), IDENTITY)


@pytest.mark.parametrize("seed", range(8))
def test_there_and_back_gives_the_middle_again(seed):
    x, theta = smooth_image(), draw(seed=seed)
    moved = warp(x, theta)
    back = warp(moved, torch.linalg.inv(homogeneous(theta))[:2])
    middle = (..., slice(18, 30), slice(24, 40))
    assert (moved - x)[middle].abs().max() > 0.05
    assert (back - x)[middle].abs().max() < 0.02


def test_warp_raises_without_channels():
    with pytest.raises((RuntimeError, ValueError)):
        warp(torch.rand(8, 8), IDENTITY)


def test_same_generator_same_theta():
    assert torch.equal(draw(seed=3), draw(seed=3))
    assert not torch.equal(draw(seed=3), draw(seed=4))
    generator = torch.Generator().manual_seed(3)
    first = draw_theta(WarpRange(), (48, 64), generator)
    assert not torch.equal(first, draw_theta(WarpRange(), (48, 64), generator))


def test_draws_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    draw()
    assert torch.equal(before, torch.get_rng_state())


def test_flips_happen_half_of_the_time_and_only_when_asked_for():
    flipped = [torch.linalg.det(draw(seed=s)[:, :2]) < 0 for s in range(60)]
    assert 15 < sum(map(int, flipped)) < 45
    assert not any(torch.linalg.det(draw(WarpRange(flip=False), seed=s)[:, :2]) < 0 for s in range(60))


def test_flip_mirrors_left_and_right():
    x = smooth_image()
    limits = WarpRange(rotation=0, scale=0, shear=0, translation=0)
    mirrored = next(t for t in (draw(limits, seed=s) for s in range(60)) if torch.linalg.det(t[:, :2]) < 0)
    assert torch.allclose(warp(x, mirrored), x.flip(3), atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_rotation_keeps_shapes_of_an_image_that_is_not_square(seed):
    theta = draw(WarpRange(scale=0, shear=0, translation=0, flip=False), size=(30, 90), seed=seed)
    to_pixels = torch.diag(torch.tensor([90.0, 30.0], dtype=torch.float64))
    turn = to_pixels @ theta[:, :2] @ torch.linalg.inv(to_pixels)
    assert torch.allclose(turn @ turn.T, torch.eye(2, dtype=torch.float64), atol=1e-12)
    assert turn[0, 0] >= 2**-0.5 - 1e-12  # at most 45°


def test_draws_stay_in_their_range():
    limits = WarpRange(rotation=0, scale=0.2, shear=0, translation=0.1, flip=False)
    thetas = torch.stack([draw(limits, size=(32, 32), seed=s) for s in range(60)])
    assert thetas[:, 0, 0].min() >= 0.8
    assert thetas[:, 0, 0].max() <= 1.2
    assert thetas[:, 0, 0].std() > 0.05
    assert thetas[:, :, 2].abs().max() <= 0.2  # normalised coordinates are two wide
    assert thetas[:, :, 2].abs().max() > 0.1


def test_each_quantity_has_a_draw_of_its_own():
    limits = WarpRange(rotation=0, scale=0.2, shear=0.2, translation=0.1, flip=False)
    thetas = torch.stack([draw(limits, size=(32, 32), seed=s) for s in range(200)])
    drawn = torch.stack([thetas[:, 1, 1], thetas[:, 0, 1], thetas[:, 0, 2], thetas[:, 1, 2]])
    assert (torch.corrcoef(drawn) - torch.eye(4)).abs().max() < 0.4


def test_the_usual_range_is_that_of_the_settings():
    usual, settings = WarpRange(), Settings()
    for name in ("rotation", "scale", "shear", "translation"):
        assert getattr(usual, name) == getattr(settings, name)


def test_shift_by_half_the_image():
    x = smooth_image(8, 12)
    theta = IDENTITY.clone()
    theta[0, 2] = 1.0
    assert torch.allclose(warp(x, theta)[..., :6], x[..., 6:], atol=1e-12)
    seen = visible(make_grid(theta, x), x)
    assert seen.shape == (1, 1, 8, 12)
    assert seen.dtype == x.dtype
    assert (seen[..., :6] == 1).all()
    assert (seen[..., 6:] == 0).all()


def test_every_image_of_a_batch_moves_alike():
    x, theta = smooth_image(), draw()
    both = warp(torch.cat((x, 2 * x)), theta)
    assert torch.allclose(both[1], 2 * both[0])


def test_gradient_is_not_zero():
    theta = draw(size=(4, 5))
    x = torch.rand(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: warp(z, theta), x)
    warp(x, theta).square().mean().backward()
    assert x.grad.abs().max() > 0


@pytest.mark.parametrize("seed", range(4))
def test_a_window_is_that_part_of_the_whole_copy(seed):
    x, theta = smooth_image(), draw(seed=seed)
    rows, columns = window = draw_window(0.5, (48, 64), torch.Generator().manual_seed(seed))
    part = warp(x, theta, window)
    assert part.shape == (1, 2, 24, 32)
    assert torch.equal(part, warp(x, theta)[:, :, rows, columns])
    assert torch.equal(visible(make_grid(theta, x, window), x), visible(make_grid(theta, x), x)[:, :, rows, columns])


def test_windows_lie_anywhere_inside():
    generator = torch.Generator().manual_seed(0)
    windows = [draw_window(0.5, (5, 9), generator) for _ in range(200)]
    assert {w[0].start for w in windows} == {0, 1, 2, 3}
    assert {w[1].start for w in windows} == {0, 1, 2, 3, 4, 5}
    assert {(w[0].stop - w[0].start, w[1].stop - w[1].start) for w in windows} == {(2, 4)}
    assert draw_window(1.0, (5, 9), generator) == (slice(0, 5), slice(0, 9))
