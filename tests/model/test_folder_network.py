"""The folder's network: shapes, gradients, and images that do not mix."""

import torch

from napari_s3net.model.folder_network import FolderNetwork


def network():
    torch.manual_seed(0)
    return FolderNetwork(5)


def test_one_logit_a_pixel():
    assert network()(torch.randn(3, 5, 24, 32)).shape == (3, 24, 32)


def test_every_weight_has_a_gradient():
    net = network()
    net(torch.randn(2, 5, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_an_image_is_answered_alike_alone_and_among_others():
    net, x = network().eval(), torch.randn(4, 5, 16, 24)
    torch.testing.assert_close(net(x)[1], net(x[1:2])[0], rtol=1e-4, atol=1e-5)
