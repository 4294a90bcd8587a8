"""Peak memory of this process."""

import sys

import numpy as np
import pytest

from napari_s3net.benchmark.memory import peak_mib, reset_peak


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can forget a peak")
def test_a_large_array_is_seen_and_forgotten():
    reset_peak()
    before = peak_mib()
    array = np.ones(80 * 2**20, np.uint8)
    during = peak_mib()
    assert during - before > 60
    del array
    reset_peak()
    assert peak_mib() < during - 60


def test_there_is_a_figure_without_the_files_of_linux(monkeypatch, tmp_path):
    monkeypatch.setattr("napari_s3net.benchmark.memory._STATUS", tmp_path / "status")
    monkeypatch.setattr("napari_s3net.benchmark.memory._CLEAR", tmp_path / "missing" / "clear_refs")
    reset_peak()
    assert peak_mib() > 10 or sys.platform == "win32"
