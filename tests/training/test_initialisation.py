"""The first weights of the last layers: a linear discriminant."""

import numpy as np
import pytest
import torch

from napari_s3net.network.s3net import S3Net
from napari_s3net.training.initialisation import INITIALISATION, _discriminant, initialise_heads


@pytest.fixture
def scene():
    torch.manual_seed(0)
    clusters = torch.arange(3).repeat_interleave(8)[None, None].expand(1, 12, 24).contiguous()
    x = clusters[:, None].float() - 1 + 0.05 * torch.randn(1, 1, 12, 24)
    return S3Net(1, 8, 3), x, clusters


def test_it_agrees_with_scikit_learns_linear_discriminant():
    sklearn = pytest.importorskip("sklearn.discriminant_analysis")
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 4, 4000)
    values = rng.normal(size=(4, 5))[cluster] * 3 + rng.normal(size=(4000, 5))
    weight, bias = _discriminant(torch.from_numpy(values), torch.from_numpy(cluster), 4)
    theirs = sklearn.LinearDiscriminantAnalysis(solver="lsqr").fit(values, cluster)
    ours = (torch.from_numpy(values) @ weight.T + bias).argmax(dim=1).numpy()
    assert np.mean(ours == theirs.predict(values)) > 0.97  # the ridge keeps them from being the same


def test_the_bias_is_that_of_the_equation():
    """xᵀΣ⁻¹μₖ − μₖᵀΣ⁻¹μₖ/2 + log πₖ at x = 0, for two clusters of other sizes in one dimension."""
    values = torch.tensor([[-1.0], [-3.0], [4.0], [6.0], [5.0], [5.0]], dtype=torch.float64)
    cluster = torch.tensor([0, 0, 1, 1, 1, 1])
    weight, bias = _discriminant(values, cluster, 2)
    covariance = (4 * 1 + 0) / 6 + 0.1 * values.var().item()
    assert weight[:, 0].tolist() == pytest.approx([-2 / covariance, 5 / covariance])
    expected = [np.log(2 / 6) - 2**2 / covariance / 2, np.log(4 / 6) - 5**2 / covariance / 2]
    assert bias.tolist() == pytest.approx(expected)


def test_a_cluster_without_pixels_is_finite():
    weight, bias = _discriminant(torch.randn(20, 3), torch.zeros(20, dtype=torch.int64), 4)
    assert torch.isfinite(weight).all()
    assert torch.isfinite(bias).all()


def test_both_branches_answer_with_the_clusters(scene):
    network, x, clusters = scene
    initialise_heads(network, x, clusters)
    with torch.no_grad():
        for logits in network(x):
            assert (logits.argmax(dim=1) == clusters).float().mean() > 0.9


def test_the_last_normalisation_leaves_the_scores_as_they_are(scene):
    network, x, clusters = scene
    initialise_heads(network, x, clusters)
    with torch.no_grad():
        features = network.encoder(network.stem(x))
        scores = network.side[:-1](features)
        torch.testing.assert_close(network.side(features), scores, rtol=1e-3, atol=1e-3)


def test_what_comes_before_stays_as_it_was_drawn(scene):
    network, x, clusters = scene
    before = {name: p.clone() for name, p in network.named_parameters()}
    initialise_heads(network, x, clusters)
    changed = {name for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    last = {f"{branch}.{name}" for branch in ("side.0", "side.1", "head.2", "head.3") for name in ("weight", "bias")}
    assert changed == last


def test_the_first_probabilities_are_soft(scene):
    network, x, clusters = scene
    initialise_heads(network, x, clusters)
    with torch.no_grad():
        sharp = [logits / INITIALISATION.sharpness for logits in network(x)]
        assert all((logits * INITIALISATION.sharpness).softmax(dim=1).amax(dim=1).mean() < 1 for logits in sharp)
        spread = network(x)[0].std().item()
    assert 0.3 < spread < 30
