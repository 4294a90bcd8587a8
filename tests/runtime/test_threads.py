"""Small images are computed with one thread, so that no load of the machine changes a label."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from napari_s3net import phantom, segment
from napari_s3net.runtime.threads import threads_for, wait_asleep


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("shape", "threads"), [((128, 96), 1), ((256, 256), 1), ((257, 256), 3)])
def test_small_images_have_one_thread_and_torch_has_its_own_back(three_threads, shape, threads):
    with threads_for(shape):
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == 3


def test_an_error_gives_the_threads_back(three_threads):
    with pytest.raises(ValueError, match="so"), threads_for((8, 8)):
        raise ValueError("so")
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize(("loaded", "said", "policy"), [(0, None, "passive"), (0, "active", "active"), (1, None, None)])
def test_threads_wait_asleep_unless_torch_is_there_or_the_user_said_otherwise(monkeypatch, loaded, said, policy):
    monkeypatch.setenv("OMP_WAIT_POLICY", said or "")
    if said is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    if not loaded:
        monkeypatch.delitem(sys.modules, "torch")
    wait_asleep()
    assert os.environ.get("OMP_WAIT_POLICY") == policy


@pytest.mark.parametrize(
    "start", ["import napari_s3net.plugin", "from napari_s3net.cli import main; main(['--version'])"]
)
def test_command_line_and_plugin_ask_for_it_before_torch_is_loaded(start):
    code = f"{start}\nimport os, sys\nassert os.environ['OMP_WAIT_POLICY'] == 'passive' and 'torch' not in sys.modules"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)


@pytest.mark.parametrize("sample", [phantom.chest_ct, phantom.dermoscopy])
def test_labels_are_the_same_whatever_number_of_threads_torch_has(sample):
    image, before, labels = sample(seed=0).image, torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            labels.append(segment(image, seed=0, device="cpu").labels)
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(labels[0], labels[1])
    assert np.array_equal(labels[0], labels[2])
