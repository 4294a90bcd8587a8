"""How the trainer of the one image makes its terms, and when it ends."""

import math

import numpy as np
import pytest
import torch

from napari_s3net.network.attention import InceptionLargeKernelAttention
from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.losses import cluster_loss, spatial_loss
from napari_s3net.settings import Settings
from napari_s3net.training.image import TRAINING, make_network
from napari_s3net.training.variants import make_trainer
from napari_s3net.training.view import to_tensor

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
FEATURES = RNG.random((24, 32, 3)).astype(np.float32)
LARGE = RNG.random((41, 50, 3)).astype(np.float32)
SMALL = Settings(channels=4, clusters=4, min_labels=2)
FOLLOWING = TRAINING.guided_iterations + 1


def make(features=FEATURES, **changes):
    return make_trainer(features, SMALL.replace(**changes), CPU)


@pytest.mark.parametrize("iteration", [1, FOLLOWING])
@pytest.mark.parametrize("name", ["cluster", "transformation", "spatial"])
def test_every_term_trains_the_network(name, iteration):
    trainer = make()
    _, terms = trainer.forward(iteration)
    terms[name].backward()
    assert sum(float(p.grad.abs().sum()) for p in trainer.network.parameters()) > 1e-4


def test_the_guided_cluster_term_is_held_to_the_initial_clusters():
    trainer = make(weight_cluster=2.0)
    _, terms = trainer.forward(TRAINING.guided_iterations)
    logits, side = trainer.network(trainer.guided.x)
    clusters = trainer.guided.clusters
    expected = 2 * (cluster_loss(logits, clusters) + TRAINING.side_weight * cluster_loss(side, clusters))
    torch.testing.assert_close(terms["cluster"], expected)


def test_later_the_network_is_held_to_its_own_decision_as_well():
    trainer = make()
    _, terms = trainer.forward(FOLLOWING)
    logits, side = trainer.network(trainer.full.x)
    clusters = trainer.full.clusters
    guided = cluster_loss(logits, clusters) + TRAINING.side_weight * cluster_loss(side, clusters)
    expected = TRAINING.anchor * guided + (1 - TRAINING.anchor) * cluster_loss(logits, logits.argmax(dim=1))
    torch.testing.assert_close(terms["cluster"], trainer.settings.weight_cluster * expected)


def test_the_spatial_term_has_its_weight():
    trainer = make(weight_spatial=3.0)
    probabilities, terms = trainer.forward(FOLLOWING)
    torch.testing.assert_close(terms["spatial"], 3 * spatial_loss(probabilities, trainer.full.edges))


def test_the_transformation_term_has_its_weight():
    once, thrice = (make(weight_transformation=w).forward(FOLLOWING)[1]["transformation"] for w in (1.0, 3.0))
    torch.testing.assert_close(3 * once, thrice)


def test_each_iteration_draws_another_transformation():
    trainer = make(max_iter=FOLLOWING + 1)
    first, second = (trainer.forward(FOLLOWING + i)[1] for i in range(2))
    assert first["transformation"] != second["transformation"]
    assert first["spatial"] == second["spatial"]


def test_without_any_range_and_with_the_whole_window_the_copy_is_held_to_the_image_itself():
    trainer = make(rotation=0.0, scale=0.0, shear=0.0, translation=0.0, offsets="free", seed=3)
    draws = torch.rand(8 * FOLLOWING, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    mirrored = draws[8 * (FOLLOWING - 1) + 5] < 0.5  # six of a transformation and two of its window an iteration
    x = trainer.full.x.flip(3) if mirrored else trainer.full.x
    probabilities, terms = trainer.forward(FOLLOWING)
    target = (probabilities.flip(3) if mirrored else probabilities).detach()
    expected = -(target * trainer.network(x)[0].log_softmax(dim=1)).sum(dim=1).mean()
    weight = trainer.settings.weight_transformation
    assert terms["transformation"].item() == pytest.approx(weight * expected.item(), rel=1e-4)


@pytest.mark.parametrize("name", ["transformation", "spatial"])
def test_a_weight_of_zero_leaves_the_term_out(name):
    assert name not in make(**{f"weight_{name}": 0.0}).forward(1)[1]


def test_guided_iterations_see_half_the_size_and_later_ones_all_of_it():
    trainer = make(LARGE)
    assert trainer.forward(TRAINING.guided_iterations)[0].shape == (1, 4, 20, 25)
    assert trainer.forward(FOLLOWING)[0].shape == (1, 4, 41, 50)
    assert trainer.guided.clusters.shape == (1, 20, 25)
    assert torch.equal(trainer.guided.clusters, trainer.full.clusters[:, 1:40:2, 1:50:2])
    assert trainer.guided.x[0, 1, 2, 3] == pytest.approx(trainer.full.x[0, 1, 4:6, 6:8].mean().item(), abs=1e-6)
    assert [edges.shape for edges in trainer.guided.edges] == [(1, 1, 19, 25), (1, 1, 20, 24)]


@pytest.mark.parametrize(
    ("features", "changes"),
    [(LARGE[: TRAINING.smallest_shrunk - 1], {}), (LARGE, {"offsets": "free"})],
    ids=["small", "free"],
)
def test_small_images_and_offsets_of_one_size_are_not_shrunk(features, changes):
    trainer = make(features, **changes)
    assert trainer.guided is trainer.full
    assert make(LARGE[: TRAINING.smallest_shrunk]).guided.size == (TRAINING.smallest_shrunk // 2, 25)


def test_it_ends_at_the_fewest_clusters_but_not_while_it_is_guided():
    trainer = make()
    few, many, changed = torch.tensor([2]), torch.tensor([3]), torch.tensor([1.0])
    assert not trainer.is_done(TRAINING.guided_iterations, few, 0 * changed)
    assert trainer.is_done(FOLLOWING, few, changed)
    assert not trainer.is_done(FOLLOWING, many, changed)


def test_it_ends_after_iterations_at_rest_one_after_the_other():
    trainer = make()
    rests = [0.0] * (TRAINING.at_rest_iterations - 1)
    changes = [*rests, TRAINING.at_rest_share, *rests, 0.9 * TRAINING.at_rest_share]
    ends = [
        bool(trainer.is_done(FOLLOWING + i, torch.tensor([4]), torch.tensor([changed])))
        for i, changed in enumerate(changes)
    ]
    assert ends == [False] * (len(changes) - 1) + [True]


def test_rest_while_it_is_guided_does_not_count():
    trainer = make()
    assert not any(
        trainer.is_done(i, torch.tensor([4]), torch.tensor([0.0]))
        for i in range(1, TRAINING.guided_iterations + TRAINING.at_rest_iterations)
    )


@pytest.mark.parametrize("changes", [{"attention": False}, {"offsets": "none"}, {"offsets": "free"}])
def test_ablations_run_and_differ(changes):
    plain, other = make(), make(**changes)
    count = [sum(p.numel() for p in t.network.parameters()) for t in (plain, other)]
    assert count[0] != count[1]
    assert all(math.isfinite(term.item()) for term in other.forward(1)[1].values())


def test_the_network_is_made_of_the_parts_that_are_asked_for():
    def parts(**changes):
        network = make_network(5, (8, 9), SMALL.replace(**changes))
        return network, {type(m) for m in network.modules()}

    network, usual = parts()
    assert {InceptionLargeKernelAttention, DeformableConv3x3} <= usual
    assert network(torch.zeros(1, 5, 8, 9))[0].shape == (1, 4, 8, 9)
    assert InceptionLargeKernelAttention not in parts(attention=False)[1]
    assert not {DeformableConv3x3, FreeOffsetConv3x3} & parts(offsets="none")[1]
    assert FreeOffsetConv3x3 in parts(offsets="free")[1]


def test_the_input_is_the_features_and_the_depth():
    trainer = make()
    assert trainer.full.x.shape == (1, 4, 24, 32)
    torch.testing.assert_close(trainer.full.x[:, :3], to_tensor(FEATURES))


def test_features_as_a_tensor_have_no_mean_and_unit_variance():
    x = to_tensor(7 * FEATURES + 2)
    assert x.shape == (1, 3, 24, 32)
    torch.testing.assert_close(x.mean(dim=(2, 3)), torch.zeros(1, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std(dim=(2, 3), correction=0), torch.ones(1, 3))
    assert (to_tensor(np.ones((4, 5, 1), np.float32)) == 0).all()
