"""The published terms, by hand."""

import numpy as np
import pytest
import torch

from napari_s3net.training.released import SIZE, ReleasedTrainer

CPU = torch.device("cpu")
FEATURES = np.random.default_rng(0).random((24, 32, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_the_spatial_term_does_not_train_and_the_others_do():
    _, terms = ReleasedTrainer(FEATURES, CPU, size=(16, 16)).forward(1)
    assert {name: term.requires_grad for name, term in terms.items()} == {
        "cluster": True,
        "affine": True,
        "spatial": False,
    }


def test_the_affine_term_holds_the_side_branch_to_the_main_one_and_nothing_else():
    """Turning both answers alike permutes pixels and leaves the mean as it is."""
    trainer = ReleasedTrainer(FEATURES, CPU, size=(16, 16))
    _, terms = trainer.forward(1)
    with torch.no_grad():
        logits, side = trainer.network(trainer.x)
        plain = 0.2 * torch.nn.functional.cross_entropy(side, logits.argmax(dim=1))
    torch.testing.assert_close(terms["affine"].detach(), plain, rtol=1e-4, atol=1e-5)


def test_the_cluster_term_by_hand():
    """3.5 × mean of −log softmax at the arg-max."""
    probabilities, terms = ReleasedTrainer(FEATURES, CPU, size=(8, 8)).forward(1)
    by_hand = -3.5 * np.log(probabilities.detach().numpy().max(axis=1)).mean()
    assert terms["cluster"].item() == pytest.approx(by_hand, rel=1e-4)


def test_the_spatial_term_by_hand():
    """4 × the mean jump of the painted colours between neighbours, down and right; painted anew each iteration."""
    trainer = ReleasedTrainer(FEATURES, CPU, size=(8, 10))
    for iteration in (1, 2):
        probabilities, terms = trainer.forward(iteration)
        clusters = probabilities.argmax(dim=1)[0].numpy()
        painted = np.random.default_rng(iteration).random((64, 3), np.float32)[clusters]
        jumps = np.abs(np.diff(painted, axis=0)).mean() + np.abs(np.diff(painted, axis=1)).mean()
        assert terms["spatial"].item() == pytest.approx(4 * jumps, rel=1e-5)


def test_the_input_is_the_square_of_the_published_program():
    trainer = ReleasedTrainer(FEATURES, CPU)
    assert trainer.x.shape == (1, 3, *SIZE)
    assert 0 <= trainer.x.min() < trainer.x.max() <= 1


def test_the_optimiser_is_that_of_the_published_program():
    (group,) = ReleasedTrainer(FEATURES, CPU, size=(8, 8)).optimiser.param_groups
    assert (group["lr"], group["momentum"]) == (0.2, 0.9)


@pytest.mark.parametrize(
    ("iteration", "n_clusters", "done"), [(5, 2, False), (6, 4, False), (6, 3, True), (40, 64, False)]
)
def test_the_stopping_rule(iteration, n_clusters, done):
    trainer = ReleasedTrainer(FEATURES, CPU, size=(8, 8))
    assert bool(trainer.is_done(iteration, torch.tensor([n_clusters]), torch.ones(1))) is done
