import gc
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from napari_s3net.errors import DivergedError
from napari_s3net.image import Geometry
from napari_s3net.plugin.jobs.run import Run, spare_core
from napari_s3net.plugin.jobs.thread_job import Failure
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.source import Source
from napari_s3net.result import Segmentation
from napari_s3net.runtime.machine import cores
from napari_s3net.settings import Settings


def source(array=None):
    array = np.random.default_rng(0).integers(0, 255, (32, 40), np.uint8) if array is None else array
    plane = PlaneKey((None, None))
    return Source("image", array, array.shape[:2], plane, rgb=False, kind="grey", geometry=Geometry.identity(2))


@pytest.fixture
def worked(fake_runs):
    """Run in this thread, and hand over everything that came of it."""

    def work(given=None, settings=None):
        run = Run(given or source(), settings or Settings(), "cpu")
        run.work()
        return run, run.collect()

    return work


def test_steps_preview_and_result(worked, fake_runs):
    _, report = worked()
    assert [step.iteration for step in report.steps] == list(range(1, 21))
    assert all(step.preview is None for step in report.steps)
    assert report.preview.dtype == np.uint8
    assert (report.preview == 1 + 20 % 5).all()
    assert report.over
    assert report.devices[-1] == "cpu"
    assert isinstance(report.outcome, Segmentation)
    assert str(fake_runs.asked[0][2]) == "cpu"


def test_what_is_collected_is_no_longer_held(worked):
    run, _ = worked()
    again = run.collect()
    assert again.over
    assert again.outcome is again.preview is None
    assert again.steps == ()


def test_previews_are_asked_for_at_most_five_times_a_second(worked, fake_runs):
    worked()
    assert fake_runs.preview_seconds >= 0.2


def test_stop_keeps_what_there_is(fake_runs):
    run = Run(source(), Settings(), "cpu")
    run.stop()
    run.work()
    report = run.collect()
    assert fake_runs.stopped == 1
    assert len(report.steps) == 1
    assert report.outcome.provenance.stopped


def test_cancel_closes_the_generator_and_keeps_nothing(fake_runs):
    fake_runs.pause = 0.02
    run = Run(source(), Settings(), "cpu")
    thread = threading.Thread(target=run.work)
    thread.start()
    while not run.collect().steps:
        time.sleep(0.001)
    run.cancel()
    thread.join(1)
    report = run.collect()
    assert report.over
    assert report.outcome is report.preview is None
    assert fake_runs.closed == 1


def test_cancel_holds_where_the_run_had_just_come_to_its_end(fake_runs):
    run = Run(source(), Settings(), "cpu")
    run.work()
    run.cancel()
    report = run.collect()
    assert report.over
    assert report.outcome is None


def test_cancel_before_the_first_iteration_runs_none(fake_runs):
    run = Run(source(), Settings(), "cpu")
    run.cancel()
    run.work()
    assert run.collect().over
    assert fake_runs.threads == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), "Out of memory. Tried again at"),
        (MemoryError(), "Out of memory. Tried again at"),
        (DivergedError("The loss is not finite at iteration 3."), "The loss is not finite at iteration 3."),
        (RuntimeError("wrapped C/C++ object has been deleted"), "unexpected error: RuntimeError"),
        (ZeroDivisionError("division by zero"), "unexpected error: ZeroDivisionError"),
    ],
)
def test_whatever_goes_wrong_is_handed_over_as_data(worked, fake_runs, error, words):
    fake_runs.error = error
    _, report = worked()
    assert report.over
    assert isinstance(report.outcome, Failure)
    assert words in report.outcome.message
    assert ("Traceback" in report.outcome.details) == ("unexpected" in words)


def test_an_unreadable_layer_is_a_failure_too(worked):
    class Broken:
        def __getitem__(self, index):
            raise OSError("disk gone")

    _, report = worked(Source("x", Broken(), (4, 4), PlaneKey((None, None)), False, "grey", Geometry.identity(2)))
    assert "disk gone" in report.outcome.message


@pytest.mark.parametrize("end", ["finish", "cancel", "fail"])
def test_no_array_outlives_a_run(fake_runs, end):
    references = []
    fake_runs.watch = lambda *arrays: references.extend(map(weakref.ref, arrays))
    fake_runs.images = type("Nowhere", (), {"append": lambda self, _: None})()
    if end == "fail":
        fake_runs.error = RuntimeError("CUDA out of memory")
    array = np.random.default_rng(0).integers(0, 255, (32, 40), np.uint8)
    references.append(weakref.ref(array))
    run = Run(source(array), Settings(), "cpu")
    del array
    if end == "cancel":
        fake_runs.watch = lambda *arrays: (
            references.extend(map(weakref.ref, arrays)) or (len(references) > 5 and run.cancel())
        )
    run.work()
    report = run.collect()
    assert report.over
    assert len(references) > 3
    del report
    gc.collect()
    assert [one() for one in references if one() is not None] == []
    assert run.is_over


def test_one_core_is_left_to_the_screen(worked, fake_runs):
    import torch

    before = torch.get_num_threads()
    worked()
    assert fake_runs.threads == [max(1, min(before, cores() - 1))]
    assert torch.get_num_threads() == before


def test_threads_are_given_back_after_an_error():
    import torch

    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="x"), spare_core():
        raise ValueError("x")
    assert torch.get_num_threads() == before


QUIT = """
import time, sys
import numpy as np
from qtpy.QtWidgets import QApplication
app = QApplication([])
import napari_s3net.segmentation
from napari_s3net.image import Geometry
from napari_s3net.progress import Step
from napari_s3net.plugin.jobs.run import Run
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.source import Source
from napari_s3net.settings import Settings

def iter_segment(*args, **kwargs):
    while True:
        time.sleep(0.5)
        yield Step(1, 10, {}, 3)

napari_s3net.segmentation.iter_segment = iter_segment
plane = PlaneKey((None, None))
run = Run(Source("x", np.eye(32), (32, 32), plane, False, "grey", Geometry.identity(2)), Settings(), "cpu")
run.start()
while not run.collect().steps:
    app.processEvents()
print("leaving")
"""


@pytest.mark.viewer
def test_python_may_end_in_the_middle_of_a_run():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", QUIT], capture_output=True, encoding="utf-8", check=False, timeout=200
    )
    assert "leaving" in done.stdout
    assert done.returncode == 0, done.stderr
    assert "RuntimeError" not in done.stderr


ALONE = """
import sys
import numpy as np
from napari_s3net.image import Geometry
from napari_s3net.progress import Step
from napari_s3net.plugin.jobs.run import PlaneJob
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.source import Source
from napari_s3net.settings import Settings

def make(image):
    yield Step(1, 1, {}, 3)
    return image.shape

plane = PlaneKey((None, None))
source = Source("x", np.eye(32), (32, 32), plane, False, "grey", Geometry.identity(2))
job = PlaneJob(source, Settings(), make)
job.work()
print(job.collect().outcome, "torch" in sys.modules)
"""


def test_a_job_without_a_network_does_not_load_its_library():
    command = [sys.executable, "-c", ALONE]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=200)
    assert done.stdout.split("\n")[0] == "(32, 32) False", done.stderr
