"""Learning, applying and choosing, each in a thread."""

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool

from napari_s3net.io import read_image
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


def learn(folder, steps=4, **options):
    pairs = tuple(find_images_with_labels(folder / "images", folder / "labels"))
    settings = learn_settings(**{**TINY, "steps": steps})
    return LearnJob(LearnRequest(pairs, folder / "m.safetensors", settings, {}, **options))


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
