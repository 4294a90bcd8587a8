"""Tensors of all types arrive as they were, in one copy."""

import pytest
import torch

from napari_s3net.runtime.parcel import ALIGNMENT, fetch, send

GIVEN = [
    torch.randn(3, 5).T,
    torch.tensor(7),
    torch.tensor([True, False, True]),
    torch.arange(6, dtype=torch.uint8).view(2, 3),
    torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
    torch.empty(0, 2),
]


def test_where_they_are_already_they_come_back_themselves():
    assert all(a is b for a, b in zip(send(GIVEN, torch.device("cpu")), GIVEN, strict=True))


@pytest.fixture
def packed(monkeypatch):
    """A CPU that is told apart from itself, so that the way through one block of memory is taken."""
    copies = []

    def to(block, *_):
        copies.append(block)
        return block.clone()

    monkeypatch.setattr(torch.Tensor, "to", to)
    return copies


class Elsewhere:
    type = "elsewhere"


def test_one_copy_brings_all_with_their_values_types_and_shapes(packed):
    received = send(GIVEN, Elsewhere())
    assert len(packed) == 1
    for given, got in zip(GIVEN, received, strict=True):
        assert got.dtype == given.dtype
        assert torch.equal(got, given)
        assert got.data_ptr() % 16 == 0 or not got.numel()
    assert packed[0].numel() % ALIGNMENT == 0


def test_what_is_fetched_has_no_gradient():
    (leaf,) = fetch([torch.ones(2, requires_grad=True)])
    assert not leaf.requires_grad
