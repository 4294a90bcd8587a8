from __future__ import annotations

import random

import pytest

from napari_s3net.io import read_image
from scripts import fuzz_reading


@pytest.mark.filterwarnings("ignore::napari_s3net.errors.ReadWarning")
def test_the_inputs_are_good_before_they_are_damaged(tmp_path):
    for path in fuzz_reading.make_inputs(tmp_path):
        assert read_image(path).array.size


def test_damage_is_done_and_is_the_same_again(tmp_path):
    content = bytes(range(256)) * 8
    damaged = [fuzz_reading.damage(content, random.Random(seed)) for seed in range(40)]
    assert damaged == [fuzz_reading.damage(content, random.Random(seed)) for seed in range(40)]
    assert sum(one != content for one in damaged) > 35


def test_whatever_is_done_to_a_file_it_is_an_image_or_an_error():
    outcomes, _, (held, largest) = fuzz_reading.fuzz(300, seed=7)
    assert outcomes.total() == 300
    assert outcomes["hung"] == 0
    assert outcomes["opened"] > 30
    assert outcomes["refused"] > 100
    assert held < fuzz_reading.MOST_BYTES, largest
