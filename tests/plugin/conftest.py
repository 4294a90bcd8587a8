"""A stand-in for the training loop: quick, and it tells what was done to it."""

import time
from dataclasses import dataclass, field
from threading import Event

import numpy as np
import pytest

from napari_s3net.progress import Step
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.segments import Meaning


@dataclass
class FakeRuns:
    """How the stand-in behaves, and what happened to it."""

    pause: float = 0.005
    iterations: int = 20
    error: Exception | None = None
    #: The object is this square of the plane.
    corner: int = 4
    closed: int = 0
    stopped: int = 0
    threads: list[int] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    asked: list = field(default_factory=list)
    preview_seconds: float | None = None
    #: While it is not set, an iteration does not end.
    go_on: Event = field(default_factory=Event)

    def __post_init__(self):
        self.go_on.set()

    #: Called with the arrays of each run, for weak references.
    watch: object = None

    def __call__(self, image, settings, *, device="auto", preview_seconds=None):
        import torch

        self.preview_seconds = preview_seconds
        self.threads.append(torch.get_num_threads())
        self.images.append(np.array(image.array))
        self.asked.append((image, settings, device) if self.watch is None else (None, settings, device))
        big = np.zeros((64, 64))
        if self.watch is not None:
            self.watch(image.array, big)
        stop = None
        done = 0
        try:
            for iteration in range(1, self.iterations + 1):
                time.sleep(self.pause)
                self.go_on.wait(60)
                if self.error is not None and iteration == 3:
                    raise type(self.error)(*self.error.args)
                preview = np.full(image.shape, 1 + iteration % 5, np.uint8)
                if self.watch is not None:
                    self.watch(preview)
                done = iteration
                stop = yield Step(iteration, self.iterations, self.losses(iteration), 6, preview)
                if stop:
                    self.stopped += 1
                    break
        except GeneratorExit:
            self.closed += 1
            raise
        labels = np.full(image.shape, 2, np.int32)
        labels[: self.corner, : self.corner] = 1
        if self.watch is not None:
            self.watch(labels)
        return Segmentation(
            labels,
            (1,),
            image.geometry,
            Provenance(
                settings=settings,
                device="cpu",
                version="1.2.3",
                seconds=0.5,
                stopped=bool(stop),
                iterations=done,
                losses=tuple(self.losses(i) for i in range(1, done + 1)),
            ),
            {1: "Lesion", 2: "Skin"},
            {1: Meaning("Lesion"), 2: Meaning("Skin")},
            "Lesion",
        )

    @staticmethod
    def losses(iteration):
        return {"cluster": 2.0 / iteration, "transformation": 1.0 / iteration, "spatial": 0.2}


@pytest.fixture
def fake_runs(monkeypatch):
    """Runs that take a moment; patched where the worker looks for the real one."""
    import napari_s3net.segmentation

    runs = FakeRuns()

    # The worker needs a generator function, and monkeypatch a plain one.
    def iter_segment(*args, **kwargs):
        return (yield from runs(*args, **kwargs))

    monkeypatch.setattr(napari_s3net.segmentation, "iter_segment", iter_segment)
    return runs


@pytest.fixture
def activities():
    """The progress bars in napari's activity bar, as its windows know them; none is left from before."""
    from napari.utils import progress

    for bar in list(progress._all_instances):
        bar.close()
    return progress._all_instances


@pytest.fixture
def photograph():
    """A small colour image with a dark disc."""
    rows, columns = np.mgrid[:48, :64]
    array = np.full((48, 64, 3), (220, 180, 160), np.uint8)
    array[(rows - 24) ** 2 + (columns - 32) ** 2 < 120] = (90, 60, 50)
    return array


@pytest.fixture
def marked(photograph):
    """A viewer without a window: the image, and labels of which the object, 1, was found too small; 3 is a corner."""
    from napari.components import ViewerModel

    from napari_s3net.plugin.layers.placement import KEY
    from napari_s3net.settings import preset_settings

    viewer = ViewerModel()
    viewer.add_image(photograph, name="mole")
    rows, columns = np.mgrid[:48, :64]
    labels = np.where((rows - 24) ** 2 + (columns - 30) ** 2 < 60, 1, 2).astype(np.int32)
    labels[:8, :8] = 3
    note = {
        "source": "mole",
        "slice": None,
        "settings": preset_settings("skin").replace(remove_hair=False).to_dict(),
        "foreground": [1],
        "names": {1: "Lesion", 2: "Skin", 3: "Dark corner"},
    }
    layer = viewer.add_labels(labels, name="mole – S³-Net", metadata={KEY: note})
    return viewer, getattr(layer, "__wrapped__", layer)


@pytest.fixture
def editor(marked):
    """The labels of `marked`, chosen to be corrected."""
    from napari_s3net.plugin.correct.label_editor import LabelEditor

    viewer, layer = marked
    editor = LabelEditor(viewer)
    editor.choose(layer)
    return editor


@pytest.fixture(autouse=True)
def folder(tmp_path_factory, monkeypatch):
    """Where sessions are kept, away from the user's own; not there yet."""
    from napari_s3net.plugin.correct import autosave

    place = tmp_path_factory.mktemp("kept") / "sessions"
    monkeypatch.setattr(autosave, "session_folder", lambda: place)
    return place


@pytest.fixture(autouse=True)
def forgetful(tmp_path_factory, monkeypatch):
    """What docks remember lies in a folder of the test's own; that folder, which is not there yet."""
    from napari_s3net.plugin.widgets import remembered

    place = tmp_path_factory.mktemp("memory") / "napari-s3net"
    monkeypatch.setattr(remembered, "memory_file", lambda: place / "docks.json")
    return place
