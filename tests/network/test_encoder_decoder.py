import pytest
import torch

from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig

SMALL = EncoderDecoderConfig(widths=(8, 16, 24), blocks=(1, 1, 1), clusters=3)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return EncoderDecoder(SMALL)


def test_the_usual_one_has_about_a_million_parameters():
    n = sum(p.numel() for p in EncoderDecoder(EncoderDecoderConfig()).parameters())
    assert 600_000 < n < 1_200_000


@pytest.mark.parametrize("size", [(64, 64), (65, 31), (17, 90), (2, 3)])
def test_any_size(network, size):
    logits, clusters = network(torch.rand(2, 3, *size))
    assert logits.shape == (2, 1, *size)
    assert clusters.shape == (2, 3, *size)


def test_the_rest_of_the_batch_changes_nothing(network):
    x = torch.rand(3, 3, 32, 32)
    together, alone = network(x)[0][1], network(x[1:2])[0][0]
    assert torch.allclose(together, alone, atol=1e-5)


def test_evaluation_and_training_mode_are_the_same(network):
    x = torch.rand(1, 3, 32, 32)
    assert torch.equal(network.train()(x)[0], network.eval()(x)[0])


@pytest.mark.parametrize("head", [0, 1])
def test_every_layer_gets_a_gradient(network, head):
    network(torch.rand(1, 3, 33, 40))[head].square().sum().backward()
    other = ("cluster_head", "object_head")[head]
    still = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert all(name.startswith(other) for name in still), still


def test_the_ablations_have_other_layers():
    plain = EncoderDecoder(EncoderDecoderConfig(attention=False, deformable=False))
    names = {type(module).__name__ for module in plain.modules()}
    assert not names & {"InceptionLargeKernelAttention", "DeformableConv3x3"}
    assert plain(torch.rand(1, 3, 16, 16))[0].shape == (1, 1, 16, 16)


def test_the_answer_depends_on_pixels_far_away(network):
    x = torch.rand(1, 3, 64, 64, requires_grad=True)
    network(x)[0][0, 0, 5, 5].backward()
    assert x.grad[..., 50:, 50:].abs().max() > 0
