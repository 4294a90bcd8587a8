"""What a user chose for a label, its name, colour and codes, comes through every way that reads labels and writes some.

Each way is gone with every format that holds such: one that forgets a property of a segment fails here.
"""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Layer

from napari_s3net.image import Image
from napari_s3net.io import read_labels, write_image, write_labels
from napari_s3net.plugin.contributions import writer
from napari_s3net.plugin.contributions.reader import labels_data
from napari_s3net.runtime import child_pool
from napari_s3net.segments import Code, Segment
from tests.cli.helpers import TINY, run
from tests.io.dicom.test_write_segmentation import MORE
from tests.io.made_files import hounsfield, make_slice

SHAPE = (3, 24, 20)
CYST = (Code("49755003", "Morphologically Altered Structure"), Code("1", "Cyst", "99NAPARI"))
SEGMENTS = [Segment(1, "Lung, left", (201, 33, 7)), Segment(2, "Zyste, größer", (12, 150, 99), codes=CYST)]
VOLUMES = [".nii.gz", ".nrrd", ".seg.nrrd", ".mha", ".tif", ".seg.dcm"]


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    child_pool.close_all()


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """A DICOM series, and labels of it in every format that holds names and colours."""
    from napari_s3net.io import read_image

    folder = tmp_path_factory.mktemp("scan")
    (folder / "series").mkdir()
    labels = np.zeros(SHAPE, np.int32)
    labels[:, 4:20, 2:8], labels[:, 6:16, 11:17] = 1, 2
    for n in range(len(labels)):
        make_slice(folder / "series" / f"{n}.dcm", hounsfield(n, SHAPE[1:]) - 300 * labels[n], 3.0 * n, **MORE)
    image = read_image(folder / "series")
    for ending in VOLUMES:
        if ending == ".seg.dcm":
            highdicom = pytest.importorskip("highdicom")
            assert highdicom
            from napari_s3net.io.dicom.write_segmentation import write_dicom_segmentation

            write_dicom_segmentation(folder / f"a{ending}", labels, image.geometry, SEGMENTS, folder / "series")
        else:
            write_labels(folder / f"a{ending}", labels, image.geometry, segments=SEGMENTS)
    strokes = np.zeros(SHAPE, np.int32)
    strokes[1, 12, 12:15] = 1
    write_labels(folder / "strokes.nii.gz", strokes, image.geometry)
    write_image(folder / "images" / "scan.nii.gz", Image(image.array, image.geometry, "ct"))
    return folder


def refine(scan, labels, out):
    paths = ("--labels", labels, "--constraints", scan / "strokes.nii.gz", "-o", out, "--device", "cpu")
    assert run("refine", scan / "series", *paths, "--also", "seg.nrrd", "dicom-seg", "png") == 0
    return [
        out / "series_labels.nii.gz",
        out / "series.seg.nrrd",
        out / "series.seg.dcm",
        out / "series_slices/001.png",
    ]


def refine_twice(scan, labels, out):
    """The second time from the files of the first, with the JSON beside them."""
    first = refine(scan, labels, out / "first")
    return refine(scan, first[1 if labels.suffix == ".nrrd" else 2], out / "second")


def open_and_save(scan, labels, out):
    layer = Layer.create(*labels_data(str(labels)))
    data, attributes, _ = layer.as_layer_data_tuple()
    return [out.parent / writer.write_labels(str(out / f"b{ending}"), data, attributes)[0] for ending in VOLUMES[:-1]]


def learn_and_predict(scan, labels, out):
    (out / "labels").mkdir(parents=True)
    name = labels.name.replace("a.", "scan.", 1)
    (out / "labels" / name).write_bytes(labels.read_bytes())
    few = [*TINY[:3], *(word if not word.startswith("steps") else "steps=1" for word in TINY[3:])]
    model, images = out / "m.safetensors", scan / "images"
    assert run("learn", images, out / "labels", "-o", model, *few) == 0
    assert run("predict", model, images / "scan.nii.gz", "-o", out, "--also", "seg.nrrd", "--device", "cpu") == 0
    return [out / "scan_labels.nii.gz", out / "scan.seg.nrrd"]


def told(segments, *, codes):
    return {one.name: (one.colour, one.category_and_type if codes else None) for one in segments}


@pytest.mark.parametrize("ending", VOLUMES)
@pytest.mark.parametrize("way", [refine, refine_twice, open_and_save, learn_and_predict])
def test_name_colour_and_codes_come_through(scan, tmp_path, way, ending):
    codes = way is not learn_and_predict  # a model knows names and colours of its classes
    for file in way(scan, scan / f"a{ending}", tmp_path / "out"):
        assert told(read_labels(file).segments, codes=codes) == told(SEGMENTS, codes=codes), file.name
