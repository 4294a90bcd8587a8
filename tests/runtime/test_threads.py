"""torch gets the cores that nobody else wants, and its number of threads back."""

import os
import subprocess
import sys
import time

import pytest
import torch

from napari_s3net.runtime import threads
from napari_s3net.runtime.threads import ThreadChooser, adapt, threads_by_load, wanted_by_others


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of four cores of which others want some."""
    (tmp_path / "loadavg").write_text("0.00 0.01 0.05 1/300 4242\n")
    (tmp_path / "task" / "1").mkdir(parents=True)
    (tmp_path / "task" / "1" / "stat").write_text("1 (a) name) R 0 0 0")
    monkeypatch.setattr(threads, "LOAD", tmp_path / "loadavg")
    monkeypatch.setattr(threads, "OWN_THREADS", tmp_path / "task")
    monkeypatch.setattr(threads, "cores", lambda: 4)
    monkeypatch.setattr(threads, "cpu_count", lambda: 4)

    def want(others):
        (tmp_path / "loadavg").write_text(f"0.00 0.01 0.05 {others + 1}/300 4242\n")

    return want


@pytest.mark.parametrize(("others", "chosen"), [(0, 4), (1, 3), (3, 1), (4, 1), (50, 1)])
def test_others_get_the_cores_that_they_want(machine, others, chosen):
    machine(others)
    assert wanted_by_others() == others
    assert ThreadChooser(8).choose() == chosen
    assert ThreadChooser(2).choose() == min(2, chosen)


def test_a_moments_work_of_others_costs_no_thread_but_a_job_does(machine):
    chooser = ThreadChooser(4)
    assert chooser.choose() == 4
    machine(3)
    assert [chooser.choose() for _ in range(2)] == [4, 1]
    machine(0)
    assert chooser.choose() == 4


def test_own_spinning_threads_are_not_others(machine, tmp_path):
    machine(2)
    (tmp_path / "task" / "2").mkdir()
    (tmp_path / "task" / "2" / "stat").write_text("2 (torch) R 0")
    (tmp_path / "task" / "3").mkdir()
    (tmp_path / "task" / "3" / "stat").write_text("3 (sleeps) S 0")
    assert wanted_by_others() == 1


def test_where_the_system_does_not_tell_all_cores_are_used(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(threads, "LOAD", tmp_path / "missing")
    assert ThreadChooser(8).choose() == 4


def test_torch_has_its_threads_back_and_follows_the_load_meanwhile(machine):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        machine(3)
        with threads_by_load() as chooser:
            assert torch.get_num_threads() == 1
            machine(0)
            adapt(chooser)
            assert torch.get_num_threads() == 3  # not more than it had
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what others want")
def test_a_job_on_every_core_is_seen():
    jobs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        deadline = time.monotonic() + 30
        chooser = ThreadChooser(64)
        while chooser.choose() > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert chooser.choose() == 1
    finally:
        for job in jobs:
            job.kill()
            job.wait()
