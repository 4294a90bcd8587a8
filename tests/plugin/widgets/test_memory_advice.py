"""Too little memory, before a run and during one."""

import re

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.segment import dock as module
from napari_s3net.plugin.segment.dock import SegmentDock
from napari_s3net.plugin.widgets.memory_advice import MemoryAdvice
from napari_s3net.runtime import memory
from napari_s3net.runtime.memory import Advice

pytestmark = pytest.mark.viewer


@pytest.fixture
def free(monkeypatch):
    """As much free memory as a test wants, in MiB."""
    amounts = {"cpu": 8000.0, "cuda:0": 8000.0}
    monkeypatch.setattr(memory, "free_mib", lambda device="cpu": amounts[device])
    return amounts


@pytest.fixture
def said(monkeypatch):
    words = []
    monkeypatch.setattr(module, "show_error", words.append)
    return words


@pytest.fixture
def dock(qtbot, said, free, photograph, fake_runs):
    viewer = ViewerModel()
    viewer.add_image(np.tile(photograph, (6, 6, 1)), name="mole")
    dock = SegmentDock(viewer)
    yield dock
    dock.release()
    QThreadPool.globalInstance().waitForDone(5000)
    QApplication.processEvents()


def text(label):
    return re.sub(r"\s", " ", label.text())


@pytest.mark.parametrize(
    ("advice", "button"),
    [
        (Advice("cpu", 3000, 1000, working_size=96), "Use 96 px"),
        (Advice("cuda:0", 3000, 1000, cpu=True), "Use the CPU"),
        (Advice("cpu", 3000, 1000), ""),
    ],
)
def test_it_offers_what_fits(qtbot, advice, button):
    widget = MemoryAdvice()
    qtbot.addWidget(widget)
    taken = []
    widget.size_taken.connect(taken.append)
    widget.cpu_taken.connect(lambda: taken.append("cpu"))
    widget.show_advice(advice)
    assert widget.isVisibleTo(widget.parentWidget())
    assert text(widget.line).startswith("This run takes about 3.1 GB of memory, and about 944 MB can be used")
    assert text(widget.button) == button
    widget.button.click()
    assert taken == [{"Use 96 px": 96, "Use the CPU": "cpu", "": "cpu"}[button]]
    widget.show_advice(Advice("cpu", 10, 1000))
    assert not widget.isVisibleTo(widget.parentWidget())


def test_before_a_run_it_says_what_it_takes_and_what_there_is(dock):
    tip = dock.choosers.device_line.toolTip
    assert re.search(r"Memory: about \d+ MB of 8.4 GB free\.", re.sub(r"\s", " ", tip()))
    assert not dock.advice.isVisibleTo(dock)
    before = tip()
    dock.choosers.fields["channels"].value = 64
    assert tip() != before


def test_over_the_limit_it_runs_only_after_the_button(dock, free, said, qtbot):
    free["cpu"] = 1000.0
    dock.choosers.fields["working_size"].value = 1024
    assert not dock.advice.isVisibleTo(dock), "the image itself is smaller"
    free["cpu"] = 200.0
    dock.run_button.click()
    assert dock.session.phase is Phase.READY
    assert said == [dock.advice.line.text()]
    assert dock.advice.isVisibleTo(dock)
    dock.advice.button.click()
    assert not dock.advice.isVisibleTo(dock)
    assert dock.choosers.settings().working_size < 288
    dock.run_button.click()
    qtbot.waitUntil(lambda: dock.session.phase is Phase.DONE, timeout=10000)


def test_the_cpu_is_taken_where_the_card_is_full(dock, free):
    free["cuda:0"] = 1.0
    dock.estimate.know_devices(("cuda:0", "cpu"))
    assert dock.advice.isVisibleTo(dock)
    dock.advice.button.click()
    assert dock.choosers.device_name == "cpu"
    assert not dock.advice.isVisibleTo(dock)


def test_memory_that_runs_out_is_tried_again_and_said(dock, fake_runs, monkeypatch, qtbot):
    """Once, in the third iteration; the bar begins anew and the line under the result tells."""
    import napari_s3net.segmentation

    asked = []

    def iter_segment(image, settings, **kwargs):
        asked.append(settings.working_size)
        fake_runs.error = RuntimeError("CUDA out of memory") if len(asked) == 1 else None
        return (yield from fake_runs(image, settings, **kwargs))

    monkeypatch.setattr(napari_s3net.segmentation, "iter_segment", iter_segment)
    stages = []
    dock.session.phase_changed.connect(lambda phase, words: stages.append((phase, words)))
    dock.run_button.click()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=10000)
    assert dock.session.phase is Phase.DONE
    assert asked == [128, 64]
    assert "Tried again at half the working size and finished there." in dock.panel.effort.text()
    assert dock.run_button.isEnabled()


def test_memory_that_never_suffices_leaves_the_dock_ready(dock, fake_runs, said, monkeypatch, qtbot):
    fake_runs.error = RuntimeError("CUDA out of memory")
    dock.run_button.click()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=10000)
    assert dock.session.phase is Phase.FAILED
    assert "in vain" in dock.message.text()
    assert len(fake_runs.asked) == 3
    assert dock.run_button.isEnabled()
