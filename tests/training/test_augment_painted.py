import pytest
import torch

from napari_s3net.training.augment_painted import augment_painted, change_colours, draw_thetas


@pytest.fixture
def batch():
    images = torch.zeros(6, 32, 32, 3, dtype=torch.uint8)
    images[:, 4:14, 8:20] = 200
    masks = (images[..., 0] > 0).to(torch.uint8)
    return images, masks, masks * 3


def test_masks_and_parts_move_with_the_image(batch):
    x, mask, parts = augment_painted(*batch, torch.Generator().manual_seed(1))
    assert x.shape == (6, 3, 32, 32)
    assert mask.shape == (6, 1, 32, 32)
    assert parts.shape == (6, 32, 32)
    bright = x.mean(dim=1) > 0.4
    for i in range(6):
        assert (bright[i] == (mask[i, 0] > 0.5)).float().mean() > 0.97
        assert ((parts[i] == 3) == (mask[i, 0] > 0.5)).float().mean() > 0.97
    assert set(parts.unique().tolist()) <= {0, 3}
    assert len({tuple(m.flatten().tolist()) for m in mask}) > 1, "each image moves by its own draw"


def test_the_same_generator_gives_the_same(batch):
    first, again = (augment_painted(*batch, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_thetas_keep_the_size_about():
    theta = draw_thetas(400, torch.Generator().manual_seed(0))
    determinant = torch.linalg.det(theta[:, :, :2]).abs()
    assert 0.5 < determinant.min() < 0.8
    assert 1.25 < determinant.max() < 2.0
    assert (torch.linalg.det(theta[:, :, :2]) < 0).float().mean() == pytest.approx(0.5, abs=0.1)


def test_grey_images_stay_grey_and_all_stay_in_range():
    x = torch.rand(4, 1, 8, 8).expand(4, 3, 8, 8)
    changed = change_colours(x[:, :1], torch.Generator().manual_seed(0))
    assert changed.shape == (4, 1, 8, 8)
    assert 0 <= changed.min() < changed.max() <= 1
    coloured = change_colours(x, torch.Generator().manual_seed(0))
    assert (coloured[:, 0] - coloured[:, 2]).abs().max() > 0.01
