"""Which open labels lie on which images of a folder, and what they say of the classes."""

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.image import Geometry, Image
from napari_s3net.plugin.layers.mask_layer import add_mask
from napari_s3net.plugin.layers.stroke_layer import add_strokes
from napari_s3net.plugin.learn.open_layers import class_labels, one_each, open_labels
from napari_s3net.plugin.learn.result import add_result, open_image
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings

GREY = np.zeros((6, 8), np.uint8)
FLAT = Geometry.identity(2)


def result(**of):
    labels = np.arange(48, dtype=np.int32).reshape(6, 8) // 16 + 1
    made = Provenance(settings=Settings(), **of)
    return Segmentation(labels, (2,), FLAT, made, {1: "a", 2: "b", 3: "c"})


@pytest.mark.parametrize(("of", "values"), [({}, [0, 1]), ({"model": {"digest": "0"}}, [1, 2, 3])])
def test_clusters_count_as_the_object_and_classes_as_themselves(of, values):
    viewer = ViewerModel()
    layer = add_result(viewer, open_image(viewer, Image(GREY, FLAT, "grey", "a")), result(**of))
    assert np.unique(class_labels(layer)).tolist() == values
    assert np.unique(class_labels(viewer.add_labels(np.full((6, 8), 7)))).tolist() == [7]


def test_labels_lie_on_the_image_they_belong_to_or_on_the_only_one_of_their_shape():
    viewer, file = ViewerModel(), Path("a.png")
    image = open_image(viewer, Image(GREY, FLAT, "grey", "a"))
    first = add_result(viewer, image, result())
    painted = viewer.add_labels(np.ones((6, 8), int))
    viewer.add_labels(np.ones((5, 5), int))
    assert open_labels(viewer.layers, [file], (file, image, first)) == [(file, first), (file, painted)]
    assert open_labels(viewer.layers, [file]) == [], "nobody knows which file the image is"


def test_of_several_labels_on_an_image_one_is_taken_a_visible_one_before_a_hidden_one():
    viewer, file = ViewerModel(), Path("a.png")
    image = open_image(viewer, Image(GREY, FLAT, "grey", "a"))
    first = add_result(viewer, image, result())
    painted = viewer.add_labels(np.ones((6, 8), int))
    assert one_each(open_labels(viewer.layers, [file], (file, image, first))) == {file: painted}
    painted.visible = False
    assert one_each(open_labels(viewer.layers, [file], (file, image, first))) == {file: first}
    first.visible = False
    assert one_each(open_labels(viewer.layers, [file], (file, image, first))) == {file: painted}


def test_strokes_and_masks_of_labels_are_not_taken_for_them():
    viewer, file = ViewerModel(), Path("a.png")
    image = open_image(viewer, Image(GREY, FLAT, "grey", "a"))
    labels = add_result(viewer, image, result())
    add_strokes(viewer, labels)
    add_mask(viewer, labels)
    assert len(viewer.layers) == 4
    assert open_labels(viewer.layers, [file], (file, image, labels)) == [(file, labels)]
