import math

import torch

from napari_s3net.network.contrastive import (
    DenseProjector,
    KeypointEmbedder,
    dense_contrastive_loss,
    global_contrastive_loss,
    match_features,
)
from napari_s3net.network.keypoint_fusion import KeypointBatch
from napari_s3net.network.unet import ClassNetworkConfig

CONFIG = ClassNetworkConfig(widths=(8, 16), keypoints=True, keypoint_width=8, keypoint_blocks=1)


def rand(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()


def test_places_are_matched_by_their_features():
    query = torch.tensor([[[1.0, 0.0, 5.0], [0.0, 2.0, 5.0]]])  # (1, 2, 3): along x, along y, between
    key = torch.tensor([[[0.0, 3.0, 1.0], [1.0, 0.1, 1.1]]])  # along y, along x, between
    assert match_features(query, key).tolist() == [[1, 0, 2]]


def test_dense_loss_by_hand():
    """Two places, orthogonal; each matches its like: −ln(e^(1/τ) / (e^(1/τ) + e^0)) with τ = 1/2."""
    both = torch.eye(2)[None]
    found = dense_contrastive_loss(both, both, torch.tensor([[0, 1]]), 0.5)
    assert math.isclose(float(found), -math.log(math.e**2 / (math.e**2 + 1)), rel_tol=1e-6)


def test_dense_loss_has_negatives_in_the_other_images():
    alone = dense_contrastive_loss(rand(1, 4, 3), rand(1, 4, 3, seed=1), torch.tensor([[0, 1, 2]]), 0.2)
    query = torch.cat([rand(1, 4, 3), rand(1, 4, 3, seed=2)])
    key = torch.cat([rand(1, 4, 3, seed=1), rand(1, 4, 3, seed=3)])
    more = dense_contrastive_loss(query, key, torch.tensor([[0, 1, 2], [0, 1, 2]]), 0.2)
    assert not torch.isclose(alone, more)
    match = torch.tensor([[2, 0, 1], [1, 1, 0]])
    assert torch.autograd.gradcheck(lambda q: dense_contrastive_loss(q, key.detach(), match, 0.2), rand(2, 4, 3))


def test_keys_pass_no_gradient():
    key = rand(1, 4, 3, seed=1)
    dense_contrastive_loss(rand(1, 4, 3), key, torch.tensor([[0, 1, 2]]), 0.2).backward()
    assert key.grad is None


def test_global_loss_by_hand():
    """z₁ = z₂ ⊥ z₃, τ = 1, 1 and 2 alike: −ln(e / (e + 1)) for both; the third has no positive and does not count."""
    z = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    positive = torch.zeros(3, 3, dtype=torch.bool)
    positive[0, 1] = positive[1, 0] = True
    positive[2, 2] = True  # itself does not count
    found = global_contrastive_loss(z, positive, 1.0)
    assert math.isclose(float(found), -math.log(math.e / (math.e + 1)), rel_tol=1e-6)
    assert float(global_contrastive_loss(z, torch.eye(3, dtype=torch.bool), 1.0)) == 0
    assert torch.autograd.gradcheck(lambda x: global_contrastive_loss(x, positive, 0.3), rand(3, 4))


def test_the_projector_keeps_places():
    features, projections = DenseProjector(ClassNetworkConfig(widths=(8, 16)))(torch.zeros(2, 1, 16, 16))
    assert features.shape == (2, 16, 64)
    assert projections.shape == (2, 128, 64)


def test_the_embedder_takes_images_without_keypoints_and_every_part_learns():
    network = KeypointEmbedder(CONFIG)
    x = torch.randn(2, 1, 16, 16)
    points = KeypointBatch(torch.full((2, 3, 2), 5.0), torch.tensor([[True, True, False], [False] * 3]))
    of_image, of_points, described = network(x, points)
    assert of_image.shape == of_points.shape == (2, 512)
    assert (described[1] == 0).all()
    assert (described[0, 2] == 0).all()
    alike = torch.ones(4, 4, dtype=torch.bool)
    loss = global_contrastive_loss(torch.cat([of_image, of_points]), alike, 0.1)
    loss = loss + network.correspondence(described, described, points, points)[0, :2, :2].sum()
    loss.backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
