"""The worker's side of a job, in this process."""

import sys
from dataclasses import asdict

import PIL.Image
import pytest

from napari_s3net.batch import worker
from napari_s3net.batch.plan import FileJob
from napari_s3net.phantom import disc
from napari_s3net.runtime import device
from napari_s3net.runtime.child_server import Caller


class Listener(Caller):
    """The asking process, that keeps what it is told."""

    def __init__(self):
        self.told = []

    def tell(self, **news):
        self.told.append(news)


@pytest.fixture
def job(tmp_path):
    PIL.Image.fromarray(disc(kind="rgb").image.array).save(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    return FileJob(
        run="one", file="a.png", path=str(tmp_path / "a.png"), series=None, stem="a", output=str(tmp_path / "out"),
        preset="skin", changes={}, write=("labels",), device="cpu", digest="d",
        segmenter="tests.batch.segmenters:threshold", search=(str(tmp_path / "modules"),),
    )  # fmt: skip


def test_the_answer_is_the_row_of_the_file(job, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["worker", "0"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    listener = Listener()
    answer, array = worker.do_job({"job": asdict(job)}, listener)
    assert array is None
    assert answer["memory"] is False
    assert answer["row"]["error"] == ""
    assert (answer["row"]["status"], answer["row"]["file"]) == ("done", "a.png")
    assert (tmp_path / "out" / "labels" / "a.png").is_file()
    assert listener.told[:2] == [{"reading": True}, {"reading": False}]
    assert sys.path[-1] == str(tmp_path / "modules")


@pytest.mark.parametrize(
    ("asked", "cards", "slot", "given"),
    [
        ("auto", ("cuda:0", "cuda:1", "cpu"), 3, "cuda:1"),
        ("auto", ("cuda:0", "cpu"), 3, "auto"),
        ("cpu", ("cuda:0", "cuda:1", "cpu"), 3, "cpu"),
    ],
)
def test_workers_take_the_cards_of_a_machine_in_turn(job, monkeypatch, asked, cards, slot, given):
    import napari_s3net.segmentation  # noqa: F401 - as in a worker that trains

    monkeypatch.setattr(device, "available_devices", lambda: cards)
    asked = FileJob(**{**asdict(job), "device": asked})
    assert worker.own_device(asked, slot).device == given
