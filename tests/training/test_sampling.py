import itertools

import pytest

from napari_s3net.training.sampling import MOST_IMAGES, evenly_spaced


@pytest.mark.parametrize("n", [0, 1, 4, MOST_IMAGES])
def test_a_small_folder_is_taken_whole(n):
    assert evenly_spaced(range(n)) == list(range(n))


@pytest.mark.parametrize("n", [MOST_IMAGES + 1, 379, 2594])
def test_of_a_large_folder_it_takes_as_many_as_it_may_evenly_spaced(n):
    chosen = evenly_spaced(range(n))
    steps = {b - a for a, b in itertools.pairwise(chosen)}
    assert len(chosen) == MOST_IMAGES
    assert chosen[0] == 0
    assert max(steps) - min(steps) <= 1
    assert n - chosen[-1] <= max(steps) + 1
