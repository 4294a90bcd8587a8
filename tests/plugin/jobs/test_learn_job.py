"""Learning, applying and choosing, each in a thread."""

import shutil

import numpy as np
import pytest
import torch
from qtpy.QtCore import QThreadPool

from napari_s3net.errors import ModelFileError
from napari_s3net.image import Geometry
from napari_s3net.io import read_image
from napari_s3net.io.write import write_labels
from napari_s3net.learning import stopped
from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.label_scan import scan_labels
from napari_s3net.learning.model import load_model
from napari_s3net.learning.settings import learn_settings
from napari_s3net.plugin.jobs.learn_job import ApplyJob, LearnJob, LearnRequest, NextJob
from napari_s3net.plugin.jobs.thread_job import Failure
from napari_s3net.result import Segmentation
from napari_s3net.runtime import child_pool
from tests.learning.conftest import TINY, scene, write_partly_labelled

pytestmark = pytest.mark.viewer
WAIT = 120_000


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    QThreadPool.globalInstance().waitForDone(10000)
    child_pool.close_all()


@pytest.fixture
def folder(tmp_path):
    return write_partly_labelled(tmp_path, 3)


def finish(job, qtbot):
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT)
    return job.take_outcome()


def learn(folder, steps=4, kind=LearnJob, **options):
    pairs = tuple(find_images_with_labels(folder / "images", folder / "labels"))
    settings = learn_settings(**{**TINY, "steps": steps})
    return kind(LearnRequest(pairs, folder / "m.safetensors", settings, {}, **options))


def test_learned_then_applied_then_the_next_is_chosen(folder, qtbot):
    job = learn(folder, preview=read_image(folder / "images" / "a2.png"))
    job.start()
    card = finish(job, qtbot)
    update = job.collect()
    assert card == load_model(folder / "m.safetensors").card
    learned = [step for step in update.steps if hasattr(step, "network")]
    assert learned[-1].iteration == 4
    assert all(step.network is None for step in learned), "networks are not kept"
    assert update.preview.shape == scene(2)[0].shape
    assert set(np.unique(update.preview).tolist()) <= {0, 1, 2}
    assert job.collect().steps == (), "each step is handed over once"
    job = ApplyJob(folder / "m.safetensors", lambda: read_image(folder / "images" / "a2.png"))
    job.start()
    result = finish(job, qtbot)
    assert isinstance(result, Segmentation)
    assert result.labels.shape == scene(2)[0].shape
    found = scan_labels(folder / "images", folder / "labels")
    job = NextJob(folder / "m.safetensors", [pair.image for pair in found.pairs], found.corrected)
    job.start()
    path, result = finish(job, qtbot)
    assert path.stem == "a2", "the only one without labels"
    assert result.labels.shape == scene(2)[0].shape


def test_stopped_while_paused_it_keeps_what_it_has(folder, qtbot):
    job = learn(folder, steps=100_000)
    job.start()
    job.pause(True)
    job.stop()
    finish(job, qtbot)
    assert load_model(folder / "m.safetensors").card.record["steps"] < 100_000


class StoppedJob(LearnJob):
    """Stopped after step 12."""

    def _look(self, step):
        super()._look(step)
        if getattr(step, "iteration", 0) == 12:
            self.stop()


def train(folder, qtbot, kind=LearnJob, steps=20, again=True):
    """The weights that were learned, the steps that came, and what was said."""
    job = learn(folder, steps, kind, again=again)
    job.start()
    finish(job, qtbot)
    update = job.collect()
    weights = load_model(folder / "m.safetensors").network.state_dict()
    return weights, [step.iteration for step in update.steps if hasattr(step, "network")], " ".join(update.notices)


@pytest.mark.parametrize("generation", [1, 2])
def test_stopped_and_trained_again_it_ends_as_if_never_stopped(folder, tmp_path_factory, qtbot, generation):
    other = tmp_path_factory.mktemp("runs") / "other"
    for _ in range(generation - 1):
        train(folder, qtbot, steps=5)
    shutil.copytree(folder, other)
    whole, steps, said = train(folder, qtbot)
    assert (steps, said) == ([*range(1, 21)], "")
    for kind in (StoppedJob, LearnJob):
        weights, steps, said = train(other, qtbot, kind)
    assert steps == [*range(13, 21)]
    assert said == "Goes on after step 12 of 20, where it was stopped."
    assert all(torch.equal(value, weights[name]) for name, value in whole.items())
    assert sorted(path.name for path in other.glob("*.safetensors")) == ["m.safetensors"]


def test_a_model_that_cannot_be_written_costs_the_last_steps_alone(folder, qtbot, monkeypatch):
    full = ModelFileError("No space left.")

    def refuse(*_):
        raise full

    with monkeypatch.context() as patch:
        patch.setattr(stopped, "save_model", refuse)
        job = learn(folder, 60, LearnJob, again=True)
        job.start()
        outcome = finish(job, qtbot)
    assert outcome.message == "No space left. Learn again once it can be: all steps up to the last checkpoint are kept."
    weights, steps, said = train(folder, qtbot, steps=60)
    assert steps == [*range(51, 61)]
    assert said.startswith("Goes on after step 50 of 60")
    (folder / "m.safetensors").unlink()
    whole, _, _ = train(folder, qtbot, steps=60)
    assert all(torch.equal(value, weights[name]) for name, value in whole.items())
    assert [path.name for path in folder.glob("*.safetensors")] == ["m.safetensors"]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"steps": 21}, "begins at step 1 with the weights of that model."), ({"again": False}, "it begins anew.")],
)
def test_with_other_settings_it_begins_anew_and_says_from_what(folder, qtbot, options, words):
    train(folder, qtbot, StoppedJob)
    _, steps, said = train(folder, qtbot, **options)
    assert steps == [*range(1, options.get("steps", 20) + 1)]
    assert said.startswith("Labels or settings are others than when it was stopped after step 12: ")
    assert said.endswith(words)


def test_with_another_correction_it_begins_anew_from_the_weights(folder, qtbot):
    train(folder, qtbot, StoppedJob)
    write_labels(folder / "labels" / "a2.png", scene(2)[1], Geometry.identity(2))
    _, steps, said = train(folder, qtbot)
    assert steps[0] == 1
    assert "with the weights of that model" in said
    assert load_model(folder / "m.safetensors").card.record["started from"] == "m.safetensors"


def test_cancelled_it_keeps_nothing(folder, qtbot):
    job = learn(folder, steps=100_000)
    job.start()
    job.cancel()
    assert finish(job, qtbot) is None
    assert not (folder / "m.safetensors").exists()


def test_what_goes_wrong_is_the_outcome(folder, qtbot):
    job = ApplyJob(folder / "none", read_image(folder / "images" / "a0.png"))
    job.start()
    failure = finish(job, qtbot)
    assert isinstance(failure, Failure)
    assert failure.message.startswith("There is no model")


def test_a_model_that_cannot_be_gone_on_from_is_told_with_the_way_out(folder, qtbot):
    (folder / "m.safetensors").write_bytes(b"something else")
    job = learn(folder, again=True)
    job.start()
    outcome = finish(job, qtbot)
    assert isinstance(outcome, Failure)
    assert "of another kind" in outcome.message
    assert "Without Go on from before" in outcome.message
    job = learn(folder)
    job.start()
    finish(job, qtbot)
    assert load_model(folder / "m.safetensors").card.classes
