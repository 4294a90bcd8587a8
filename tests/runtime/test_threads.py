"""Small images are computed with one thread, so that no load of the machine changes a label."""

import numpy as np
import pytest
import torch

from napari_s3net import phantom, segment
from napari_s3net.runtime.threads import threads_for


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
