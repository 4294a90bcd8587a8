"""Our Adam walks as torch's does, and imports nothing large."""

import subprocess
import sys

import pytest
import torch

from napari_s3net.training.adam import Adam


def walk(make, steps=25):
    torch.manual_seed(0)
    parameters = [torch.randn(3, 4), torch.randn(5), torch.ones(2), torch.randn(2, 3, 4, 5)]
    parameters[3] = parameters[3].contiguous(memory_format=torch.channels_last)
    for p in parameters:
        p.requires_grad_()  # the third is never used: it stays where it is
    optimiser = make(parameters)
    for _ in range(steps):
        loss = (parameters[0] ** 4).sum() + (parameters[1] - 2).abs().sum() + parameters[3].sin().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return parameters


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.3])
def test_it_walks_as_torchs_own(rate):
    ours = walk(lambda p: Adam(p, rate))
    theirs = walk(lambda p: torch.optim.Adam(p, lr=rate))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
        assert a.stride() == b.stride()


def test_nothing_moves_without_a_gradient():
    p = torch.ones(3, requires_grad=True)
    Adam([p], 0.1).step()
    assert torch.equal(p, torch.ones(3))


def test_the_first_step_needs_no_zero_grad():
    p = torch.ones(3, requires_grad=True)
    optimiser = Adam([p], 0.1)
    (p**2).sum().backward()
    optimiser.step()
    torch.testing.assert_close(p.detach(), torch.full((3,), 0.9))


def test_a_whole_run_leaves_torchs_compiler_alone():
    code = """if True:
        import sys, numpy as np
        from napari_s3net import segment
        from napari_s3net.settings import Settings
        image = np.random.default_rng(0).random((32, 32)).astype("float32")
        segment(image, settings=Settings(working_size=32, max_iter=2), device="cpu")
        assert "torch._dynamo" not in sys.modules
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)


def test_every_parameter_begins_where_a_graphics_card_can_read_it():
    parameters = [torch.ones(n, requires_grad=True) for n in (12, 1, 7, 40)]
    Adam(parameters, 0.1)
    for p in parameters:
        assert p.data_ptr() % 64 == 0
        assert p.grad.data_ptr() % 64 == 0


def test_stacked_parameters_walk_each_on_its_own_and_only_while_they_run():
    torch.manual_seed(0)
    start, target = torch.randn(2, 3, 2), torch.randn(2, 3, 2)
    stacked = start.clone().requires_grad_()
    optimiser = Adam([stacked], 0.1, stack=2)
    for i in range(5):
        optimiser.zero_grad()
        (stacked - target).square().sum().backward()
        optimiser.step(torch.tensor([True, i < 2]))
    for n, steps in ((0, 5), (1, 2)):
        alone = start[n].clone().requires_grad_()
        own = Adam([alone], 0.1)
        for _ in range(steps):
            own.zero_grad()
            (alone - target[n]).square().sum().backward()
            own.step()
        assert torch.equal(stacked[n], alone)
