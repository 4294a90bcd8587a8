"""Where a run starts, how its terms are made, and when it ends."""

import math

import numpy as np
import pytest
import torch

from napari_s3net.settings import Settings
from napari_s3net.training.trainers import (
    CALM_ITERATIONS,
    START_ITERATIONS,
    ReleasedRecipe,
    make_recipe,
)

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
FEATURES = RNG.random((24, 32, 3)).astype(np.float32)
SMALL = Settings(channels=4, clusters=4, min_labels=2)


def gradient(settings, features=FEATURES, name=None):
    recipe = make_recipe(features, settings, CPU)
    _, terms = recipe.forward(START_ITERATIONS + 1)
    terms[name].backward()
    return sum(float(p.grad.abs().sum()) for p in recipe.network.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", ["cluster", "transformation", "spatial"])
def test_every_term_teaches_the_network(name):
    assert gradient(SMALL, name=name) > 1e-4


@pytest.mark.parametrize("name", ["transformation", "spatial"])
def test_a_weight_of_zero_leaves_the_term_out(name):
    recipe = make_recipe(FEATURES, SMALL.replace(**{f"weight_{name}": 0.0}), CPU)
    assert name not in recipe.forward(1)[1]


def test_the_published_spatial_term_teaches_nothing():
    recipe = ReleasedRecipe(FEATURES, CPU, size=(16, 16))
    _, terms = recipe.forward(1)
    assert set(terms) == {"cluster", "affine", "spatial"}
    assert not terms["spatial"].requires_grad
    assert terms["cluster"].requires_grad


def test_the_published_affine_term_is_plain_distillation_to_the_side_branch():
    """Turning both answers alike permutes pixels and leaves the mean as it is."""
    recipe = ReleasedRecipe(FEATURES, CPU, size=(16, 16))
    _, terms = recipe.forward(1)
    with torch.no_grad():
        logits, side = recipe.network(recipe.x)
        plain = 0.2 * torch.nn.functional.cross_entropy(side, logits.argmax(dim=1))
    torch.testing.assert_close(terms["affine"].detach(), plain, rtol=1e-4, atol=1e-5)


def test_the_published_cluster_term_by_hand():
    """3.5 × mean of −log softmax at the arg-max."""
    recipe = ReleasedRecipe(FEATURES, CPU, size=(8, 8))
    probabilities, terms = recipe.forward(1)
    by_hand = -3.5 * np.log(probabilities.detach().numpy().max(axis=1)).mean()
    assert terms["cluster"].item() == pytest.approx(by_hand, rel=1e-4)


def test_the_published_network_has_nearly_all_parameters_in_its_free_offsets():
    recipe = ReleasedRecipe(FEATURES, CPU)
    sizes = {name: p.numel() for name, p in recipe.network.named_parameters()}
    free = sum(n for name, n in sizes.items() if "offsets" in name or "modulation" in name)
    assert free == 27 * 256 * 256
    assert free / sum(sizes.values()) > 0.9


@pytest.mark.parametrize(
    ("iteration", "n_labels", "done"), [(5, 2, False), (6, 4, False), (6, 3, True), (40, 64, False)]
)
def test_the_published_stopping_rule(iteration, n_labels, done):
    assert ReleasedRecipe(FEATURES, CPU, size=(8, 8)).is_done(iteration, n_labels, 1.0) is done


def test_ours_ends_at_rest_or_at_the_fewest_clusters():
    recipe = make_recipe(FEATURES, SMALL, CPU)
    late = START_ITERATIONS + 1
    assert not recipe.is_done(1, 2, 0.0)
    assert recipe.is_done(late, 2, 1.0)
    assert [recipe.is_done(late + i, 4, 0.0) for i in range(CALM_ITERATIONS)][-1]
    assert not recipe.is_done(late, 4, 1.0)


def test_the_network_begins_close_to_its_starting_clusters():
    """Four shades in a row: the middle ones as well, which a regression of the clusters would mask."""
    shades = np.repeat(np.linspace(0.1, 0.9, 4), 16)[None] * np.ones((48, 1))
    features = np.repeat((shades + 0.01 * RNG.standard_normal(shades.shape))[..., None], 3, axis=2).astype(np.float32)
    recipe = make_recipe(features, SMALL.replace(channels=16), CPU)
    with torch.no_grad():
        logits, side = recipe.network(recipe.small.x)
    for answer in (logits, side):
        assert (answer.argmax(dim=1) == recipe.small.start).float().mean() > 0.9


def test_the_same_seed_starts_alike_and_another_does_not():
    first, second, other = (make_recipe(FEATURES, SMALL.replace(seed=s), CPU) for s in (1, 1, 2))
    weights = [next(r.network.parameters()).detach() for r in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_making_a_recipe_leaves_the_global_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make_recipe(FEATURES, SMALL, CPU)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("changes", [{"attention": False}, {"offsets": "none"}, {"offsets": "free"}])
def test_ablations_run_and_differ(changes):
    plain, other = make_recipe(FEATURES, SMALL, CPU), make_recipe(FEATURES, SMALL.replace(**changes), CPU)
    count = [sum(p.numel() for p in r.network.parameters()) for r in (plain, other)]
    assert count[0] != count[1]
    assert all(math.isfinite(term.item()) for term in other.forward(1)[1].values())
