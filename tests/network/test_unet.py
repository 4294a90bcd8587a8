import pytest
import torch

from napari_s3net.network.keypoint_fusion import KeypointBatch
from napari_s3net.network.unet import PERTURBATION, ClassNetwork, ClassNetworkConfig, perturb

SMALL = {"widths": (8, 16, 24), "classes": 3, "keypoint_width": 8, "keypoint_blocks": 1}


def network(**changes):
    torch.manual_seed(0)
    return ClassNetwork(ClassNetworkConfig(**{**SMALL, **changes}))


@pytest.mark.parametrize("backbone", ["unet", "ilka"])
@pytest.mark.parametrize("keypoints", [False, True])
@pytest.mark.parametrize("decoders", [1, 2])
@pytest.mark.parametrize("shape", [(32, 32), (33, 18)])
def test_each_form_gives_each_pixel_its_classes_and_all_of_it_learns(backbone, keypoints, decoders, shape):
    made = network(backbone=backbone, keypoints=keypoints, decoders=decoders)
    points = KeypointBatch(torch.full((2, 3, 2), 9.0), torch.ones(2, 3).bool())
    found = made(torch.randn(2, 1, *shape), points if keypoints else None)
    assert found.shape == (2, 3, *shape)
    found.square().sum().backward()
    assert [name for name, p in made.named_parameters() if p.grad is None] == []


def test_the_two_decoders_differ_and_share_the_encoder():
    made = network(decoders=2)
    first, second = made.decode(made.encoder(torch.randn(1, 1, 32, 32))[0], (32, 32))
    assert not torch.allclose(first, second)
    assert len(made.decoders) == 2
    assert made.decoders[1].bilinear
    assert not made.decoders[0].bilinear


def test_features_are_perturbed_only_when_asked():
    made = network(decoders=2)
    features, size = made.encoder(torch.randn(1, 1, 32, 32))[0], (32, 32)
    calm = made.decode(features, size)
    assert torch.equal(calm[0], made.decode(features, size)[0])
    shaken = made.decode(features, size, torch.Generator().manual_seed(0))
    assert not torch.allclose(calm[0], shaken[0])


def test_perturbation_keeps_the_mean_and_drops_channels():
    x = perturb(torch.ones(64, 32, 4, 4), torch.Generator().manual_seed(0))
    assert abs(float(x.mean()) - 1) < 0.03
    assert 0.2 < float((x.sum(dim=(2, 3)) == 0).float().mean()) < 0.4
    left = x[x > 0] * (1 - PERTURBATION.dropped)
    assert 1 - PERTURBATION.noise <= float(left.min()) < 1 - 0.9 * PERTURBATION.noise
    assert 1 + 0.9 * PERTURBATION.noise < float(left.max()) <= 1 + PERTURBATION.noise + 1e-6
    assert (PERTURBATION.dropped, PERTURBATION.noise) == (0.3, 0.3), "F-Noise of the paper; the share set by hand"


@pytest.mark.parametrize("keypoints", [False, True])
def test_what_is_said_of_an_image_does_not_depend_on_batch_mates(keypoints):
    made, x = network(keypoints=keypoints).eval(), torch.randn(3, 1, 32, 32)
    points = KeypointBatch(torch.rand(3, 5, 2) * 32, torch.tensor([[True] * 2 + [False] * 3, [False] * 5, [True] * 5]))
    with torch.no_grad():
        together = made(x, points)
        alone = made(x[:1], KeypointBatch(points.places[:1, :2], points.real[:1, :2]))
        empty = made(x[1:2], None)
    assert torch.allclose(together[:1], alone, atol=1e-5)
    assert torch.allclose(together[1:2], empty, atol=1e-5)


def test_a_config_is_plain_values():
    config = ClassNetworkConfig(widths=(8, 16), keypoints=True)
    assert config.to_dict()["widths"] == [8, 16]
    assert ClassNetworkConfig.from_dict(config.to_dict()) == config
