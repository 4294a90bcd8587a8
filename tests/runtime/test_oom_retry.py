"""Memory that runs out is injected; what is tried then, and what is left of the try that failed."""

import gc
import weakref

import numpy as np
import pytest
import torch

from napari_s3net import phantom
from napari_s3net import segmentation as loop
from napari_s3net.errors import DivergedError, OutOfMemoryError
from napari_s3net.image import Geometry
from napari_s3net.progress import Notice, Step
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import drain, follow
from napari_s3net.runtime.oom_retry import CARD_FAILED, IN_VAIN, Attempt, attempts, iter_retrying
from napari_s3net.segmentation import iter_segment
from napari_s3net.settings import Settings

SETTINGS = Settings(max_iter=3, working_size=64, channels=8, clusters=4)
FULL = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")


def failing(times, error=FULL):
    """A run that fails so many times, and what it was asked for each time."""
    asked = []

    def make(settings, device):
        asked.append((settings.working_size, str(device)))
        yield Step(1, settings.max_iter, {}, 2)
        if len(asked) <= times:
            raise type(error)(*error.args)
        return Segmentation(
            np.ones((4, 4), np.int32), (1,), Geometry.identity(2), Provenance(settings=settings, device=str(device))
        )

    return make, asked


def test_the_policy():
    assert list(attempts("cpu")) == [Attempt(1, "cpu"), Attempt(2, "cpu"), Attempt(4, "cpu")]
    on_card = [(a.shrink, a.device, a.moved) for a in attempts("cuda:0")]
    assert on_card == [(1, "cuda:0", False), (2, "cuda:0", False), (2, "cpu", True), (4, "cpu", True)]
    assert Attempt(4, "cpu").settings(SETTINGS).working_size == 32
    assert Attempt(1, "cpu").settings(SETTINGS) is SETTINGS


def test_a_run_that_fits_is_passed_through():
    make, asked = failing(0)
    result = drain(iter_retrying(make, SETTINGS, "cpu"))
    assert asked == [(64, "cpu")]
    assert result.provenance.note == ""


@pytest.mark.parametrize("error", [FULL, MemoryError(), OutOfMemoryError("Out of memory on cpu.")])
def test_once_smaller_and_said(error):
    make, asked = failing(1, error)
    steps = iter_retrying(make, SETTINGS, "cpu")
    notes = []
    result = follow(steps, lambda step: notes.append(step.text if isinstance(step, Notice) else ""))
    assert notes == ["", "Out of memory. Trying again at half the working size…", ""]
    assert asked == [(64, "cpu"), (32, "cpu")]
    assert result.provenance.note == "Out of memory. Tried again at half the working size and finished there."
    assert result.settings.working_size == 32


def test_then_on_the_cpu(monkeypatch):
    monkeypatch.setattr("napari_s3net.runtime.device.available_devices", lambda: ["cuda:0", "cpu"])
    make, asked = failing(2)
    result = drain(iter_retrying(make, SETTINGS, "auto"))
    assert asked == [(64, "cuda:0"), (32, "cuda:0"), (32, "cpu")]
    assert result.provenance.note.startswith("Out of memory. Tried again at half the working size on the CPU")


LOST = (
    "CUDA error: CUDA-capable device(s) is/are busy or unavailable",
    "CUDA error: unspecified launch failure",
    "No CUDA GPUs are available",
)


@pytest.mark.parametrize("words", LOST)
def test_a_card_that_is_gone_or_taken_is_told_and_the_cpu_does_it_at_the_same_size(monkeypatch, words):
    monkeypatch.setattr("napari_s3net.runtime.device.available_devices", lambda: ["cuda:0", "cpu"])
    make, asked = failing(1, RuntimeError(words))
    told = []
    result = follow(iter_retrying(make, SETTINGS, "auto"), lambda s: told.append(getattr(s, "text", "")))
    assert asked == [(64, "cuda:0"), (64, "cpu")]
    assert f"{CARD_FAILED} Trying again at the same working size on the CPU…" in told
    assert (
        result.provenance.note == f"{CARD_FAILED} Tried again at the same working size on the CPU and finished there."
    )


def test_the_same_words_on_the_cpu_are_an_error_of_ours():
    make, asked = failing(1, RuntimeError(LOST[0]))
    with pytest.raises(RuntimeError, match="CUDA error"):
        drain(iter_retrying(make, SETTINGS, "cpu"))
    assert len(asked) == 1


def test_in_vain_is_an_error_with_the_reason():
    make, asked = failing(9, OutOfMemoryError("Out of memory on cpu: too much."))
    with pytest.raises(OutOfMemoryError, match="on cpu: too much") as caught:
        drain(iter_retrying(make, SETTINGS, "cpu"))
    assert str(caught.value).endswith(IN_VAIN)
    assert len(asked) == 3


@pytest.mark.parametrize("error", [DivergedError("The loss is not finite."), RuntimeError("shapes"), KeyError("k")])
def test_other_errors_pass(error):
    make, asked = failing(1, error)
    with pytest.raises(type(error)):
        drain(iter_retrying(make, SETTINGS, "cpu"))
    assert len(asked) == 1


def test_stopping_and_closing_reach_the_run():
    steps = iter_retrying(lambda s, d: iter_segment(phantom.disc().image, s, device=d), SETTINGS, "cpu")
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(True)
    assert end.value.value.provenance.stopped
    make, _ = failing(1)
    steps = iter_retrying(make, SETTINGS, "cpu")
    next(steps)
    assert isinstance(next(steps), Notice)
    steps.close()


def test_no_tensor_of_the_failed_try_is_left_while_the_next_goes_on(monkeypatch):
    """The network, the input and an activation of the first try are gone before the second begins."""
    watched, seen = [], []
    make_trainer = loop.make_trainer

    def make(*arguments):
        gc.disable()  # what is freed is freed by the policy, not by chance
        seen.append([one() is None for one in watched])
        trainer = make_trainer(*arguments)
        watched.extend(weakref.ref(one) for one in (next(trainer.network.parameters()), trainer.full.x))
        forward = trainer.forward

        def full(iteration):
            activation = torch.ones(1000)
            watched.append(weakref.ref(activation))
            if len(seen) == 1 and iteration == 2:
                raise RuntimeError("CUDA out of memory")
            return forward(iteration)

        trainer.forward = full
        return trainer

    monkeypatch.setattr(loop, "make_trainer", make)
    try:
        image = phantom.disc().image
        result = drain(iter_retrying(lambda s, d: iter_segment(image, s, device=d), SETTINGS, "cpu"))
    finally:
        gc.enable()
    assert seen[0] == []
    assert len(seen[1]) == 4
    assert all(seen[1])
    assert result.provenance.note
    assert result.labels.shape == image.shape
