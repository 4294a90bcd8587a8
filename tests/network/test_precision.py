import pytest
import torch

from napari_s3net.network.precision import full_precision, half_precision

CPU = torch.device("cpu")
X = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))


def test_products_are_halved_and_weights_are_not():
    layer = torch.nn.Linear(4, 4)
    with half_precision(CPU):
        assert layer(X).dtype == torch.bfloat16
    assert layer.weight.dtype == torch.float32
    assert layer(X).dtype == torch.float32


def test_full_precision_holds_within_half_and_ends_with_its_body():
    with half_precision(CPU):
        with full_precision(CPU):
            exact = X @ X
        assert (X @ X).dtype == torch.bfloat16
    assert exact.dtype == torch.float32
    torch.testing.assert_close(exact, X @ X, rtol=0, atol=0)


@pytest.mark.parametrize("context", [half_precision, full_precision])
def test_a_device_without_mixed_precision_is_left_alone(context):
    with context(torch.device("meta")):
        assert (X @ X).dtype == torch.float32
