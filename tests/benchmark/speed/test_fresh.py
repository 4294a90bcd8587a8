"""The stages of a first run in a real napari, as the benchmark of speed tells them."""

import pytest

from napari_s3net.benchmark.speed.fresh import measure_cold_start

pytestmark = [pytest.mark.viewer, pytest.mark.slow]


def test_every_stage_is_reached_in_order():
    stages = measure_cold_start()["stages"]
    assert list(stages) == [
        *("python", "napari imported", "window", "sample", "dock", "first iteration", "first labels", "result")
    ]
    assert list(stages.values()) == sorted(stages.values())
