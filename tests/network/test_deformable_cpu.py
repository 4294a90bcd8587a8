"""The fast way on the CPU: the same numbers as by `grid_sample`."""

import subprocess
import sys

import pytest
import torch

from napari_s3net.network import deformable_cpu as deform_cpu
from napari_s3net.network.deformable import deform_conv3x3
from tests.network.test_deformable import NAMES, arguments, gradients, plain


@pytest.mark.parametrize("reach", [0.4, 3.0, 40.0])
@pytest.mark.parametrize("samples", [deform_cpu.SAMPLES, 200])
def test_cpu_path_equals_grid_sample_in_values_and_gradients(reach, samples, monkeypatch):
    monkeypatch.setattr(deform_cpu, "SAMPLES", samples)  # few samples: many bands
    inputs = arguments(N=2, reach=reach)
    above = torch.randn(2, 4, 8, 9, dtype=torch.float64)
    ours, of_ours = gradients(deform_conv3x3, inputs, above)
    theirs, of_theirs = gradients(plain, inputs, above)
    assert torch.allclose(ours, theirs, atol=1e-10)
    for name, a, b in zip(NAMES, of_ours, of_theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-9), name


def test_the_first_call_of_a_process_warns_of_nothing():
    """torch says once a process that its sparse matrices are in beta state; nobody who segments has to read that."""
    code = """if True:
        import warnings, torch
        warnings.simplefilter("error")
        from napari_s3net.network.deformable import DeformableConv3x3
        x = torch.rand(1, 2, 5, 6, requires_grad=True)
        DeformableConv3x3(2, 3)(x).sum().backward()
    """
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)
    assert done.stderr == b""
