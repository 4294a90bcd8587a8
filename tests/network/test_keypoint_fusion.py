import torch

from napari_s3net.network.keypoint_fusion import KeypointBatch, KeypointFusion, SelfAttention, scatter_mean


def layer(channels=6, scale=2):
    torch.manual_seed(0)
    return KeypointFusion(channels, scale, width=8, blocks=2).double()


def features(n=2, seed=0):
    return torch.randn(n, 6, 5, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def places(*xy):
    return torch.tensor([xy], dtype=torch.float64)


def test_padding_changes_nothing():
    made, x = layer(), features(1)
    two = KeypointBatch(places((3.0, 3.0), (9.0, 5.0)), torch.ones(1, 2).bool())
    four = KeypointBatch(
        places((3.0, 3.0), (9.0, 5.0), (1.0, 1.0), (9.0, 5.0)), torch.tensor([[True, True, False, False]])
    )
    (a, b), (c, d) = made(x, two), made(x, four)
    assert torch.allclose(a, c)
    assert torch.allclose(b, d[:, :2])
    assert (d[:, 2:] == 0).all()


def test_what_is_said_does_not_depend_on_batch_mates():
    made, x = layer(), features(2)
    points = KeypointBatch(
        torch.cat([places((3.0, 3.0), (0.0, 0.0)), places((5.0, 1.0), (9.0, 9.0))]),
        torch.tensor([[True, False], [True, True]]),
    )
    together, _ = made(x, points)
    alone, _ = made(x[:1], KeypointBatch(places((3.0, 3.0)), torch.ones(1, 1).bool()))
    assert torch.allclose(together[:1], alone)


def test_several_in_one_cell_are_averaged():
    values = torch.tensor([[[2.0], [4.0], [9.0], [0.0]]])
    index, real = torch.tensor([[1, 1, 0, 1]]), torch.tensor([[True, True, True, False]])
    assert scatter_mean(values, index, real, 3).tolist() == [[[9.0, 3.0, 0.0]]]


def test_an_image_without_keypoints_passes_through():
    x = features(2)
    fused, described = layer()(x, KeypointBatch.none(2, torch.device("cpu")))
    assert torch.equal(fused[:, :6], x)
    assert (fused[:, 6:] == 0).all()
    assert (described == 0).all()


def test_distant_keypoints_know_of_each_other():
    made, x = layer(), features(1).requires_grad_()
    points = KeypointBatch(places((1.0, 1.0), (13.0, 9.0)), torch.ones(1, 2).bool())
    _, described = made(x, points)
    described[0, 0].sum().backward()
    assert float(x.grad[0, :, 4, 6].abs().sum()) > 0  # the other keypoint's pixel at this scale
    assert float(x.grad[0, :, 2, 3].abs().sum()) == 0


def test_gradient():
    made = layer(channels=2, scale=1)
    points = KeypointBatch(places((0.5, 0.5), (2.5, 1.5)), torch.ones(1, 2).bool())
    x = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: made(y, points)[0], x)


def test_a_block_needs_its_sources():
    block = SelfAttention(8)
    x, real = torch.randn(1, 3, 8), torch.ones(1, 3).bool()
    other = torch.randn(1, 4, 8)
    assert not torch.allclose(block(x, real), block(x, real, other, torch.ones(1, 4).bool()))
    nobody = block(x, real, other, torch.zeros(1, 4).bool())
    assert torch.allclose(nobody, block(x, real, other * 3, torch.zeros(1, 4).bool()))
