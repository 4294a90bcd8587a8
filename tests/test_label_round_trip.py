"""Labels that the program writes come back by its own reader: with names, colours, codes and geometry."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_s3net.errors import HoldsLabelsError
from napari_s3net.io import read_image, read_labels, read_times, write_labels
from napari_s3net.io.geometry import to_array_order
from napari_s3net.plugin.contributions import writer
from napari_s3net.plugin.contributions.reader import get_reader
from napari_s3net.runtime import child_pool
from napari_s3net.segments import Code, Segment
from tests.cli.helpers import run
from tests.io.dicom.test_write_segmentation import MORE
from tests.io.made_files import hounsfield, make_slice, volume

#: Of a file whose axes are turned, (3, 8, 10) upright.
TURNED = volume(np.zeros((8, 3, 10), np.int16), direction=(-1, 0, 0, 0, 0, 1, 0, 1, 0))
VOLUME = to_array_order(TURNED)[1]
CYST = (Code("49755003", "Morphologically Altered Structure"), Code("1", "Cyst", "99NAPARI"))
SEGMENTS = [
    Segment(2, "Lung", (25, 195, 242)),
    Segment(5, "Zyste, größer", (200, 10, 30), codes=CYST),
    Segment(300, "Fat: darker = 2", (230, 159, 0)),
]
VOLUMES = [".nii", ".nii.gz", ".nrrd", ".seg.nrrd", ".mha", ".tif"]


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    child_pool.close_all()


def labels_of(shape):
    labels = np.zeros(shape, np.int32)
    labels[..., 2:5, 3:6], labels[..., 1:3, 7:9], labels[..., 5:7, 1:9] = 2, 5, 300
    labels[..., 0, 0] = np.arange(shape[0]) if len(shape) > 2 else 1  # so that no turned axis goes unnoticed
    return labels


def known(segments):
    return {one.name: (one.colour, one.category_and_type) for one in segments}


def layer_of(path):
    ((data, attributes, kind),) = get_reader(str(path))(str(path))
    assert kind == "labels", "labels are no image"
    return Layer.create(data, attributes, kind)


@pytest.mark.parametrize("ending", [*VOLUMES, ".png", ".tiff"])
def test_by_python(tmp_path, ending):
    flat = ending in (".png", ".tiff")
    geometry = VOLUME.plane(1) if flat else VOLUME
    labels, path = labels_of((8, 10) if flat else (3, 8, 10)), tmp_path / f"a{ending}"
    write_labels(path, labels, geometry, segments=SEGMENTS)
    back = read_labels(path)
    assert np.array_equal(back.array, labels)
    assert known(back.segments) == known(SEGMENTS)
    assert back.geometry.spacing == pytest.approx(geometry.spacing, rel=1e-6)
    assert back.geometry.origin == pytest.approx(geometry.origin, rel=1e-6)
    assert np.allclose(back.geometry.direction, geometry.direction)
    assert np.array_equal(read_image(path).array, labels), "as an image too, where one is asked for"


@pytest.mark.parametrize("ending", VOLUMES)
def test_by_napari_s_layers(tmp_path, ending):
    labels = labels_of((3, 8, 10))
    colours = {one.label: tuple(value / 255 for value in one.colour) for one in SEGMENTS}
    layer = Labels(
        labels,
        scale=VOLUME.spacing,
        units=("mm",) * 3,
        metadata={"napari_s3net": {"geometry": VOLUME}},
        features={"index": [2, 5], "name": ["Lung", "Zyste, größer"]},
        colormap=DirectLabelColormap(color_dict={None: "grey", 0: "transparent", **colours}),
    )
    data, attributes, _ = layer.as_layer_data_tuple()
    writer.write_labels(str(tmp_path / f"a{ending}"), data, attributes)
    back = layer_of(tmp_path / f"a{ending}")
    assert np.array_equal(back.data, labels)
    names = dict(zip(back.features["index"], back.features["name"], strict=True))
    assert {i: names[i] for i in (2, 5, 300)} == {2: "Lung", 5: "Zyste, größer", 300: "Label 300"}
    for label in (2, 5, 300):
        assert back.get_color(label) == pytest.approx(layer.get_color(label), abs=1 / 255)
    assert tuple(back.scale) == pytest.approx(VOLUME.spacing)
    assert back.metadata["napari_s3net"]["geometry"].origin == pytest.approx(VOLUME.origin)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_series_of_labels_comes_back_with_its_times(tmp_path, ending):
    labels = np.stack([labels_of((3, 8, 10)), 2 * labels_of((3, 8, 10))])
    write_labels(tmp_path / f"a{ending}", labels, VOLUME, segments=SEGMENTS[:1])
    layer = layer_of(tmp_path / f"a{ending}")
    assert np.array_equal(layer.data, labels)
    assert tuple(layer.scale) == pytest.approx((1.0, *VOLUME.spacing))


@pytest.fixture(scope="module")
def segmented(tmp_path_factory):
    """What the command line makes of a small CT series, in every format that is read as labels."""
    folder = tmp_path_factory.mktemp("ct")
    (folder / "series").mkdir()
    for n in range(4):
        plane = hounsfield(n, (48, 40))
        plane[14:34, 8:18] = -800
        make_slice(folder / "series" / f"{n}.dcm", plane, 3.0 * n, **MORE)
    also = ["--also", "seg.nrrd", "dicom-seg"]
    changes = ["--set", "working_size=32", "max_iter=2", "clusters=3"]
    assert run("segment", folder / "series", "-o", folder / "out", "--preset", "ct-lung", *changes, *also) == 0
    return folder


@pytest.mark.parametrize("ending", ["_labels.nii.gz", ".seg.nrrd", ".seg.dcm"])
def test_by_the_command_line(segmented, ending):
    if ending == ".seg.dcm":
        pytest.importorskip("highdicom")
    image = read_image(segmented / "series")
    first, other = (read_labels(segmented / "out" / f"series{end}") for end in ("_labels.nii.gz", ending))
    assert known(other.segments) == known(first.segments)
    assert len(first.segments) > 1
    assert all(one.colour for one in other.segments)
    numbers = {one.label: next(two.label for two in other.segments if two.name == one.name) for one in first.segments}
    table = np.zeros(max(numbers) + 1, int)
    table[list(numbers)] = list(numbers.values())
    assert np.array_equal(other.array, table[first.array])
    assert other.geometry.spacing == pytest.approx(image.geometry.spacing)
    assert other.geometry.origin == pytest.approx(image.geometry.origin)
    layer = layer_of(segmented / "out" / f"series{ending}")
    assert set(layer.features["name"]) == set(known(first.segments))
    for one in other.segments:
        assert layer.get_color(one.label)[:3] == pytest.approx(np.array(one.colour) / 255, abs=1 / 255)


def test_a_mask_is_the_object_by_name(segmented):
    back = read_labels(segmented / "out" / "series_mask.nii.gz")
    assert [(one.label, one.name) for one in back.segments] == [(1, "Lung")]
    with pytest.raises(HoldsLabelsError, match="`read_labels` opens it"):
        read_times(segmented / "out" / "series_mask.nii.gz")


def test_labels_are_corrected_from_a_dicom_segmentation(segmented, tmp_path):
    pytest.importorskip("highdicom")
    image = read_image(segmented / "series")
    strokes = np.zeros(image.shape, np.int32)
    write_labels(tmp_path / "strokes.nii.gz", strokes, image.geometry)
    labels = segmented / "out" / "series.seg.dcm"
    paths = ("--labels", labels, "--constraints", tmp_path / "strokes.nii.gz")
    assert run("refine", segmented / "series", *paths, "-o", tmp_path / "out") == 0
    back = read_labels(tmp_path / "out" / "series_labels.nii.gz")
    assert np.array_equal(back.array, read_labels(labels).array)
    assert back.names == read_labels(labels).names
