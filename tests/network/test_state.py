"""Weights from plain arrays."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.network.state import load_state


def network(channels=4):
    return nn.Sequential(nn.Conv2d(3, channels, 1), nn.BatchNorm2d(channels))


def state_of(network):
    return {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}


def test_there_and_back_buffers_included():
    first, second = network(), network()
    first(torch.randn(1, 3, 5, 5))  # moves the running mean
    load_state(second, state_of(first))
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_arrays_are_copied():
    layers = network()
    state = state_of(layers)
    load_state(layers, state)
    state["0.weight"][:] = 8
    assert not (layers[0].weight == 8).any()


@pytest.mark.parametrize("change", ["size", "missing", "more"])
def test_weights_of_another_network_are_refused(change):
    state = state_of(network(5 if change == "size" else 4))
    if change == "missing":
        state.pop("0.bias")
    if change == "more":
        state["2.weight"] = np.zeros(3, np.float32)
    with pytest.raises(InvalidSettingsError, match="do not fit these settings"):
        load_state(network(), state)
