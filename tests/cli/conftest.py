"""What the commands are given: a stand-in for the training loop, a photograph, a volume."""

from importlib import import_module

import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry
from napari_s3net.io.write import write_labels, write_png
from napari_s3net.phantom import disc
from napari_s3net.progress import Step
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime import child_pool
from napari_s3net.segments import Segment
from tests.learning.conftest import scene

#: The module; the package's attribute of that name is the function.
SEGMENT = import_module("napari_s3net.segmentation")


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    child_pool.close_all()


@pytest.fixture
def runs(monkeypatch):
    """A stand-in for the training loop: bright pixels are the object; keeps what it was asked."""
    asked = []

    def iter_segment(image, settings, *, device="auto", preview_seconds=None):
        asked.append((image, settings, device))
        if image.array.min() == image.array.max():
            raise InvalidImageError("there is nothing to tell apart.")
        for iteration in (1, 2):
            yield Step(iteration, settings.max_iter, {"cluster": 1.0 / iteration}, 2)
        tone = image.array.mean(axis=-1) if image.kind == "rgb" else image.array
        labels = np.where(tone > tone.mean(), 1, 2).astype(np.int32)
        made = Provenance(settings=settings, confidence=0.8, iterations=2, losses=({"cluster": 1.0}, {"cluster": 0.5}))
        return Segmentation(labels, (1,), image.geometry, made, {1: "Spot", 2: "Rest"}, object_name="Spot")

    monkeypatch.setattr(SEGMENT, "iter_segment", iter_segment)
    return asked


@pytest.fixture
def photo(tmp_path):
    PIL.Image.fromarray(disc(kind="rgb").image.array).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def volume(tmp_path):
    """Five slices in HU, the second of which is empty."""
    array = np.random.default_rng(0).integers(-1000, 500, (5, 20, 24)).astype(np.int16)
    array[1] = -1000
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 3.0))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    return tmp_path / "scan.nii.gz"


@pytest.fixture
def folder(tmp_path):
    """Four images to learn from, the first two with labels."""
    for n in range(4):
        grey, labels = scene(n, (40 + 4 * n, 48))
        write_png(tmp_path / "images" / f"a{n}.png", grey)
        if n < 2:
            segments = [Segment(1, "Spot", (9, 200, 7))]
            write_labels(tmp_path / "labels" / f"a{n}.png", labels, Geometry.identity(2), segments=segments)
    return tmp_path
