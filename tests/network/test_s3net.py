"""The network: shapes of both branches for every way to build it."""

import pytest
import torch

from napari_s3net.network.attention import InceptionLargeKernelAttention
from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.s3net import S3Net, released_network


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def free(in_channels, out_channels):
    return FreeOffsetConv3x3(in_channels, out_channels, (20, 26))


@pytest.mark.parametrize("in_channels", [1, 3])
@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("deformable", [DeformableConv3x3, free])
def test_shapes(in_channels, attention, deformable):
    network = S3Net(in_channels, 6, 5, attention=attention, deformable=deformable)
    main, side = network(torch.randn(1, in_channels, 20, 26))
    assert main.shape == side.shape == (1, 5, 20, 26)
    assert torch.isfinite(main).all()
    assert torch.isfinite(side).all()


def test_takes_any_size():
    network = S3Net(1, 4, 3)
    for size in [(8, 8), (17, 31)]:
        assert network(torch.randn(1, 1, *size))[0].shape == (1, 3, *size)


def test_two_attention_blocks_or_none():
    def count(network):
        return sum(isinstance(m, InceptionLargeKernelAttention) for m in network.modules())

    assert count(S3Net(3, 4, 3)) == 2
    assert count(S3Net(3, 4, 3, attention=False)) == 0


def test_last_normalisation_keeps_every_cluster_alive():
    main, _ = S3Net(3, 8, 6)(torch.randn(1, 3, 24, 24))
    assert torch.allclose(main.mean(dim=(0, 2, 3)), torch.zeros(6), atol=1e-5)
    assert torch.allclose(main.std(dim=(0, 2, 3)), torch.ones(6), atol=1e-2)
    assert len(main.argmax(dim=1).unique()) == 6


def test_side_branch_passes_the_deformable_layer_by():
    network, x = S3Net(3, 4, 3), torch.randn(1, 3, 12, 12)
    main, side = network(x)
    with torch.no_grad():
        network.head[0].weight.add_(torch.randn_like(network.head[0].weight))
    other_main, other_side = network(x)
    assert torch.equal(side, other_side)
    assert not torch.allclose(main, other_main)


def test_other_number_of_channels_raises():
    with pytest.raises(RuntimeError):
        S3Net(3, 4, 3)(torch.randn(1, 1, 8, 8))


@pytest.mark.parametrize("attention", [True, False])
def test_gradient_is_not_zero(attention):
    network, x = S3Net(3, 4, 3, attention=attention), torch.randn(1, 3, 16, 16)
    main, side = network(x)
    target = torch.zeros(1, 16, 16, dtype=torch.int64)
    (torch.nn.functional.cross_entropy(main, target) + torch.nn.functional.cross_entropy(side, target)).backward()
    for name, p in network.named_parameters():
        assert p.grad is not None, name
        assert torch.isfinite(p.grad).all(), name
        assert p.grad.abs().max() > 0, name


def test_gradcheck():
    network = S3Net(1, 2, 2).double()
    for p in network.head[0].predict.parameters():  # away from the whole pixels, where sampling has corners
        torch.nn.init.uniform_(p, 0.05, 0.2)
    x = torch.rand(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = network.head[0].weight
    assert torch.autograd.gradcheck(lambda x, _: network(x), (x, weight), atol=1e-4, fast_mode=True)


def test_released_network_has_as_many_clusters_as_channels_and_one_size():
    network = released_network(3, (16, 20), channels=8)
    assert isinstance(network.head[0], FreeOffsetConv3x3)
    assert network.head[0].offsets.shape == (1, 18, 16, 20)
    main, side = network(torch.randn(1, 3, 16, 20))
    assert main.shape == side.shape == (1, 8, 16, 20)
    with pytest.raises(RuntimeError):
        network(torch.randn(1, 3, 20, 16))


def test_most_parameters_of_the_published_network_are_offsets():
    network = released_network(3, (256, 256))
    free_ones = network.head[0].offsets.numel() + network.head[0].modulation.numel()
    assert free_ones / sum(p.numel() for p in network.parameters()) > 0.9
