"""Peak memory of this process."""

import subprocess
import sys

import pytest

from napari_s3net.benchmark.memory import peak_mib, reset_peak


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can forget a peak")
def test_a_large_array_is_seen_and_forgotten():
    # In a process of its own: what other tests have left to be freed may go at any moment.
    done = subprocess.run([sys.executable, "-c", LARGE_ARRAY], capture_output=True, text=True, check=True)
    before, during, after = map(float, done.stdout.split())
    assert during - before > 60
    assert after < during - 60


LARGE_ARRAY = """
import numpy as np
from napari_s3net.benchmark.memory import peak_mib, reset_peak
reset_peak()
print(peak_mib())
array = np.ones(80 * 2**20, np.uint8)
print(peak_mib())
del array
reset_peak()
print(peak_mib())
"""


def test_there_is_a_figure_without_the_files_of_linux(monkeypatch, tmp_path):
    monkeypatch.setattr("napari_s3net.benchmark.memory._STATUS", tmp_path / "status")
    monkeypatch.setattr("napari_s3net.benchmark.memory._CLEAR", tmp_path / "missing" / "clear_refs")
    reset_peak()
    assert peak_mib() > 10 or sys.platform == "win32"
