import numpy as np
import pytest

from napari_s3net.export.coco import coco_annotations, run_lengths
from napari_s3net.segments import Segment

SEGMENTS = [Segment(1, "Lung", (1, 2, 3)), Segment(3, "Fat", (250, 4, 5), is_object=False)]


def labels():
    array = np.random.default_rng(0).choice([0, 1, 3], (2, 9, 14))
    array[0, 0, 0], array[1] = 1, np.where(array[1] == 3, 0, array[1])
    return array


def decoded(code):
    H, W = code["size"]
    values = np.repeat(np.arange(len(code["counts"])) % 2, code["counts"])
    return values.reshape(W, H).T.astype(bool)


def test_every_label_of_every_plane_comes_back():
    array = labels()
    made = coco_annotations(array, SEGMENTS, "scan")
    assert len(made["annotations"]) == 3  # the second plane has no fat
    for annotation in made["annotations"]:
        mask = array[annotation["image_id"] - 1] == annotation["category_id"]
        assert np.array_equal(decoded(annotation["segmentation"]), mask)
        assert annotation["area"] == mask.sum()
    assert [c["supercategory"] for c in made["categories"]] == ["object", "background"]
    assert [c["color"] for c in made["categories"]] == [list(one.colour) for one in SEGMENTS], "as panoptic COCO has it"


@pytest.mark.parametrize(
    ("shape", "where", "names"),
    [
        ((2, 3, 4), {}, ["scan, slice 0", "scan, slice 1"]),
        ((2, 3, 4), {"first": 7}, ["scan, slice 7", "scan, slice 8"]),
        ((2, 3, 4), {"first": 0, "axis": 2}, ["scan, slice 0 along axis 2", "scan, slice 1 along axis 2"]),
        ((3, 4), {}, ["scan"]),
        ((3, 4), {"first": 5}, ["scan, slice 5"]),
    ],
)
def test_each_plane_is_called_by_the_slice_that_it_is_of(shape, where, names):
    made = coco_annotations(np.ones(shape, int), SEGMENTS, "scan", **where)
    assert [image["file_name"] for image in made["images"]] == names


def test_pycocotools_reads_the_same():
    mask = pytest.importorskip("pycocotools.mask")
    array = labels()
    for annotation in coco_annotations(array, SEGMENTS, "scan")["annotations"]:
        code = mask.frPyObjects(annotation["segmentation"], *annotation["segmentation"]["size"])
        true = array[annotation["image_id"] - 1] == annotation["category_id"]
        assert np.array_equal(mask.decode(code).astype(bool), true)
        assert int(mask.area(code)) == annotation["area"]
        assert mask.toBbox(code).tolist() == annotation["bbox"]


@pytest.mark.parametrize(
    ("mask", "lengths"),
    [([[1, 0], [1, 0]], [0, 2, 2]), ([[0, 1], [0, 0]], [2, 1, 1]), ([[0, 0]], [2]), ([[1, 1]], [0, 2])],
)
def test_runs_go_down_the_columns_from_outside(mask, lengths):
    assert run_lengths(np.array(mask, bool)) == lengths
