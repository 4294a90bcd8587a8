"""Clocks on the training loop: the parts make up the whole, and nothing stays patched."""

import time

import numpy as np
import torch

from napari_s3net import phantom
from napari_s3net import segmentation as loop
from napari_s3net.benchmark.speed.clock import peak_of, run_parts, typical
from napari_s3net.settings import Settings

CPU = torch.device("cpu")
SETTINGS = Settings(working_size=48, channels=4, clusters=4, max_iter=4)


def test_parts_of_a_run():
    before = loop.make_trainer, loop.propose, torch.autograd.backward
    times, ends = run_parts(phantom.disc().image, SETTINGS, CPU)
    assert {name: len(each) for name, each in times.items()} == {
        **dict.fromkeys(("prepare", "start", "propose", "postprocess", "total"), 1),
        "view": 2,  # what the networks are shown, and their answer
        "forward": 4,
        **dict.fromkeys(("backward", "step"), 3),  # the last iteration looks, and does not learn
    }
    assert len(ends) == 4
    assert ends == sorted(ends)
    parts = sum(sum(each) for name, each in times.items() if name != "total")
    assert parts <= times["total"][0]
    assert (loop.make_trainer, loop.propose, torch.autograd.backward) == before


def test_the_first_turn_only_warms_up(monkeypatch):
    """Turns of 50, 3, 1 and 2 seconds by a clock that the work itself moves."""
    clock, turns = [0.0], iter([50.0, 3.0, 1.0, 2.0])
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def work():
        clock[0] += next(turns)

    assert typical(work, CPU, 3) == 2
    assert next(turns, None) is None


def test_peak_of_an_array():
    assert 60 < peak_of(lambda: np.ones(80 * 2**20, np.uint8).sum(), CPU) < 120
