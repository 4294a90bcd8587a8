"""Run after run in one napari: nothing piles up. Every run is a real one: network trained, layer replaced."""

import ctypes
import gc
import sys
import weakref

import numpy as np
import psutil
import pytest
import torch
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

from napari_s3net import segmentation as loop
from napari_s3net.plugin.jobs import thread_job
from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.segment.dock import SegmentDock

pytestmark = pytest.mark.viewer


@pytest.fixture
def window(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def watched(monkeypatch):
    """Weak references to the worker of each run, its network, and a weight and the input of that."""
    references = []
    make_trainer, make_worker = loop.make_trainer, thread_job.create_worker

    def trainer(*arguments):
        made = make_trainer(*arguments)
        references.extend(map(weakref.ref, (made.network, next(made.network.parameters()), made.full.x)))
        return made

    def worker(*arguments, **kwargs):
        made = make_worker(*arguments, **kwargs)
        references.append(weakref.ref(made))
        return made

    monkeypatch.setattr(loop, "make_trainer", trainer)
    monkeypatch.setattr(thread_job, "create_worker", worker)
    return references


def resident_mib():
    """Memory that this process holds, without what is garbage or kept by the allocator for later: neither is a leak."""
    QApplication.processEvents()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return psutil.Process().memory_info().rss / 2**20


def run_many(window, qtbot, runs, warm_up):
    """Run again and again; memory after the first runs, which load libraries and fill caches, and after the last."""
    rows, columns = np.mgrid[:96, :128]
    array = np.full((96, 128, 3), (220, 180, 160), np.uint8)
    array[(rows - 48) ** 2 + (columns - 64) ** 2 < 500] = (90, 60, 50)
    array += np.random.default_rng(0).integers(0, 12, array.shape, np.uint8)
    window.add_image(array, name="mole")
    dock = SegmentDock(window)
    window.window.add_dock_widget(dock, name="Segment")
    dock.choosers.fields["max_iter"].value = 2
    dock.choosers.fields["working_size"].value = 64
    memory = []
    for number in range(runs):
        dock.choosers.fields["seed"].value = number
        dock.run_button.click()
        qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=60000)
        assert dock.session.phase is Phase.DONE, dock.session.message
        if number + 1 >= warm_up:
            memory.append(resident_mib())
    QThreadPool.globalInstance().waitForDone(5000)
    dock.release()
    return memory


def expect_gone(watched, qtbot):
    """What leaks stays; what a signal on its way or another thread still holds goes within a moment."""

    def look():
        gc.collect()
        assert [one() for one in watched if one() is not None] == []

    qtbot.waitUntil(look, timeout=20000)


def tensors():
    """How many there are; by their type, for a lazy module's `__class__` may import or warn."""
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


def test_no_worker_model_or_tensor_is_left_after_a_few_runs(window, qtbot, watched):
    run_many(window, qtbot, 3, 3)
    assert len(watched) == 3 * 4
    expect_gone(watched, qtbot)


@pytest.mark.slow
def test_fifty_runs_take_no_more_memory_than_ten(window, qtbot, watched):
    run_many(window, qtbot, 1, 1)
    gc.collect()
    before = tensors()
    memory = run_many(window, qtbot, 50, 10)
    sys.stdout.write(f"MiB after run 10 to 50: {[round(mib) for mib in memory]}\n")
    assert max(memory) < 1.05 * memory[0], memory
    expect_gone(watched, qtbot)
    assert tensors() <= before
