import numpy as np
import pytest
import torch

from napari_s3net.network.losses import edge_weights
from napari_s3net.training.view import View, make_view, network_input, to_tensor


@pytest.fixture
def features():
    return np.random.default_rng(0).random((22, 31, 3), np.float32)


def test_each_channel_has_zero_mean_and_unit_variance_whatever_the_brightness(features):
    features[..., 2] = 0.5
    x = to_tensor(features)
    assert x.shape == (1, 3, 22, 31)
    np.testing.assert_allclose(x[0, :2].mean(dim=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(x[0, :2].std(dim=(1, 2), correction=0), 1, atol=1e-5)
    assert not x[0, 2].any(), "a constant channel says nothing"
    np.testing.assert_allclose(to_tensor(0.5 * features + 0.1)[0, :2], x[0, :2], atol=1e-4)


def test_the_last_channel_tells_what_is_enclosed(features):
    features[:] = 0.8 + 0.01 * features
    features[8:14, 10:20] = 0.2
    x, clusters = network_input(features, 4)
    assert x.shape == (1, 4, 22, 31)
    depth = x[0, 3]
    assert depth[9:13, 11:19].min() > depth[:6].max() + 0.5
    assert clusters.shape == (1, 22, 31)
    assert set(clusters.unique().tolist()) == set(range(4))


def test_edges_are_those_of_each_image(features):
    one = make_view(features, 3, torch.device("cpu"))
    other = make_view(features[::-1].copy(), 3, torch.device("cpu"))
    assert one.size == (22, 31)
    assert one.x.is_contiguous(memory_format=torch.channels_last)
    both = View.of(torch.cat([one.x, other.x]), torch.cat([one.clusters, other.clusters]))
    for index, view in enumerate((one, other)):
        for found, alone, expected in zip(both.edges, view.edges, edge_weights(view.x), strict=True):
            torch.testing.assert_close(found[index], alone[0])
            torch.testing.assert_close(alone, expected)


def test_shrunk_leaves_out_what_makes_no_whole_square(features):
    view = make_view(features, 3, torch.device("cpu"))
    small = view.shrunk(4)
    assert small.size == (5, 7)
    assert small.clusters.shape == (1, 5, 7)
    torch.testing.assert_close(small.x[0, 0, 0, 0], view.x[0, 0, :4, :4].mean())
    assert small.clusters[0, 1, 2] == view.clusters[0, 6, 10]
