"""What a run will take, said before it begins, without a dock."""

import re
from types import SimpleNamespace

import pytest
from qtpy.QtCore import QObject

from napari_s3net.plugin.jobs.session import Session
from napari_s3net.plugin.segment import pace
from napari_s3net.plugin.segment.run_estimate import RunEstimate
from napari_s3net.plugin.widgets.choosers import Choosers
from napari_s3net.plugin.widgets.extent import ExtentChooser
from napari_s3net.plugin.widgets.memory_advice import MemoryAdvice
from napari_s3net.provenance import Provenance
from napari_s3net.runtime import memory

pytestmark = pytest.mark.viewer


@pytest.fixture
def free(monkeypatch):
    """As much free memory as a test wants, in MiB."""
    amounts = {"cpu": 8000.0, "cuda:0": 8000.0}
    monkeypatch.setattr(memory, "free_mib", lambda device="cpu": amounts[device])
    return amounts


@pytest.fixture
def parts(qtbot, monkeypatch, free):
    """The estimate with all that it is made of, and a plane in view."""
    monkeypatch.setattr(pace, "recall", {}.get)
    monkeypatch.setattr(pace, "remember", lambda *_: None)
    parts = SimpleNamespace(owner=QObject(), plane=SimpleNamespace(plane_shape=(288, 288, 3)))
    parts.choosers, parts.extent, parts.advice = Choosers(), ExtentChooser(), MemoryAdvice()
    for widget in (parts.choosers, parts.choosers.form, parts.extent, parts.advice):
        qtbot.addWidget(widget)
    parts.session = Session(parts.owner)
    parts.estimate = RunEstimate(
        parts.choosers, parts.extent, parts.advice, parts.session, lambda: parts.plane, parts.owner
    )
    return parts


def tip(parts):
    return re.sub(r"\s", " ", parts.choosers.device_line.toolTip())


def test_time_and_memory_are_said_with_every_choice(parts):
    assert parts.estimate.say().fits
    first = tip(parts)
    assert re.search(r"About .* s\..*Memory: about \d+ MB of 8.4 GB free\.", first)
    parts.choosers.fields["channels"].value = 64
    assert tip(parts) != first


def test_without_an_image_memory_is_not_spoken_of(parts):
    parts.plane = None
    assert parts.estimate.say() is None
    assert "Memory" not in tip(parts)


def test_devices_that_are_told_again_change_nothing(parts, monkeypatch):
    said = []
    monkeypatch.setattr(parts.advice, "show_advice", said.append)
    for devices in (("cpu",), ("cpu",), ("cuda:0", "cpu")):
        parts.session.devices_known.emit(devices)
    assert len(said) == 2


def test_the_cpu_is_taken_where_the_card_is_full(parts, free):
    free["cuda:0"] = 1.0
    parts.estimate.know_devices(("cuda:0", "cpu"))
    assert not parts.estimate.say().fits
    parts.advice.cpu_taken.emit()
    assert parts.choosers.device_name == "cpu"
    assert parts.estimate.say().fits


def test_a_run_tells_of_the_next(parts):
    settings = parts.choosers.settings()
    parts.session.made = Provenance(settings=settings, iterations=10, seconds=1.0)
    parts.session.finished.emit(None)
    assert f"Up to {0.1 * settings.max_iter:.1f} s." in tip(parts)
